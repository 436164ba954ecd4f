/**
 * Waits for positions of other writers, whose tidemarks only the database tells.
 *
 * Owns: what is known of other epochs, and since when a writer that somebody waits for is silent.
 * Keeps: law 6. A query runs in the very snapshot whose tidemarks hold what was required. A position beyond the
 * final tidemark of an ended epoch is lost, one of a forgotten epoch has expired; both are told at once.
 *
 *   asking ──snapshot holds it──▶ read
 *     ▲ │ └──epoch ended, or not known──▶ POSITION_LOST, BOOKMARK_EXPIRED
 *     │ └──not yet──▶ pausing ──deadline──▶ StaleReadError
 *     └───────────────┘ └─silent beyond its lease──▶ its epoch is ended here, and asked again
 *
 * How it could break: a writer that lives could be taken for dead. So its silence is counted by this process's
 * own clock that never jumps, from when it was first seen; a writer commits within its lease while something is
 * pending; its epoch is ended only if its tidemark still is where it was seen, and only if the write lock was
 * free at once, since who holds it may be that writer. What is ended can commit nothing more, so "lost" is true.
 */
import type { Epoch, Mark, Seq } from '../contracts/position.ts'
import type { Runtime } from '../contracts/runtime.ts'
import type { OpenedStore, Snapshot, SqlQuery, WriterTidemark } from '../contracts/store.ts'
import { StoreError, TidemarkError } from '../errors.ts'
import type { Deadline } from './deadline.ts'

const firstPauseMs = 1
const maxPauseMs = 20
/** Epochs whose tidemarks are remembered. */
const maxKnown = 1_000

/** A snapshot that holds what was required. */
export type FreshSnapshot = Snapshot & { readonly result: NonNullable<Snapshot['result']> }

export class OtherWriters {
  readonly #store: OpenedStore
  readonly #runtime: Runtime
  readonly #known = new Map<Epoch, Seq>()
  readonly #silent = new Map<Epoch, { readonly watermark: Seq; readonly sinceMs: number }>()

  constructor(store: OpenedStore, runtime: Runtime) {
    this.#store = store
    this.#runtime = runtime
  }

  /** Those of the marks of which it is not known that they are committed. */
  unknown(marks: ReadonlyMap<Epoch, Seq>): Mark[] {
    const unknown: Mark[] = []
    for (const [epoch, seq] of marks) {
      const isOwn = epoch === this.#store.epoch
      if (!isOwn && (this.#known.get(epoch) ?? -1) < seq) unknown.push({ epoch, seq })
    }
    return unknown
  }

  /**
   * Runs the query in a snapshot that holds everything required.
   *
   * @throws StaleReadError at the deadline; TidemarkError `POSITION_LOST`, `BOOKMARK_EXPIRED`
   */
  async read(query: SqlQuery, required: readonly Mark[], deadline: Deadline): Promise<FreshSnapshot> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
      const snapshot = await this.#store.snapshot(query, required)
      this.#learn(snapshot)
      if (isFresh(snapshot)) return snapshot
      const missing = required.flatMap((mark) => judge(mark, snapshot))
      if (await this.#endSilent(missing)) continue
      await deadline.pause(pauseMs, () => describe(missing, required))
    }
  }

  #learn({ tidemarks }: Snapshot): void {
    if (this.#known.size > maxKnown) this.#known.clear()
    for (const { epoch, watermark } of tidemarks) this.#known.set(epoch, watermark)
  }

  /** @returns whether some epoch was ended */
  async #endSilent(missing: readonly WriterTidemark[]): Promise<boolean> {
    const nowMs = this.#runtime.monotonicMs()
    let hasEnded = false
    for (const seen of missing) {
      const { epoch, watermark, leaseMs } = seen
      const before = this.#silent.get(epoch)
      if (before?.watermark !== watermark) {
        if (this.#silent.size > maxKnown) this.#silent.clear()
        this.#silent.set(epoch, { watermark, sinceMs: nowMs })
      } else if (nowMs - before.sinceMs >= leaseMs) {
        this.#silent.delete(epoch)
        hasEnded ||= await this.#end(seen)
      }
    }
    return hasEnded
  }

  async #end(seen: WriterTidemark): Promise<boolean> {
    try {
      return await this.#store.endEpoch(seen)
    } catch (error) {
      // The lock is taken, perhaps by that writer: its silence is counted anew.
      if (error instanceof StoreError && error.failure === 'transient') return false
      throw error
    }
  }
}

function isFresh(snapshot: Snapshot): snapshot is FreshSnapshot {
  return snapshot.result !== undefined
}

/** What is missing at a writer that may still commit it. @throws when it never will */
function judge({ epoch, seq }: Mark, { tidemarks, lastEpoch }: Snapshot): WriterTidemark[] {
  const tidemark = tidemarks.find((other) => other.epoch === epoch)
  if (!tidemark) throw epoch > lastEpoch ? neverWas(epoch, lastEpoch) : expired(epoch)
  if (tidemark.watermark >= seq) return []
  if (tidemark.isClosed) throw lost(seq, tidemark)
  return [tidemark]
}

function lost(seq: Seq, { writer, watermark, epoch }: WriterTidemark): TidemarkError {
  return new TidemarkError(
    'POSITION_LOST',
    `position ${seq} of writer "${writer}" is lost: its epoch ${epoch} ended at ${watermark}, before that was committed.`,
    {
      hint: 'The process that accepted the write ended first. Write it again, and drop the bookmark.',
    },
  )
}

function neverWas(epoch: Epoch, lastEpoch: Epoch): TidemarkError {
  return new TidemarkError(
    'POSITION_LOST',
    `the bookmark names epoch ${epoch}, but this database has come to ${lastEpoch} only: it went back in time.`,
    {
      hint: 'It was restored or replaced. Drop the bookmark, and compare what is there with what should be.',
    },
  )
}

function expired(epoch: Epoch): TidemarkError {
  return new TidemarkError(
    'BOOKMARK_EXPIRED',
    `the bookmark names epoch ${epoch}, which is older than the history that is kept.`,
    { hint: 'Drop the bookmark: what it stood for was committed or lost long ago.' },
  )
}

function describe([first]: readonly WriterTidemark[], required: readonly Mark[]): string {
  if (!first) return 'another writer had not committed what it had accepted'
  const seq = required.find(({ epoch }) => epoch === first.epoch)?.seq
  return `writer "${first.writer}" had committed ${first.watermark} of ${seq}`
}
