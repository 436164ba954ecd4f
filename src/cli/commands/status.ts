/** `tidemark status`: what is in a database, by a look that changes nothing. */
import { statSync } from 'node:fs'
import { sizeSql } from '../../logs/retention.ts'
import { indexedUpToSql, logTable } from '../../logs/table.ts'
import { ask, type BookkeepingSource } from '../../writes/bookkeeping.ts'
import type { Database } from '../database.ts'
import { hasTable, lookInto } from '../look-into.ts'
import { count } from '../terminal/progress.ts'
import { sizeText } from '../units.ts'

interface Status {
  readonly database: string
  readonly bytes: number
  readonly usedBytes: number
  readonly walBytes: number
  /** Undefined: the table is not there. */
  readonly logs:
    | {
        readonly table: string
        readonly newestId: number
        /** By ids, which have few gaps. */
        readonly entries: number
        readonly oldestMs: number | null
        readonly newestMs: number | null
        /** Null: there is no full-text index; on PostgreSQL never. */
        readonly unindexed: number | null
      }
    | undefined
  readonly deadLetters: number
  readonly openWriters: readonly {
    readonly writer: string
    readonly tidemark: number
    readonly sinceMs: number
  }[]
  readonly checkpoints: number
}

export async function showStatus(database: Database, table: string, isJson: boolean): Promise<void> {
  const status = await lookInto(database, (source) => statusOf(source, database, table))
  process.stdout.write(isJson ? `${JSON.stringify(status)}\n` : textOf(status, database.kind))
}

async function statusOf(source: BookkeepingSource, database: Database, table: string): Promise<Status> {
  const one = async (sql: string): Promise<Record<string, unknown>> => (await ask(source, sql, []))[0] ?? {}
  const rowsOf = async (name: string): Promise<number> =>
    (await hasTable(source, name)) ? Number((await one(`SELECT count(*) AS n FROM ${name}`))['n']) : 0
  const writers = (await hasTable(source, 'tidemark_writers'))
    ? await ask(
        source,
        'SELECT writer, watermark, opened_at FROM tidemark_writers WHERE closed = 0 ORDER BY opened_at',
        [],
      )
    : []
  const size = await one(source.dialect === 'sqlite' ? sizeSql : serverSizeSql)
  const used = Number(size['used'])
  return {
    database: database.name,
    bytes: database.kind === 'sqlite' ? bytesOf(database.path) : used,
    usedBytes: used,
    walBytes: database.kind === 'sqlite' ? bytesOf(`${database.path}-wal`) : 0,
    logs: (await hasTable(source, table)) ? await logsOf(source, table) : undefined,
    deadLetters: await rowsOf('tidemark_dead_letters'),
    openWriters: writers.map((row) => ({
      writer: String(row['writer']),
      tidemark: Number(row['watermark']),
      sinceMs: Number(row['opened_at']),
    })),
    checkpoints: await rowsOf('tidemark_checkpoints'),
  }
}

const serverSizeSql = 'SELECT pg_database_size(current_database()) AS used'

function bytesOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

async function logsOf(source: BookkeepingSource, table: string): Promise<Status['logs']> {
  const { name } = logTable(table)
  const isIndexed = source.dialect === 'sqlite' && (await hasTable(source, `${table}_text_generations`))
  const columns = new Set(
    (
      await ask(
        source,
        source.dialect === 'sqlite'
          ? 'SELECT name FROM pragma_table_info(?)'
          : 'SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(?))',
        [table],
      )
    ).map((row) => row['name']),
  )
  if (!columns.has('id') || !columns.has('ts')) return undefined
  // Whether a server's table has an index by time, nobody knows: there the first and the last row must do.
  const timeOf = (which: 'min' | 'max'): string =>
    source.dialect === 'sqlite'
      ? `SELECT ${which}(ts) FROM ${name}`
      : `SELECT ts FROM ${name} ORDER BY id ${which === 'min' ? 'ASC' : 'DESC'} LIMIT 1`
  const [row = {}] = await ask(
    source,
    `SELECT (SELECT min(id) FROM ${name}) AS oldest, (SELECT max(id) FROM ${name}) AS newest, ` +
      `(${timeOf('min')}) AS oldest_ms, (${timeOf('max')}) AS newest_ms, ` +
      (isIndexed ? indexedUpToSql(logTable(table)) : 'NULL') +
      ' AS indexed',
    [],
  )
  const newest = Number(row['newest'] ?? 0)
  return {
    table,
    newestId: newest,
    entries: newest === 0 ? 0 : newest - Number(row['oldest']) + 1,
    oldestMs: msOf(row['oldest_ms']),
    newestMs: msOf(row['newest_ms']),
    unindexed: isIndexed ? Math.max(0, newest - Number(row['indexed'] ?? 0)) : null,
  }
}

/** A time, or what says it in ms. */
function msOf(value: unknown): number | null {
  return value === null ? null : Number(value)
}

function textOf(
  { database, bytes, usedBytes, walBytes, logs, deadLetters, openWriters, checkpoints }: Status,
  kind: Database['kind'],
): string {
  const lines: (readonly [string, string])[] = [
    [
      'database',
      kind === 'sqlite'
        ? `${database}, ${sizeText(bytes)} (${sizeText(usedBytes)} in use), log ${sizeText(walBytes)}`
        : `${database}, ${sizeText(bytes)}`,
    ],
    ...(logs ? logLines(logs, kind) : [['logs', 'no log table'] as const]),
    [
      'dead letters',
      deadLetters === 0 ? 'none' : `${count(deadLetters)}; npx tidemark dead-letters --db ${database}`,
    ],
    ['checkpoints', checkpoints === 0 ? 'none' : `${count(checkpoints)} sources ingested`],
    ...(openWriters.length === 0 ? [['writers', 'none open'] as const] : []),
    ...openWriters.map(
      ({ writer, tidemark, sinceMs }) =>
        [
          'writer',
          `${writer}, at ${count(tidemark)}, open since ${new Date(sinceMs).toISOString()}`,
        ] as const,
    ),
  ]
  return lines.map(([name, value]) => `${name.padEnd(13)} ${value}\n`).join('')
}

function logLines(
  { table, entries, oldestMs, newestMs, unindexed }: NonNullable<Status['logs']>,
  kind: Database['kind'],
): (readonly [string, string])[] {
  const time = (ms: number | null): string => (ms === null ? '-' : new Date(ms).toISOString())
  const index =
    unindexed === null
      ? 'none; the first search makes it'
      : unindexed === 0
        ? 'complete'
        : `${count(unindexed)} rows behind`
  return [
    ['logs', `about ${count(entries)} in "${table}"`],
    ['times', `${time(oldestMs)} to ${time(newestMs)}`],
    ...(kind === 'sqlite' ? [['search index', index] as const] : []),
  ]
}
