/** The commands of the server, with their options. */
import type { Command } from 'commander'
import { databaseOf, databaseOption, machineOf, machineOption, type Database } from './database.ts'
import { printToken } from './commands/token.ts'
import { duration, size, wholeNumber } from './units.ts'

interface ServeOptions {
  readonly store: Database
  readonly queryStore?: Database
  readonly machine?: string
  readonly host: string
  readonly port: number
  readonly tokens?: string
  readonly cors?: string[]
  readonly retentionAge?: number
  readonly retentionSize?: number
  readonly drainMs: number
  readonly dashboard: boolean
  readonly effectsLate: number
  readonly recover?: string
  readonly follow?: string[]
}

export function addServerCommands(program: Command): void {
  program
    .command('serve')
    .description('serve a database over HTTP: logs in and out, rows, read-only SQL, metrics, a dashboard')
    .addOption(databaseOption('the database: a file of SQLite, made where there is none, or postgres://…'))
    .option(
      '--query-store <URL>',
      'run the SQL of clients here: the same PostgreSQL database, as a user who can only read',
      databaseOf,
    )
    .option('--host <address>', 'where to listen; any other than this machine needs tokens', '127.0.0.1')
    .option('--port <number>', '0 for any that is free', wholeNumber, 7373)
    .option('--tokens <file>', 'who may do what, a line each: name scopes token (or in TIDEMARK_TOKENS)')
    .option('--cors <origin...>', 'pages of these origins may call')
    .option('--retention-age <duration>', 'delete logs older than this, such as 30d', duration)
    .option('--retention-size <size>', 'delete the oldest logs above this, such as 2GB', size)
    .option(
      '--drain-ms <time>',
      'how long requests may take to finish when it is stopped',
      wholeNumber,
      25_000,
    )
    .option('--effects-late <duration>', 'red health when the oldest effect waits longer', duration, 300_000)
    .option(
      '--recover <file>',
      'by which SELECTs each kind is recovered, as JSON: { "KIND": { "missing": "…", "existing": "…" } }',
    )
    .option('-f, --follow <files...>', 'log files to read and follow meanwhile')
    .addOption(machineOption())
    .option('--no-dashboard', 'leave / empty')
    .action(async (options: ServeOptions) => {
      const {
        store,
        queryStore,
        machine,
        tokens,
        cors = [],
        recover,
        follow = [],
        retentionAge,
        retentionSize,
        ...rest
      } = options
      // What serves is more to load than all other commands together.
      const { serveDatabase } = await import('./commands/serve.ts')
      process.exitCode = await serveDatabase({
        ...rest,
        database: store,
        queryStore,
        machine: machineOf(store, machine),
        tokens,
        cors,
        recover,
        follow,
        retention: {
          ...(retentionAge !== undefined && { maxAgeMs: retentionAge }),
          ...(retentionSize !== undefined && { maxBytes: retentionSize }),
        },
      })
    })

  program.command('token').description('print a new random token for --tokens').action(printToken)
}
