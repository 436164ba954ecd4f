/**
 * Follows the table in the order of ids: what is committed, once each, from any process.
 *
 * A consumer pulls, so a slow one costs nothing but its own time: it reads on from where it was, and misses nothing but
 * what was deleted meanwhile. How it could break: an id that is committed behind one already given would be passed over.
 * SQLite has one writer at a time and gives each row a higher id than all before, so there is none; an insert that names
 * a lower id itself is not followed.
 */
import type { Arrivals, Extent } from './arrivals.ts'
import { ENTRY_OF_L, entryOf, type StoredEntry } from './entry.ts'
import { conditionsOf, type Filter } from './filter.ts'
import { readIndexed } from './generations.ts'
import type { LogEngine, LogTable } from './table.ts'

type Row = Readonly<Record<string, unknown>>

/** Rows read at once. */
const pageSize = 500

export interface TailContext {
  readonly db: LogEngine
  readonly table: LogTable
  readonly arrivals: Arrivals
}

/** @param after the last id that the consumer has; undefined: begin with what comes now */
export async function* tail(
  { db, table, arrivals }: TailContext,
  filter: Filter,
  after: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<StoredEntry, void, undefined> {
  const { usesIndex, sqlOver, parameters, id } = conditionsOf(table, filter)
  const page = async (from: number, upTo: number, index: string): Promise<readonly Row[]> => {
    const text = `SELECT ${ENTRY_OF_L} ${sqlOver(index)} AND ${id} > ? AND ${id} <= ? ORDER BY ${id} LIMIT ${pageSize}`
    return (await db.query({ sql: text, parameters: [...parameters, from, upTo] }, 'eventual')).rows
  }
  const reach = ({ newest, indexed }: Extent): number => (usesIndex ? Math.min(newest, indexed) : newest)
  let extent = await arrivals.extent()
  let last = after ?? extent.newest
  while (!signal.aborted) {
    const upTo = reach(extent)
    if (upTo < last && extent.newest < last) {
      // The newest rows were deleted, and their ids are given again.
      last = extent.newest
    }
    while (last < upTo && !signal.aborted) {
      const from = last
      const { rows, end } = usesIndex
        ? await readIndexed(db, table, from + 1, async (generation) => {
            const to = Math.min(upTo, generation.upTo)
            return { rows: await page(from, to, generation.index), end: to }
          })
        : { rows: await page(from, upTo, ''), end: upTo }
      for (const row of rows) {
        if (signal.aborted) return
        yield entryOf(row)
      }
      last = rows.length < pageSize ? end : Number(rows.at(-1)?.['id'])
    }
    try {
      extent = await arrivals.next(signal)
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
  }
}
