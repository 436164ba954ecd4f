/** What the command line says when something fails, and the code it exits with. */
import { TidemarkError } from '../errors.ts'
import { InputError } from './ingest/input-error.ts'

/** docs/cli.md lists them. */
export const EXIT = {
  ok: 0,
  /** The database or the engine failed. */
  failed: 1,
  /** The command was not understood. */
  usage: 2,
  /** The input cannot be read (further). */
  input: 3,
  /** Another run works on the same input. */
  busy: 4,
  /** 128 + the number of the signal, as shells have it. */
  interrupted: 130,
  terminated: 143,
} as const

/** A failure that the command itself found. */
export class CommandError extends Error {
  readonly exitCode: number
  readonly hint: string | undefined

  constructor(exitCode: number, message: string, hint?: string) {
    super(message)
    this.exitCode = exitCode
    this.hint = hint
  }
}

/** Message and hint go to standard error; a stack only where the fault must be ours. */
export function reportFailure(error: unknown): number {
  const say = (message: string, hint?: string): void => {
    process.stderr.write(`${message.startsWith('tidemark: ') ? message : `tidemark: ${message}`}\n`)
    if (hint !== undefined) process.stderr.write(`  ${hint}\n`)
  }
  if (error instanceof CommandError) {
    say(error.message, error.hint)
    return error.exitCode
  }
  if (error instanceof InputError) {
    say(`${error.message}.`, `${error.hint}.`)
    return EXIT.input
  }
  if (error instanceof TidemarkError) {
    say(error.message, error.hint)
    return error.code === 'INVALID_OPTIONS' ? EXIT.usage : EXIT.failed
  }
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return EXIT.failed
}
