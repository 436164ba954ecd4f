/**
 * Deletes old entries, a slice at a time, through the engine like any other write. Each commit lets one slice go, twice
 * as large as what was committed: under load every batch pays for its own room and a little more, so it keeps up with
 * any rate and no writer waits for more than a slice. Words leave the index in the same transaction, by a trigger.
 *
 * The newest entry always stays: it keeps SQLite from giving its id again, by which a tail knows where it is.
 */
import type { Runtime } from '../contracts/runtime.ts'
import type { Value } from '../contracts/values.ts'
import { QueueFullError } from '../errors.ts'
import type { Receipt } from '../writes/receipt.ts'
import type { LogEngine, LogTable } from './table.ts'

export interface Retention {
  /** Entries whose time is further back than this are deleted, in ms. */
  readonly maxAgeMs?: number
  /**
   * While more of the database is in use than this, the oldest entries are deleted, in bytes. The whole database
   * counts, the log's part of it shrinks; the file keeps its size, and new rows take the room. By itself it is kept a
   * tenth below.
   */
  readonly maxBytes?: number
}

export interface Cleanup {
  readonly deleted: number
  /** In use when it was through. */
  readonly usedBytes: number
}

export interface RetentionContext {
  readonly db: LogEngine
  readonly table: LogTable
  readonly runtime: Runtime
}

/** Bytes of the database that are in use, and room in its file. */
export const sizeSql: string =
  'SELECT (page_count - freelist_count) * page_size AS used, freelist_count * page_size AS free ' +
  'FROM pragma_page_count, pragma_freelist_count, pragma_page_size'

/** A slice has at least so many rows, a few milliseconds' work, and at most so many, whatever a batch had. */
const smallestSlice = 200
const largestSlice = 2_000
/** Slices on their way at once; with a deep queue each takes a while to have its turn. */
const maxOnTheirWay = 200
/** It deletes a little more than it must, so as not to begin again at once. */
const headroom = 0.98

export async function cleanup(
  context: RetentionContext,
  { maxAgeMs, maxBytes }: Retention,
  signal: AbortSignal | undefined,
): Promise<Cleanup> {
  const { db, table, runtime } = context
  let deleted = 0
  if (maxAgeMs !== undefined) {
    const cutoff = Math.floor(runtime.wallMs() - maxAgeMs)
    const oldest = { ids: `SELECT id FROM ${table.name} WHERE ts < ? ORDER BY ts`, parameters: [cutoff] }
    deleted += await new Deletion(context, oldest, signal).run(Number.POSITIVE_INFINITY)
  }
  let used = await usedBytes(db)
  const first = { ids: `SELECT id FROM ${table.name} ORDER BY id`, parameters: [] }
  const limit = maxBytes ?? Number.POSITIVE_INFINITY
  while (used > limit) {
    const rows = Math.ceil(((used - headroom * limit) / used) * (await countRows(context)))
    const gone = await new Deletion(context, first, signal).run(rows)
    deleted += gone
    used = await usedBytes(db)
    if (gone === 0) break
  }
  return { deleted, usedBytes: used }
}

export async function sizeOf(db: LogEngine): Promise<{ readonly used: number; readonly free: number }> {
  const { rows } = await db.query<{ used: number; free: number }>(
    { sql: sizeSql, parameters: [] },
    'eventual',
  )
  return rows[0] ?? { used: 0, free: 0 }
}

async function usedBytes(db: LogEngine): Promise<number> {
  return (await sizeOf(db)).used
}

/** By their ids, which have few gaps: to count them would take as long as to read them. */
async function countRows({ db, table }: RetentionContext): Promise<number> {
  const sql = `SELECT coalesce(max(id) - min(id) + 1, 0) AS count FROM ${table.name}`
  const { rows } = await db.query<{ count: number }>({ sql, parameters: [] }, 'eventual')
  return rows[0]?.count ?? 0
}

interface Oldest {
  /** Gives ids, the first to go first. */
  readonly ids: string
  readonly parameters: readonly Value[]
}

class Deletion {
  readonly #context: RetentionContext
  readonly #oldest: Oldest
  readonly #signal: AbortSignal | undefined
  readonly #onTheirWay = new Set<Promise<void>>()
  #size = smallestSlice
  #deleted = 0
  #isExhausted = false
  /** One slice that fails is the end. */
  #failure: Error | undefined
  #wake = (): void => undefined

  constructor(context: RetentionContext, oldest: Oldest, signal: AbortSignal | undefined) {
    this.#context = context
    this.#oldest = oldest
    this.#signal = signal
  }

  /** @returns how many it deleted: `atMost`, or all that there were */
  async run(atMost: number): Promise<number> {
    const { db } = this.#context
    const stopListening = db.on('commit', ({ operations }) => {
      this.#size = Math.min(largestSlice, Math.max(smallestSlice, 2 * operations))
      this.#wake()
    })
    try {
      for (let left = atMost; left > 0 && !this.#isExhausted && !this.#failure;) {
        this.#signal?.throwIfAborted()
        const committed = new Promise<void>((resolve) => (this.#wake = resolve))
        const rows = Math.min(this.#size, left)
        const slice = this.#send(rows)
        if (slice === undefined) {
          await Promise.race([committed, db.ready()])
          continue
        }
        left -= rows
        await (this.#onTheirWay.size < maxOnTheirWay ? Promise.race([committed, slice]) : slice)
      }
    } finally {
      stopListening()
      await Promise.all(this.#onTheirWay)
    }
    if (this.#failure) throw this.#failure
    return this.#deleted
  }

  /**
   * A full queue has room for one at every commit. Who waits until it is not full any more, as producers do, would get
   * one slice for half a queue of theirs: at full rate a database of 400 MB grew to 745 in a minute that way.
   *
   * @returns when it has settled, never rejected; undefined while there is no room
   */
  #send(rows: number): Promise<void> | undefined {
    const { table } = this.#context
    const { ids, parameters } = this.#oldest
    const sql = `DELETE FROM ${table.name} WHERE id IN (${ids} LIMIT ${rows}) AND id < (SELECT max(id) FROM ${table.name})`
    const receipt = this.#accept({ sql, parameters })
    if (receipt === undefined) return undefined
    const slice = receipt
      .then(
        ({ changes = 0 }) => {
          this.#deleted += changes
          if (changes < rows) this.#isExhausted = true
        },
        (error: unknown) => {
          this.#failure ??= error instanceof Error ? error : new Error(String(error))
        },
      )
      .finally(() => this.#onTheirWay.delete(slice))
    this.#onTheirWay.add(slice)
    return slice
  }
  #accept(statement: { readonly sql: string; readonly parameters: readonly Value[] }): Receipt | undefined {
    try {
      return this.#context.db.write(statement)
    } catch (error) {
      if (error instanceof QueueFullError) return undefined
      throw error
    }
  }
}
