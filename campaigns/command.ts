/** What the commands of all campaigns have in common: usage, options, exit codes. */
import type { ParseArgsConfig } from 'node:util'
import { parse, UsageError } from '../bench/options/parse.ts'

type Options = NonNullable<ParseArgsConfig['options']>
type Given<O extends Options> = ReturnType<typeof parse<O>>

/** Ends with the code that `run` gives, 0 after `--help`, and 2 where the options are wrong. */
export async function command<const O extends Options>(
  usage: string,
  options: O,
  run: (given: Given<O>) => Promise<number>,
): Promise<void> {
  const args = process.argv.slice(2)
  try {
    if (args.includes('--help')) console.log(usage)
    else process.exitCode = await run(parse(args, options))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${usage}`)
    process.exitCode = 2
  }
}
