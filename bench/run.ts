/** `npm run bench -- COMMAND`: finds the command, and says in words what is missing. */

import { parseWriteOptions, UsageError, WRITES_USAGE } from './options.ts'
import { listed } from './peers/index.ts'
import { installedVersion, wantedVersion } from './report/environment.ts'
import { benchWrites } from './writes.ts'

const USAGE = `Usage: ${WRITES_USAGE}`

const [command = 'writes', ...args] = process.argv.slice(2)

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
}

async function main(): Promise<number> {
  if (args.includes('--help') || command === '--help' || command === 'help') {
    console.log(USAGE)
    return 0
  }
  if (command !== 'writes') throw new UsageError(`There is no benchmark "${command}"; there is: writes.`)
  const missing = missingPackages()
  if (missing.length > 0) {
    console.error(
      `The benchmark compares Tidemark with packages that are not installed: ${missing.join(', ')}.`,
    )
    console.error('Install them with: npm ci --prefix bench')
    console.error('Or leave them out: npm run bench -- writes --only tidemark,node:sqlite/rows')
    return 1
  }
  await benchWrites(args)
  return 0
}

/** Packages that the chosen contenders need and that are absent, or there in another version. */
function missingPackages(): string[] {
  const needed = new Set(parseWriteOptions(args).only.flatMap((peer) => listed(peer).needs ?? []))
  return [...needed]
    .filter((name) => installedVersion(name) !== wantedVersion(name))
    .map((name) => `${name} ${wantedVersion(name)}`)
}
