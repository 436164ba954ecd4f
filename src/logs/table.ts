/**
 * The log table and its full-text index.
 *
 * The index is FTS5 without content: it holds words and ids, the rows hold the text. It is written by one statement a
 * batch (`derive`), which takes up what is missing behind the newest indexed id: rows of other writers, those of a
 * table that was there before its index, and those of a batch in which it failed. Triggers follow deletes and updates of
 * the newest rows, whoever makes them, so an id that is given again finds no old words; of older ones see `generations.ts`.
 */
import { sql } from 'kysely'
import { TidemarkError } from '../errors.ts'
import type { Tidemark } from '../tidemark.ts'
import { ENTRY_COLUMNS } from './entry.ts'

export type LogEngine = Tidemark<Record<string, Record<string, unknown>>>

/** Names, quoted for SQL. */
export interface LogTable {
  /** As it is called. */
  readonly plainName: string
  readonly name: string
  readonly index: string
  /** Where the index keeps the ids that it has. */
  readonly indexed: string
  readonly byTime: string
  /** Which older generations of the index there are, and the last id of each. */
  readonly generations: string
  /** The index of an older generation. */
  readonly generationIndex: (generation: number) => string
}

/** Rows indexed in one transaction at most, a dozen milliseconds' work. */
export const INDEX_SLICE = 1_000

const indexedColumns = 'message, service, level, attributes'

/** Making an index of a table that is there already takes seconds a million rows. */
const migrationTimeoutMs = 30 * 60_000

export function logTable(name: string): LogTable {
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`
  return {
    plainName: name,
    name: quote(name),
    index: quote(`${name}_text`),
    indexed: quote(`${name}_text_docsize`),
    byTime: quote(`${name}_by_ts`),
    generations: quote(`${name}_text_generations`),
    generationIndex: (generation) => quote(`${name}_text_${generation}`),
  }
}

/** Whether this is how a log table's full-text index was declared. */
export function isLogIndex(table: LogTable, declaration: string): boolean {
  return declaration === createIndexSql(table)
}

/** Rows up to this id are in older generations of the index. */
function endedUpToSql({ generations }: LogTable): string {
  return `coalesce((SELECT max(last_id) FROM ${generations}), 0)`
}

/** Rows up to this id are indexed. */
export function indexedUpToSql(table: LogTable): string {
  return `max(coalesce((SELECT max(id) FROM ${table.indexed}), 0), ${endedUpToSql(table)})`
}

/** How many ids the newest generation spans. */
export function currentSpanSql(table: LogTable): string {
  return `${indexedUpToSql(table)} - ${endedUpToSql(table)}`
}

/** Indexes the next rows that are not. */
export function indexSql(table: LogTable, limit: number): string {
  const { name, index } = table
  return (
    `INSERT INTO ${index} (rowid, ${indexedColumns}) SELECT id, ${indexedColumns} FROM ${name} ` +
    `WHERE id > ${indexedUpToSql(table)} ORDER BY id LIMIT ${limit}`
  )
}

/**
 * Makes what is missing: the table, its index by time, the full-text index, the triggers.
 *
 * @throws TidemarkError `UNKNOWN_COLUMN` when a table of this name is there that cannot hold logs, `INVALID_CALL` when
 *   the names that the index needs are taken
 */
export async function prepareTable(db: LogEngine, table: LogTable): Promise<void> {
  await db.transaction(
    async (trx) => {
      const run = async (text: string): Promise<void> => void (await sql.raw(text).execute(trx))
      const declarationOf = async (name: string): Promise<string | undefined> => {
        const { rows } = await sql<{
          sql: string
        }>`SELECT sql FROM sqlite_schema WHERE name = ${name}`.execute(trx)
        return rows[0]?.sql
      }
      await run(
        `CREATE TABLE IF NOT EXISTS ${table.name} (id INTEGER PRIMARY KEY, ts INTEGER, level TEXT, service TEXT, message TEXT, attributes TEXT)`,
      )
      if (!isRowid.test((await declarationOf(table.plainName)) ?? '')) throw otherColumns(table)
      await run(`SELECT ${ENTRY_COLUMNS.join(', ')} FROM ${table.name} LIMIT 0`).catch((error: unknown) => {
        throw otherColumns(table, error)
      })
      await run(`CREATE INDEX IF NOT EXISTS ${table.byTime} ON ${table.name} (ts)`)
      await run(
        `CREATE TABLE IF NOT EXISTS ${table.generations} (generation INTEGER PRIMARY KEY, last_id INTEGER NOT NULL)`,
      )
      const index = await declarationOf(`${table.plainName}_text`)
      if (index === undefined) for (const text of newIndexSql(table)) await run(text)
      else if (!isLogIndex(table, index)) throw taken(table)
      for (const text of triggerSql(table)) await run(text)
    },
    { timeoutMs: migrationTimeoutMs },
  )
}

/** Ids that rise with every insert, as only such a column makes them. */
const isRowid = /\bid\b["'`\]]?\s+INTEGER\s+PRIMARY\s+KEY(?!\s+DESC)/i

