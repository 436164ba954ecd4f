/**
 * Finds entries, newest first, in slices of ids: no statement runs long, a search for
 * what is rare can be ended in between, and one that is given up stops. https://www.sqlite.org/fts5.html finds a range of ids at once.
 *
 * Keeps: law 6. The first look has the level asked for; everything after it is older rows of the same table.
 */
import type { Runtime } from '../contracts/runtime.ts'
import type { Value } from '../contracts/values.ts'
import { TidemarkError } from '../errors.ts'
import type { Consistency } from '../reads/read-options.ts'
import { ENTRY_OF_L, entryOf, type StoredEntry } from './entry.ts'
import { conditionsOf, type Conditions, type Filter } from './filter.ts'
import { readIndexed } from './generations.ts'
import { indexedUpToSql, type LogEngine, type LogTable } from './table.ts'

export interface SearchQuery extends Filter {
  /** `next` of the page before. */
  readonly before?: string
  /** Entries at most, up to 1,000. Default 100. */
  readonly limit?: number
  /** Default `eventual`; with `after`, `readAfterWrite`. */
  readonly consistency?: Consistency
  /** Bookmarks whose writes must be among what is searched. */
  readonly after?: string | readonly string[]
  /** After so long it gives what it has found, and `next` to go on. In ms. Default 5,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface SearchPage {
  /** Newest first, by id. */
  readonly entries: readonly StoredEntry[]
  /** `before` for the next page; absent when everything was searched. */
  readonly next?: string
  /** Rows that the full-text index has not reached yet; a filter by anything but time did not see them. */
  readonly unindexed: number
  /** What the search has seen, for later reads. */
  readonly bookmark: string
}

export interface SearchContext {
  readonly db: LogEngine
  readonly table: LogTable
  readonly runtime: Runtime
}

const defaultLimit = 100
const maxLimit = 1_000
/** The newest rows first, then four times as many with each step. */
const firstSlice = 50_000
const largestSlice = 2_000_000
/** A time that covers no more rows than this is first turned into a range of ids. */
const narrowTime = 100_000

interface Range {
  readonly lowest: number
  readonly highest: number
}

/** @throws TidemarkError `INVALID_CALL`; as `db.query` */
export async function search(context: SearchContext, query: SearchQuery): Promise<SearchPage> {
  const { db, table, runtime } = context
  const limit = limitOf(query.limit)
  const timeoutMs = query.timeoutMs ?? 5_000
  const deadlineMs = runtime.monotonicMs() + timeoutMs
  const conditions = conditionsOf(table, query)
  const session = db.session(query.after ?? [])
  const { rows: looks } = await session.query<{ oldest: number; newest: number; indexed: number }>(
    { sql: extentSql(table), parameters: [] },
    {
      timeoutMs,
      ...(query.signal && { signal: query.signal }),
      ...levelOf(query),
    },
  )
  const { oldest, newest, indexed } = looks[0] ?? { oldest: 0, newest: 0, indexed: 0 }
  const start = Math.min(beforeOf(query.before) ?? Infinity, newest + 1)
  const range = await narrow(context, query, { lowest: oldest, highest: start - 1 })

  const entries: StoredEntry[] = []
  let before = range.highest + 1
  let slice = firstSlice
  while (before > range.lowest && entries.length < limit) {
    query.signal?.throwIfAborted()
    const wanted = { lowest: Math.max(range.lowest, before - slice), highest: before - 1 }
    const { found, lowest } = await readSlice(context, conditions, wanted, limit - entries.length)
    entries.push(...found)
    before = entries.length < limit ? lowest : (entries.at(-1)?.id ?? lowest)
    slice = Math.min(slice * 4, largestSlice)
    if (runtime.monotonicMs() > deadlineMs) break
  }
  return {
    entries,
    ...(before > range.lowest && { next: String(before) }),
    unindexed: Math.max(0, newest - indexed),
    bookmark: session.bookmark,
  }
}

/** What of a slice one generation of the index holds, and where that ends. */
async function readSlice(
  { db, table }: SearchContext,
  { usesIndex, sqlOver, parameters, id }: Conditions,
  { lowest, highest }: Range,
  limit: number,
): Promise<{ found: StoredEntry[]; lowest: number }> {
  const read = async (index: string, from: number): Promise<{ found: StoredEntry[]; lowest: number }> => {
    const text = `SELECT ${ENTRY_OF_L} ${sqlOver(index)} AND ${id} >= ? AND ${id} <= ? ORDER BY ${id} DESC LIMIT ?`
    const values: Value[] = [...parameters, from, highest, limit]
    const { rows } = await db.query({ sql: text, parameters: values }, 'eventual')
    return { found: rows.map(entryOf), lowest: from }
  }
  if (!usesIndex) return await read('', lowest)
  return await readIndexed(db, table, highest, ({ index, after }) => read(index, Math.max(lowest, after + 1)))
}

/** Few rows of a time far back are found by the index on time rather than by going through all since. */
async function narrow({ db, table }: SearchContext, filter: Filter, range: Range): Promise<Range> {
  const { fromMs, toMs } = filter
  if (fromMs === undefined && toMs === undefined) return range
  const { rows } = await db.query<{ lowest: number | null; highest: number | null; count: number }>(
    {
      sql:
        `SELECT min(id) AS lowest, max(id) AS highest, count(*) AS count FROM ` +
        `(SELECT id FROM ${table.name} WHERE ts >= ? AND ts < ? LIMIT ${narrowTime + 1})`,
      parameters: [fromMs ?? Number.MIN_SAFE_INTEGER, toMs ?? Number.MAX_SAFE_INTEGER],
    },
    'eventual',
  )
  const { lowest, highest, count } = rows[0] ?? { lowest: null, highest: null, count: 0 }
  if (count > narrowTime) return range
  if (lowest === null || highest === null) return { lowest: range.highest + 1, highest: range.highest }
  return { lowest: Math.max(range.lowest, lowest), highest: Math.min(range.highest, highest) }
}

function extentSql(table: LogTable): string {
  const { name } = table
  return (
    `SELECT coalesce((SELECT min(id) FROM ${name}), 0) AS oldest, coalesce((SELECT max(id) FROM ${name}), 0) AS newest, ` +
    `${indexedUpToSql(table)} AS indexed`
  )
}

function levelOf({ consistency, after }: SearchQuery): { consistency?: Consistency } {
  if (consistency !== undefined) return { consistency }
  return after === undefined ? { consistency: 'eventual' } : {}
}

function limitOf(limit = defaultLimit): number {
  if (Number.isSafeInteger(limit) && limit > 0 && limit <= maxLimit) return limit
  throw new TidemarkError('INVALID_CALL', `limit must be a whole number from 1 to ${maxLimit}, not ${limit}.`)
}

function beforeOf(before: string | undefined): number | undefined {
  if (before === undefined) return undefined
  if (/^\d{1,15}$/.test(before)) return Number(before)
  throw new TidemarkError('INVALID_CALL', 'before must be the `next` of a page.')
}
