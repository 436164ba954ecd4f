/** The command line. Importing this module runs it. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { redriveDeadLetters, showDeadLetters } from './commands/dead-letters.ts'
import { demo } from './commands/demo.ts'
import { ingest } from './commands/ingest.ts'
import { query } from './commands/query.ts'
import { serveDatabase } from './commands/serve.ts'
import { printToken } from './commands/token.ts'
import { CommandError, EXIT, reportFailure } from './failure.ts'
import type { FormatName } from './ingest/formats/columns.ts'
import { durationMs, sizeBytes } from './quantities.ts'
import { ROW_FORMATS, type RowFormat } from './terminal/rows.ts'

const inputFormats = ['auto', 'ndjson', 'csv', 'logfmt', 'access', 'syslog', 'plain']

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

let hasLostOutput = false

const database = () => new Option('--db <file>', 'the SQLite database').default('app.db')
const rowFormat = () =>
  new Option('--format <name>', 'how rows are printed').choices(ROW_FORMATS).default('table')

const program = new Command('tidemark')
  .description('Fast writes, honest reads: logs and rows into SQLite.')
  .version(version)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'tidemark: ')) })
  .showHelpAfterError('  See: npx tidemark --help')

program
  .command('ingest')
  .description(
    'write the lines of files into a table; stop it anywhere and run it again: no line twice, none missing',
  )
  .argument('<files...>', 'files (.gz too), or - for standard input')
  .addOption(database())
  .option(
    '--table <name>',
    'the table to write to (default: the one of the last run; else logs, or the name of a CSV file)',
  )
  .addOption(new Option('--format <name>', 'what the lines are').choices(inputFormats).default('auto'))
  .action(async (files: string[], options: { db: string; table?: string; format: FormatName | 'auto' }) => {
    process.exitCode = await ingest(files, {
      database: options.db,
      table: options.table,
      format: options.format,
    })
  })

program
  .command('query')
  .description('print what a SELECT finds')
  .argument('<sql>')
  .addOption(database())
  .addOption(rowFormat())
  .action((sql: string, options: { db: string; format: RowFormat }) =>
    query(sql, { database: options.db, format: options.format }),
  )

const deadLetters = program.command('dead-letters').description('what could not be written')

deadLetters
  .command('list', { isDefault: true })
  .description('print them, oldest first')
  .addOption(database())
  .addOption(rowFormat())
  .option('--table <name>', 'only of this table')
  .option('--after <id>', 'only those behind this one', wholeNumber)
  .option('--limit <count>', 'at most so many', wholeNumber, 100)
  .action(
    async (options: { db: string; format: RowFormat; table?: string; after?: number; limit: number }) => {
      const { table, after } = options
      const filter = {
        limit: options.limit,
        ...(table === undefined ? {} : { table }),
        ...(after === undefined ? {} : { afterId: after }),
      }
      await showDeadLetters(options.db, filter, options.format)
    },
  )

deadLetters
  .command('redrive')
  .description('write them again, after the cause was mended')
  .argument('<ids...>', 'their numbers', (value, before: number[] | undefined) => [
    ...(before ?? []),
    wholeNumber(value),
  ])
  .addOption(database())
  .action(async (ids: number[], options: { db: string }) => {
    process.exitCode = await redriveDeadLetters(options.db, ids)
  })

program
  .command('serve')
  .description('serve the database over HTTP: logs in and out, rows, read-only SQL, metrics, a dashboard')
  .addOption(database())
  .option('--host <address>', 'where to listen; any other than this machine needs tokens', '127.0.0.1')
  .option('--port <number>', '0 for any that is free', wholeNumber, 7373)
  .option('--tokens <file>', 'who may do what, a line each: name scopes token (or in TIDEMARK_TOKENS)')
  .option('--cors <origin...>', 'pages of these origins may call')
  .option('--retention-age <time>', 'delete logs older than this, such as 30d', durationMs)
  .option('--retention-size <size>', 'delete the oldest logs above this, such as 2GB', sizeBytes)
  .option('--drain-ms <time>', 'how long requests may take to finish when it is stopped', wholeNumber, 25_000)
  .option('--no-dashboard', 'leave / empty')
  .action(async (options: ServeFlags) => {
    const { db, tokens, cors = [], retentionAge, retentionSize, ...rest } = options
    process.exitCode = await serveDatabase({
      ...rest,
      database: db,
      tokens,
      cors,
      retention: {
        ...(retentionAge === undefined ? {} : { maxAgeMs: retentionAge }),
        ...(retentionSize === undefined ? {} : { maxBytes: retentionSize }),
      },
    })
  })

program.command('token').description('print a new random token for --tokens').action(printToken)

program
  .command('demo')
  .description('make up 200,000 log lines in a temporary folder, ingest them and read them')
  .action(async () => {
    process.exitCode = await demo()
  })

interface ServeFlags {
  readonly db: string
  readonly host: string
  readonly port: number
  readonly tokens?: string
  readonly cors?: string[]
  readonly retentionAge?: number
  readonly retentionSize?: number
  readonly drainMs: number
  readonly dashboard: boolean
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number.')
  return value
}

/** `npm start -- FILE` is `tidemark ingest FILE`, and `npm start` alone is the demo. */
function withDefaultCommand(words: readonly string[]): string[] {
  const [first] = words
  if (first === undefined) return ['demo']
  const isCommand =
    program.commands.some((command) => command.name() === first) ||
    ['help', '--help', '-h', '--version', '-V'].includes(first)
  return isCommand ? [...words] : ['ingest', ...words]
}

// A reader that has seen enough (`| head`) is no failure; any other is, whatever the command itself came to.
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE' || hasLostOutput) return
  hasLostOutput = true
  reportFailure(new CommandError(EXIT.failed, `standard output cannot be written: ${message}.`))
})
process.on('exit', () => {
  if (hasLostOutput) process.exitCode ||= EXIT.failed
})
// Nobody is left to be told.
process.stderr.on('error', () => undefined)

try {
  await program.parseAsync(withDefaultCommand(process.argv.slice(2)), { from: 'user' })
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
  else process.exitCode = reportFailure(error)
}