function otherColumns({ plainName }: LogTable, cause?: unknown): TidemarkError {
  return new TidemarkError('UNKNOWN_COLUMN', `table "${plainName}" cannot hold logs: it has other columns.`, {
    cause,
    hint: `It needs ${ENTRY_COLUMNS.join(', ')}, with id as its INTEGER PRIMARY KEY. Name another table with \`table\`.`,
  })
}

function createIndexSql({ index }: LogTable): string {
  return `CREATE VIRTUAL TABLE ${index} USING fts5(${indexedColumns}, content='', contentless_delete=1)`
}

/**
 * Segments of which half is deleted are merged: with the default of a tenth, a delete of 500 rows took 1,013 ms at the
 * 99th percentile, with a half 32 ms and a fifth of the time in all (400,000 rows, deleted from the oldest on).
 * Merging many small segments at once, rather than few at a time, costs less a row and never makes one commit wait for
 * a large merge: measured with 2 million rows in batches of 100, 80,000 rows/s and 171 ms at the worst, against
 * 68,000 and 309 ms with the defaults of 4 and 16.
 */
export function newIndexSql(table: LogTable): string[] {
  return [
    createIndexSql(table),
    `INSERT INTO ${table.index} (${table.index}, rank) VALUES ('automerge', 16)`,
    `INSERT INTO ${table.index} (${table.index}, rank) VALUES ('crisismerge', 64)`,
    `INSERT INTO ${table.index} (${table.index}, rank) VALUES ('deletemerge', 50)`,
  ]
}

export function triggerSql(table: LogTable): string[] {
  const { name, index, indexed } = table
  const values = `new.id, ${indexedColumns
    .split(', ')
    .map((column) => `new.${column}`)
    .join(', ')}`
  const older = endedUpToSql(table)
  // What is behind the newest indexed id is still to be indexed, as it will be then.
  const isIndexed = `new.id > ${older} AND new.id <= (SELECT max(id) FROM ${indexed})`
  return [
    `CREATE TRIGGER IF NOT EXISTS ${triggerName(table, 'delete')} AFTER DELETE ON ${name} WHEN old.id > ${older} ` +
      `BEGIN DELETE FROM ${index} WHERE rowid = old.id; END`,
    `CREATE TRIGGER IF NOT EXISTS ${triggerName(table, 'update')} AFTER UPDATE OF id, ${indexedColumns} ON ${name} ` +
      `WHEN max(old.id, new.id) > ${older} BEGIN ` +
      `INSERT INTO ${index} (rowid, ${indexedColumns}) SELECT ${values} WHERE ${isIndexed} AND new.id <> old.id; ` +
      `DELETE FROM ${index} WHERE rowid = old.id; ` +
      `INSERT INTO ${index} (rowid, ${indexedColumns}) SELECT ${values} WHERE ${isIndexed} AND new.id = old.id; END`,
  ]
}

export function dropTriggersSql(table: LogTable): string[] {
  return ['delete', 'update'].map((event) => `DROP TRIGGER IF EXISTS ${triggerName(table, event)}`)
}

function triggerName({ plainName }: LogTable, event: string): string {
  return `"${`${plainName}_text_${event}`.replaceAll('"', '""')}"`
}

function taken({ plainName, index }: LogTable): TidemarkError {
  return new TidemarkError(
    'INVALID_CALL',
    `${index}, which the full-text index of "${plainName}" needs as its name, is taken by something else.`,
    { hint: 'Rename or drop it, or name another table with `table`.' },
  )
}
