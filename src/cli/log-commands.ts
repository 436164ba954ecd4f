/** The commands of the log store, with their options. */
import { Option, type Command } from 'commander'
import { LEVELS, type Filter, type Level } from '../logs/index.ts'
import { databaseOption, requireFile, type Database } from './database.ts'
import { attributesOf, cleanLogs, searchLogs, tailLogs, type LogTarget } from './commands/logs.ts'
import { showStatus } from './commands/status.ts'
import { CommandError, EXIT } from './failure.ts'
import { ENTRY_FORMATS, type EntryFormat } from './terminal/entries.ts'
import { duration, size, timeOrAgo, wholeNumber } from './units.ts'

interface TargetOptions {
  readonly store: Database
  readonly table: string
}

interface FilterOptions extends TargetOptions {
  readonly level?: Level
  readonly service?: string
  readonly attr: readonly string[]
  readonly since?: number
  readonly until?: number
  readonly format: EntryFormat
}

const syntax = `
Words must all occur, in the message, the service or the attributes; "a phrase", begin*, -without, this OR that.
Put -- before words that begin with a dash.`

export function addLogCommands(program: Command): void {
  const time = (text: string): number => timeOrAgo(text, Date.now())
  const target = (command: Command): Command =>
    command.addOption(databaseOption()).option('--table <name>', 'the log table', 'logs')
  const filtered = (command: Command): Command =>
    target(command)
      .addOption(new Option('--level <name>', 'this level or a more severe one').choices(LEVELS))
      .option('--service <name>', 'of this service only')
      .option('--attr <name=value>', 'with this attribute (several: all of them)', collect, [])
      .option('--since <time>', 'not older: a time, or how long ago, such as 15m', time)
      .option('--until <time>', 'older than this', time)
      .addOption(
        new Option('--format <name>', 'how entries are printed').choices(ENTRY_FORMATS).default('text'),
      )

  filtered(
    program.command('search').description('print the newest log entries that match').argument('[words...]'),
  )
    .option('--limit <count>', 'at most so many', wholeNumber, 100)
    .option('--before <id>', 'older than this one: for the next page', wholeNumber)
    .addHelpText('after', syntax)
    .action(async (words: string[], options: FilterOptions & { limit: number; before?: number }) => {
      const { limit, before, format } = options
      const from = before === undefined ? undefined : String(before)
      await searchLogs(logsOf('search', options), filterOf(words.join(' '), options), {
        limit,
        before: from,
        format,
      })
    })

  filtered(program.command('tail').description('print the newest log entries, and go on with what comes'))
    .option('-f, --follow', 'go on until it is stopped', false)
    .option('-q, --query <words>', 'only what matches')
    .option('-n, --lines <count>', 'begin with so many', wholeNumber, 20)
    .addHelpText('after', syntax)
    .action(async (options: FilterOptions & { follow: boolean; query?: string; lines: number }) => {
      const { lines, follow, format, query } = options
      if (lines > 1_000)
        throw new CommandError(EXIT.usage, '--lines can be 1,000 at most.', 'See: npx tidemark search')
      process.exitCode = await tailLogs(logsOf('tail', options), filterOf(query, options), {
        lines,
        follow,
        format,
      })
    })

  target(program.command('cleanup').description('delete old log entries'))
    .option('--max-age <duration>', 'those that are older, such as 30d', duration)
    .option(
      '--max-size <size>',
      'the oldest, until the database has no more than this in use, such as 2GB',
      size,
    )
    .action(async (options: TargetOptions & { maxAge?: number; maxSize?: number }) => {
      const { maxAge, maxSize } = options
      if (maxAge === undefined && maxSize === undefined)
        throw new CommandError(
          EXIT.usage,
          'cleanup needs --max-age or --max-size.',
          'Such as: npx tidemark cleanup --max-age 30d',
        )
      process.exitCode = await cleanLogs(logsOf('cleanup', options), {
        ...(maxAge !== undefined && { maxAgeMs: maxAge }),
        ...(maxSize !== undefined && { maxBytes: maxSize }),
      })
    })

  target(program.command('status').description('tell what is in a database; changes nothing'))
    .option('--json', 'as one JSON object', false)
    .action((options: TargetOptions & { json: boolean }) =>
      showStatus(options.store, options.table, options.json),
    )
}

/** @throws CommandError for PostgreSQL: the log store with its full-text index is SQLite's */
function logsOf(command: string, { store, table }: TargetOptions): LogTarget {
  const select = `select * from ${table} where message ilike '%word%' order by id desc limit 100`
  const instead =
    command === 'cleanup'
      ? `Delete by SQL: delete from ${table} where ts < now() - interval '30 days'`
      : `Search by SQL: npx tidemark query "${select}" --store ${store.name}`
  return { database: requireFile(store, command, instead), table }
}

function filterOf(text: string | undefined, { level, service, attr, since, until }: FilterOptions): Filter {
  return {
    ...(text !== undefined && text.trim() !== '' && { text }),
    ...(level !== undefined && { level }),
    ...(service !== undefined && { service }),
    ...(attr.length > 0 && { attributes: attributesOf(attr) }),
    ...(since !== undefined && { fromMs: since }),
    ...(until !== undefined && { toMs: until }),
  }
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value]
}
