/** `npm run bench -- COMMAND`: finds the command, and says in words what is missing. */

import { benchEffects } from './effects.ts'
import { benchLive } from './live.ts'
import { benchLogs } from './logs.ts'
import { EFFECTS_USAGE, parseEffectsOptions } from './options/effects.ts'
import { LIVE_USAGE, parseLiveOptions } from './options/live.ts'
import { LOGS_USAGE, parseLogOptions } from './options/logs.ts'
import { UsageError } from './options/parse.ts'
import { parsePostgresOptions, POSTGRES_USAGE } from './options/postgres.ts'
import { parseReadOptions, READS_USAGE } from './options/reads.ts'
import { parseWriteOptions, WRITES_USAGE } from './options/writes.ts'
import { listedEffectsPeer } from './peers/effects/index.ts'
import { listed } from './peers/index.ts'
import { packageOf } from './peers/live/index.ts'
import { listedLogPeer } from './peers/logs/index.ts'
import { listedPostgresPeer } from './peers/postgres/index.ts'
import { listedReader } from './peers/reads/index.ts'
import { benchPostgres } from './postgres.ts'
import { benchReads } from './reads.ts'
import { installedVersion, wantedVersion } from './report/environment.ts'
import { benchWrites } from './writes.ts'

interface BenchCommand {
  readonly usage: string
  run(args: readonly string[]): Promise<void>
  /** Packages that the chosen contenders need. @throws UsageError */
  needs(args: readonly string[]): (string | undefined)[]
  /** Contenders that need none. */
  readonly without: string
}

const COMMANDS: Readonly<Record<string, BenchCommand>> = {
  writes: {
    usage: WRITES_USAGE,
    run: benchWrites,
    needs: (args) => parseWriteOptions(args).only.map((peer) => listed(peer).needs),
    without: 'tidemark,node:sqlite/rows',
  },
  reads: {
    usage: READS_USAGE,
    run: benchReads,
    needs: (args) => parseReadOptions(args).only.map((peer) => listedReader(peer).needs),
    without: 'tidemark,node:sqlite',
  },
  logs: {
    usage: LOGS_USAGE,
    run: benchLogs,
    needs: (args) => parseLogOptions(args).only.map((peer) => listedLogPeer(peer).needs),
    without: 'tidemark',
  },
  postgres: {
    usage: POSTGRES_USAGE,
    run: benchPostgres,
    needs: (args) => parsePostgresOptions(args).only.flatMap((peer) => listedPostgresPeer(peer).needs),
    without: 'tidemark',
  },
  effects: {
    usage: EFFECTS_USAGE,
    run: benchEffects,
    needs: (args) => parseEffectsOptions(args).only.flatMap((peer) => listedEffectsPeer(peer).needs),
    without: 'tidemark/sqlite,tidemark/postgres',
  },
  live: {
    usage: LIVE_USAGE,
    run: benchLive,
    needs: (args) => parseLiveOptions(args).only.map(packageOf),
    without: 'tidemark/live,tidemark/calls,tidemark/each',
  },
}

const [name = 'writes', ...args] = process.argv.slice(2)
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
const usage = (command ? [command] : Object.values(COMMANDS)).map((one) => `Usage: ${one.usage}`).join('\n\n')

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\n${usage}`)
  process.exitCode = 2
}

async function main(): Promise<number> {
  if (args.includes('--help') || name === '--help' || name === 'help') {
    console.log(usage)
    return 0
  }
  if (command === undefined) {
    throw new UsageError(`There is no benchmark "${name}"; there are: ${Object.keys(COMMANDS).join(', ')}.`)
  }
  const missing = missingPackages(command.needs(args))
  if (missing.length > 0) {
    console.error(
      `The benchmark compares Tidemark with packages that are not installed: ${missing.join(', ')}.`,
    )
    console.error('Install them with: npm ci --prefix bench')
    console.error(`Or leave them out: npm run bench -- ${name} --only ${command.without}`)
    return 1
  }
  await command.run(args)
  return 0
}

/** Those that are absent, or there in another version. */
function missingPackages(needed: readonly (string | undefined)[]): string[] {
  return [...new Set(needed)]
    .filter((needs) => needs !== undefined)
    .filter((needs) => installedVersion(needs) !== wantedVersion(needs))
    .map((needs) => `${needs} ${wantedVersion(needs)}`)
}
