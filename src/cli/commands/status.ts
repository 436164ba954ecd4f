/** `tidemark status`: what is in a database, by a look that changes nothing. */
import { existsSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { sizeSql } from '../../logs/retention.ts'
import { indexedUpToSql, logTable } from '../../logs/table.ts'
import { openReadonly } from '../readonly-database.ts'
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
        /** Null: there is no full-text index. */
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

export function showStatus(database: string, table: string, isJson: boolean): void {
  const opened = openReadonly(database)
  try {
    const status = statusOf(opened, database, table)
    process.stdout.write(isJson ? `${JSON.stringify(status)}\n` : textOf(status))
  } finally {
    opened.close()
  }
}

function statusOf(opened: DatabaseSync, database: string, table: string): Status {
  const tables = new Set(
    opened
      .prepare('SELECT name FROM sqlite_schema')
      .all()
      .map(({ name }) => name),
  )
  const one = (sql: string): Record<string, unknown> => opened.prepare(sql).get() ?? {}
  const number = (sql: string): number => Number(one(sql)['n'] ?? 0)
  const size = one(sizeSql)
  return {
    database,
    bytes: statSync(database).size,
    usedBytes: Number(size['used']),
    walBytes: existsSync(`${database}-wal`) ? statSync(`${database}-wal`).size : 0,
    logs: tables.has(table) ? logsOf(opened, table, tables.has(`${table}_text_generations`)) : undefined,
    deadLetters: tables.has('tidemark_dead_letters')
      ? number('SELECT count(*) AS n FROM tidemark_dead_letters')
      : 0,
    openWriters: tables.has('tidemark_writers')
      ? opened
          .prepare(
            'SELECT writer, watermark, opened_at FROM tidemark_writers WHERE closed = 0 ORDER BY opened_at',
          )
          .all()
          .map((row) => ({
            writer: String(row['writer']),
            tidemark: Number(row['watermark']),
            sinceMs: Number(row['opened_at']),
          }))
      : [],
    checkpoints: tables.has('tidemark_checkpoints')
      ? number('SELECT count(*) AS n FROM tidemark_checkpoints')
      : 0,
  }
}

function logsOf(opened: DatabaseSync, table: string, isIndexed: boolean): Status['logs'] {
  const { name } = logTable(table)
  const columns = new Set(
    opened
      .prepare('SELECT name FROM pragma_table_info(?)')
      .all(table)
      .map((row) => row['name']),
  )
  if (!columns.has('id') || !columns.has('ts')) return undefined
  const row =
    opened
      .prepare(
        `SELECT (SELECT min(id) FROM ${name}) AS oldest, (SELECT max(id) FROM ${name}) AS newest, ` +
          `(SELECT min(ts) FROM ${name}) AS oldest_ms, (SELECT max(ts) FROM ${name}) AS newest_ms, ` +
          (isIndexed ? indexedUpToSql(logTable(table)) : 'NULL') +
          ' AS indexed',
      )
      .get() ?? {}
  const newest = Number(row['newest'] ?? 0)
  return {
    table,
    newestId: newest,
    entries: newest === 0 ? 0 : newest - Number(row['oldest']) + 1,
    oldestMs: row['oldest_ms'] === null ? null : Number(row['oldest_ms']),
    newestMs: row['newest_ms'] === null ? null : Number(row['newest_ms']),
    unindexed: isIndexed ? Math.max(0, newest - Number(row['indexed'] ?? 0)) : null,
  }
}

function textOf({
  database,
  bytes,
  usedBytes,
  walBytes,
  logs,
  deadLetters,
  openWriters,
  checkpoints,
}: Status): string {
  const lines: (readonly [string, string])[] = [
    [
      'database',
      `${database}, ${sizeText(bytes)} (${sizeText(usedBytes)} in use), log ${sizeText(walBytes)}`,
    ],
    ...(logs ? logLines(logs) : [['logs', 'no log table'] as const]),
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

function logLines({ table, entries, oldestMs, newestMs, unindexed }: NonNullable<Status['logs']>) {
  const time = (ms: number | null): string => (ms === null ? '-' : new Date(ms).toISOString())
  const index =
    unindexed === null
      ? 'none; the first search makes it'
      : unindexed === 0
        ? 'complete'
        : `${count(unindexed)} rows behind`
  return [
    ['logs', `about ${count(entries)} in "${table}"`] as const,
    ['times', `${time(oldestMs)} to ${time(newestMs)}`] as const,
    ['search index', index] as const,
  ]
}
