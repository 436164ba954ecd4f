/**
 * Reads on a replica that has come as far as the read must have seen; where none has, what is waited for, and for how
 * long.
 *
 * Keeps: law 6. Rows come only from a snapshot that holds everything required; and what no replica can ever show,
 * because it is lost, is told at once, by the database itself.
 *
 *   asking ──fresh──▶ rows
 *     │ └──behind──▶ not committed anywhere yet: waiting for its writer, on the database itself
 *     │                 └──committed──▶ asking again, a few times a millisecond
 *     │                                    └──`waitMs` is over──▶ the database itself, or on to the deadline
 *     └──none can be read──────────────────────────────────────▶ the same
 */
import type { LogPosition } from '../contracts/position.ts'
import type { OpenedStore, QueryResult, ReplicaSnapshot, Replicas, SqlQuery } from '../contracts/store.ts'
import { NotSupportedError, StoreError, unprefixed } from '../errors.ts'
import { nothing } from '../sql/text.ts'
import type { Marks } from './bookmark.ts'
import type { Deadline } from './deadline.ts'
import type { OtherWriters } from './other-writers.ts'

/** What a read must have seen. */
export interface Required {
  readonly marks: Marks
  readonly seen: LogPosition | undefined
}

export type FreshCopy = ReplicaSnapshot & { readonly result: QueryResult }

/** So many looks follow each other without a pause: what was just committed arrives within a millisecond or two. */
const eagerLooks = 4
const maxPauseMs = 5

export class ReplicaReads {
  /** Reads that a replica answered, and those that the database itself did in its place. */
  reads = 0
  fallbacks = 0
  readonly #store: OpenedStore
  readonly #others: OtherWriters

  constructor(store: OpenedStore, others: OtherWriters) {
    this.#store = store
    this.#others = others
  }

  /** @throws NotSupportedError where there are none */
  require(): Replicas {
    if (this.#store.replicas) return this.#store.replicas
    throw new NotSupportedError(
      'this store has no replicas to read from.',
      'Give `postgres()` their addresses as `replicas`, or leave out `from`.',
    )
  }

  /**
   * @returns undefined where the database itself is to be read instead
   * @throws StaleReadError at the deadline; TidemarkError `POSITION_LOST`, `BOOKMARK_EXPIRED`; StoreError when the query
   *   is at fault, or when nothing is required, no replica can be read and the database itself must not be
   */
  async read(query: SqlQuery, required: Required, deadline: Deadline): Promise<FreshCopy | undefined> {
    const { waitMs, fallBack } = this.require()
    const asksOnce = required.marks.size === 0 && required.seen === undefined
    let beganMs = 0
    for (let looks = 1; ; looks++) {
      const found = await this.#look(query, required, deadline)
      if (isFresh(found)) {
        this.reads++
        return found
      }
      if (found instanceof StoreError && asksOnce && !fallBack) throw found
      if (looks === 1) {
        await this.#whenCommitted(required, deadline)
        beganMs = deadline.elapsedMs
      }
      const waitedMs = deadline.elapsedMs - beganMs
      // Half of the time is left for the database itself; and who cannot be read is not waited for.
      const isOver = waitedMs >= Math.min(waitMs, deadline.leftMs)
      if (fallBack && (isOver || found instanceof StoreError)) {
        this.fallbacks++
        return undefined
      }
      if (looks > eagerLooks)
        await deadline.pause(Math.min(looks - eagerLooks, maxPauseMs), () => describe(found, required))
    }
  }

  async #look(
    query: SqlQuery,
    { marks, seen }: Required,
    deadline: Deadline,
  ): Promise<ReplicaSnapshot | StoreError> {
    try {
      const required = [...marks].map(([epoch, seq]) => ({ epoch, seq }))
      const found = await this.require().snapshot(query, required, seen, deadline)
      this.#others.sawCopy(found)
      return found
    } catch (error) {
      if (error instanceof StoreError && error.failure === 'transient') return error
      throw error
    }
  }

  /** What other writers have not committed no replica will show, and only the database itself tells what is lost. */
  async #whenCommitted({ marks }: Required, deadline: Deadline): Promise<void> {
    const missing = this.#others.uncommitted(marks)
    if (missing.length > 0) await this.#others.read(nothing, missing, deadline)
  }
}

function isFresh(found: ReplicaSnapshot | StoreError): found is FreshCopy {
  return !(found instanceof StoreError) && found.result !== undefined
}

function describe(found: ReplicaSnapshot | StoreError, { marks, seen }: Required): string {
  if (found instanceof StoreError) return unprefixed(found.message)
  const { replica, tidemarks, shown } = found
  for (const [epoch, seq] of marks) {
    const there = tidemarks.find((tidemark) => tidemark.epoch === epoch)
    if (!there) return `replica ${replica} had not shown epoch ${epoch}`
    if (there.watermark < seq)
      return `replica ${replica} had shown ${there.watermark} of ${seq} of writer "${there.writer}"`
  }
  return `replica ${replica} had replayed ${shown.lsn} of ${seen?.lsn} bytes of the log`
}
