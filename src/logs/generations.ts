/**
 * The full-text index in generations: one FTS5 table for so many rows, then the next.
 *
 * Why: in one table for all, deleted words stay until the segments that hold them are merged, and a merge that meets
 * only deleted words is one long transaction: 5.9 seconds were seen at 1.4 million rows. A generation whose rows are all
 * gone is dropped, in milliseconds, and until then nothing of it is touched: its words lead to rows that are not there.
 *
 *   logs_text_1   logs_text_2   logs_text          the newest always has the plain name, so whoever writes,
 *   1 … 250,000   … 500,000     … what comes       in whatever process, needs to know no other
 *
 * How it could break: a reader that looked up which generation holds an id may find it renamed or dropped when it reads.
 * So it looks once more behind its read, and reads again when something has changed (`readIndexed`).
 */
import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import {
  currentSpanSql,
  dropTriggersSql,
  newIndexSql,
  triggerSql,
  type LogEngine,
  type LogTable,
} from './table.ts'

/** Rows with ids above `after`, up to `upTo`. */
export interface Generation {
  /** Its FTS5 table, quoted for SQL. */
  readonly index: string
  readonly after: number
  readonly upTo: number
  readonly isCurrent: boolean
}

/** A merge of its segments, and to drop it, takes a fraction of a second. */
export const GENERATION_ROWS = 250_000

interface Ended {
  readonly generation: number
  readonly lastId: number
}

/** Newest first; they hold all ids between them. */
export async function generationsOf(db: LogEngine, table: LogTable): Promise<Generation[]> {
  const { rows } = await db.query<Ended>({ sql: endedSql(table), parameters: [] }, 'eventual')
  return toGenerations(table, rows)
}

/**
 * Reads from the generation that holds an id, and again when generations have changed meanwhile.
 *
 * @throws what `read` throws
 */
export async function readIndexed<T>(
  db: LogEngine,
  table: LogTable,
  id: number,
  read: (generation: Generation) => Promise<T>,
): Promise<T> {
  for (let generations = await generationsOf(db, table); ;) {
    const generation = holderOf(generations, id)
    const result = await read(generation).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    // One that has ended has its name for good: it can only be dropped, and then there is an error.
    if ('value' in result && !generation.isCurrent) return result.value
    const now = await generationsOf(db, table)
    if (JSON.stringify(now) === JSON.stringify(generations)) {
      if ('value' in result) return result.value
      throw result.error
    }
    generations = now
  }
}

/** Begins a new generation when the newest is full. @returns whether it did */
export async function rotate(
  db: LogEngine,
  table: LogTable,
  rows: number = GENERATION_ROWS,
): Promise<boolean> {
  if ((await rowsOfCurrent(db, table)) < rows) return false
  return await db.transaction(async (trx) => {
    const ended = await endedIn(trx, table)
    const newest = ended[0] ?? { generation: 0, lastId: 0 }
    const { rows: found } = await sql<{ lastId: number }>`
      SELECT coalesce(max(id), 0) AS "lastId" FROM ${sql.raw(table.indexed)}`.execute(trx)
    const lastId = found[0]?.lastId ?? 0
    // Another process may have done it.
    if (lastId - newest.lastId < rows) return false
    const name = sql.raw(table.generationIndex(newest.generation + 1))
    // Else they would be made to follow the table that is renamed.
    for (const text of dropTriggersSql(table)) await sql.raw(text).execute(trx)
    await sql`ALTER TABLE ${sql.raw(table.index)} RENAME TO ${name}`.execute(trx)
    await sql`INSERT INTO ${sql.raw(table.generations)} VALUES (${newest.generation + 1}, ${lastId})`.execute(
      trx,
    )
    for (const text of [...newIndexSql(table), ...triggerSql(table)]) await sql.raw(text).execute(trx)
    return true
  })
}

/**
 * Drops the generations of which no row is left, one in a transaction; and those that reach beyond the newest row, whose
 * ids are given again since somebody deleted them: what is left of them is indexed anew.
 *
 * @returns how many
 */
export async function dropDead(db: LogEngine, table: LogTable, signal: AbortSignal): Promise<number> {
  let dropped = 0
  for (const { index, after, upTo, isCurrent } of (await generationsOf(db, table)).toReversed()) {
    if (isCurrent || signal.aborted || !(await isDead(db, table, after, upTo))) continue
    await db.transaction(async (trx) => {
      await sql`DELETE FROM ${sql.raw(table.generations)} WHERE last_id = ${upTo}`.execute(trx)
      await sql`DROP TABLE IF EXISTS ${sql.raw(index)}`.execute(trx)
    })
    dropped++
  }
  return dropped
}

async function isDead(db: LogEngine, { name }: LogTable, after: number, upTo: number): Promise<boolean> {
  const text =
    `SELECT EXISTS (SELECT 1 FROM ${name} WHERE id > ? AND id <= ?) AS "hasRows", ` +
    `coalesce((SELECT max(id) FROM ${name}), 0) AS newest`
  const query = { sql: text, parameters: [after, upTo] }
  const { rows } = await db.query<{ hasRows: number; newest: number }>(query, 'eventual')
  return rows[0] !== undefined && (rows[0].hasRows === 0 || rows[0].newest < upTo)
}

async function rowsOfCurrent(db: LogEngine, table: LogTable): Promise<number> {
  const text = `SELECT ${currentSpanSql(table)} AS rows`
  const { rows } = await db.query<{ rows: number }>({ sql: text, parameters: [] }, 'eventual')
  return rows[0]?.rows ?? 0
}

function endedSql({ generations }: LogTable): string {
  return `SELECT generation, last_id AS "lastId" FROM ${generations} ORDER BY generation DESC`
}

async function endedIn(
  trx: Kysely<Record<string, Record<string, unknown>>>,
  table: LogTable,
): Promise<readonly Ended[]> {
  return (await sql.raw<Ended>(endedSql(table)).execute(trx)).rows
}

function toGenerations(table: LogTable, ended: readonly Ended[]): Generation[] {
  const current: Generation = {
    index: table.index,
    after: ended[0]?.lastId ?? 0,
    upTo: Number.MAX_SAFE_INTEGER,
    isCurrent: true,
  }
  const older = ended.map(({ generation, lastId }, at): Generation => ({
    index: table.generationIndex(generation),
    after: ended[at + 1]?.lastId ?? 0,
    upTo: lastId,
    isCurrent: false,
  }))
  return [current, ...older]
}

function holderOf(generations: readonly Generation[], id: number): Generation {
  const holder = generations.find(({ after }) => id > after) ?? generations.at(-1)
  if (holder === undefined) throw new Error('there is always a current generation')
  return holder
}
