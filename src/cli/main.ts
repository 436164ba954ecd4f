/** The command line. Importing this module runs it. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { redriveDeadLetters, showDeadLetters } from './commands/dead-letters.ts'
import { follow } from './commands/follow.ts'
import { ingest } from './commands/ingest.ts'
import { query } from './commands/query.ts'
import { databaseOption, machineOf, machineOption, type Database } from './database.ts'
import { CommandError, EXIT, reportFailure } from './failure.ts'
import type { FormatName } from './ingest/formats/columns.ts'
import { addEffectCommands } from './effect-commands.ts'
import { addLogCommands } from './log-commands.ts'
import { addServerCommands } from './server-commands.ts'
import { rowFormat, type RowFormat } from './terminal/rows.ts'
import { wholeNumber } from './units.ts'

const inputFormats = ['auto', 'ndjson', 'csv', 'logfmt', 'access', 'syslog', 'plain']

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

interface IngestOptions {
  readonly store: Database
  readonly machine?: string
  readonly table?: string
  readonly format: FormatName | 'auto'
  readonly follow?: boolean
}

let hasLostOutput = false

const program = new Command('tidemark')
  .description('Fast writes, honest reads: logs and rows into SQLite or PostgreSQL.')
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
  .addOption(databaseOption())
  .option(
    '--table <name>',
    'the table to write to (default: the one of the last run; else logs, or the name of a CSV file)',
  )
  .addOption(new Option('--format <name>', 'what the lines are').choices(inputFormats).default('auto'))
  .addOption(machineOption())
  .option('-f, --follow', 'stay at the end of the files and read on as they grow, also when they are rotated')
  .action(async (files: string[], options: IngestOptions) => {
    const { store, machine, table, format } = options
    const settings = { database: store, machine: machineOf(store, machine), table, format }
    process.exitCode = await (options.follow ? follow : ingest)(files, settings)
  })

program
  .command('query')
  .description('print what a SELECT finds')
  .argument('<sql>')
  .addOption(databaseOption())
  .addOption(rowFormat())
  .action((sql: string, options: { store: Database; format: RowFormat }) =>
    query(sql, { database: options.store, format: options.format }),
  )

const deadLetters = program.command('dead-letters').description('what could not be written')

deadLetters
  .command('list', { isDefault: true })
  .description('print them, oldest first')
  .addOption(databaseOption())
  .addOption(rowFormat())
  .option('--table <name>', 'only of this table')
  .option('--after <id>', 'only those behind this one', wholeNumber)
  .option('--limit <count>', 'at most so many', wholeNumber, 100)
  .action(
    async (options: {
      store: Database
      format: RowFormat
      table?: string
      after?: number
      limit: number
    }) => {
      const { table, after } = options
      const filter = {
        limit: options.limit,
        ...(table === undefined ? {} : { table }),
        ...(after === undefined ? {} : { afterId: after }),
      }
      await showDeadLetters(options.store, filter, options.format)
    },
  )

deadLetters
  .command('redrive')
  .description('write them again, after the cause was mended')
  .argument('<ids...>', 'their numbers', (value, before: number[] | undefined) => [
    ...(before ?? []),
    wholeNumber(value),
  ])
  .addOption(databaseOption())
  .action(async (ids: number[], options: { store: Database }) => {
    process.exitCode = await redriveDeadLetters(options.store, ids)
  })

addEffectCommands(program)
addLogCommands(program)
addServerCommands(program)

program
  .command('demo')
  .description('make up 200,000 log lines in a temporary folder, ingest them and read them')
  .action(async () => {
    const { demo } = await import('./commands/demo.ts')
    process.exitCode = await demo()
  })

program
  .command('doctor')
  .description('look at a database, its files and this machine, change nothing, and say what to do')
  .addOption(databaseOption())
  .option('--full', 'check the whole file and all foreign keys; takes as long as reading it')
  .option('--json', 'print one JSON document')
  .action(async (options: { store: Database; full?: boolean; json?: boolean }) => {
    const { doctor } = await import('./commands/doctor.ts')
    process.exitCode = await doctor(options.store, {
      isFull: options.full ?? false,
      asJson: options.json ?? false,
    })
  })

program
  .command('bench')
  .description('measure a database, in a place of its own that is removed again, and suggest settings')
  .addOption(databaseOption())
  .option('--seconds <count>', 'how long it takes, about', wholeNumber, 30)
  .option('--json', 'print one JSON document')
  .action(async (options: { store: Database; seconds: number; json?: boolean }) => {
    const { store, seconds, json = false } = options
    if (seconds < 1) throw new CommandError(EXIT.usage, '--seconds must be 1 at least.')
    const { bench } = await import('./commands/bench.ts')
    process.exitCode = await bench({ database: store, seconds, asJson: json })
  })

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
