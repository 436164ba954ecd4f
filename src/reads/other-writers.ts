/**
 * Waits for positions of other writers, whose tidemarks only the database tells.
 *
 * Owns: what is known of other epochs, and since when a writer that somebody waits for is silent.
 * Keeps: law 6. A query runs in the very snapshot whose tidemarks hold what was required. A position beyond the
 * final tidemark of an ended epoch is lost, one of a forgotten epoch has expired; both are told at once. Law 10: a
 * snapshot in which another writer's tidemark is behind where it was seen before is of a database that went back.
 *
 * Between two looks the writers are asked to tell when they have come so far, where the store can ask them.
 *
 *   asking ──snapshot holds it──▶ read
 *     ▲ │ └──epoch ended, or not known──▶ POSITION_LOST, BOOKMARK_EXPIRED
 *     │ └──not yet──▶ pausing ──deadline──▶ StaleReadError
 *     └───────────────┘ └─silent beyond its lease──▶ its epoch is ended here, and asked again
 *
 * How it could break: a writer that lives could be taken for dead. So its silence is counted by this process's
 * own clock that never jumps, and only while somebody looks; a writer commits within its lease while something is
 * pending. When the lease is over the write lock must be free at once, since who holds it may be that writer, or keep
 * it from committing; then the writer has a grace to take it; and then its epoch is ended only if its tidemark still
 * is where it was seen. What is ended can commit nothing more, so "lost" is true.
 */
import type { Epoch, Mark, Seq } from '../contracts/position.ts'
import type { Runtime } from '../contracts/runtime.ts'
import type { OpenedStore, Snapshot, SqlQuery, WriterTidemark } from '../contracts/store.ts'
import { StoreError, TidemarkError } from '../errors.ts'
import { mergeMarks, type Marks } from './bookmark.ts'
import type { Deadline } from './deadline.ts'

const firstPauseMs = 1
const maxPauseMs = 20
/** Epochs whose tidemarks are remembered. */
const maxKnown = 1_000

/** Two looks further apart than this have seen no silence between them. */
const longestGapMs = 1_000
/** For so long a silent writer is left to take the free lock: longer than it backs off between two tries. */
const graceMs = 5_000

/** A writer that somebody waits for, since its tidemark was last seen to move. */
interface Silence {
  readonly watermark: Seq
  lookedMs: number
  silentMs: number
  /** Since when it is over its lease and the lock was found free. */
  freeForMs: number | undefined
}

/** A snapshot that holds what was required. */
export type FreshSnapshot = Snapshot & { readonly result: NonNullable<Snapshot['result']> }

/** The highest tidemark that was seen, and how many looks had begun by then: those may still show less. */
interface Sight {
  readonly seq: Seq
  readonly looksBegun: number
}

/** Stops the engine. @returns the error to fail with */
export type OnWentBack = (found: { watermark: Seq; exists: boolean }, known: Seq) => Error

export class OtherWriters {
  readonly #store: OpenedStore
  readonly #runtime: Runtime
  readonly #onWentBack: OnWentBack
  readonly #known = new Map<Epoch, Sight>()
  /** What copies have shown is committed too; only the database itself may not have shown it yet. */
  readonly #copied = new Map<Epoch, Seq>()
  #looks = 0
  readonly #silent = new Map<Epoch, Silence>()

  constructor(store: OpenedStore, runtime: Runtime, onWentBack: OnWentBack) {
    this.#store = store
    this.#runtime = runtime
    this.#onWentBack = onWentBack
  }

  /** Those of the marks that are another writer's. */
  of(marks: Marks): Mark[] {
    const others: Mark[] = []
    for (const [epoch, seq] of marks) if (epoch !== this.#store.epoch) others.push({ epoch, seq })
    return others
  }

  /** Those of which it is not known that they are committed. */
  unknown(marks: Marks): Mark[] {
    return this.of(marks).filter(({ epoch, seq }) => (this.#known.get(epoch)?.seq ?? -1) < seq)
  }

  /** Those of which nobody has seen that they are committed. */
  uncommitted(marks: Marks): Mark[] {
    return this.unknown(marks).filter(({ epoch, seq }) => (this.#copied.get(epoch) ?? -1) < seq)
  }

  /** A copy of the database has shown these. */
  sawCopy({ tidemarks }: Snapshot): void {
    if (this.#copied.size > maxKnown) this.#copied.clear()
    mergeMarks(
      this.#copied,
      tidemarks.map(({ epoch, watermark }) => ({ epoch, seq: watermark })),
    )
  }

  /**
   * Runs the query in a snapshot that holds everything required.
   *
   * @throws StaleReadError at the deadline; TidemarkError `POSITION_LOST`, `BOOKMARK_EXPIRED`
   */
  async read(query: SqlQuery, required: readonly Mark[], deadline: Deadline): Promise<FreshSnapshot> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
      const look = ++this.#looks
      const snapshot = await this.#store.snapshot(query, required, deadline)
      this.#learn(snapshot, look)
      if (isFresh(snapshot)) return snapshot
      const missing = required.flatMap((mark) => judge(mark, snapshot))
      if (await this.#endSilent(missing)) continue
      const wanted = required.filter(({ epoch }) => missing.some((other) => other.epoch === epoch))
      await deadline.pause(pauseMs, () => describe(missing, required), this.#store.awaken?.(wanted))
    }
  }

  #learn({ tidemarks }: Snapshot, look: number): void {
    if (this.#known.size > maxKnown) this.#known.clear()
    for (const { epoch, watermark } of tidemarks) {
      const known = this.#known.get(epoch)
      if (!known || watermark > known.seq) this.#known.set(epoch, { seq: watermark, looksBegun: this.#looks })
      else if (watermark < known.seq && known.looksBegun < look)
        throw this.#onWentBack({ watermark, exists: true }, known.seq)
    }
  }

  /** @returns whether some epoch was ended */
  async #endSilent(missing: readonly WriterTidemark[]): Promise<boolean> {
    let hasEnded = false
    for (const seen of missing) if (await this.endIfSilent(seen)) hasEnded = true
    return hasEnded
  }

  /**
   * Ends the epoch of a writer that has been silent for its lease, by what was seen at earlier calls.
   *
   * @returns whether it is ended
   */
  async endIfSilent(seen: WriterTidemark): Promise<boolean> {
    const { epoch, watermark, leaseMs } = seen
    const nowMs = this.#runtime.monotonicMs()
    const silence = this.#silent.get(epoch)
    if (silence?.watermark !== watermark) {
      if (this.#silent.size > maxKnown) this.#silent.clear()
      this.#silent.set(epoch, { watermark, lookedMs: nowMs, silentMs: 0, freeForMs: undefined })
      return false
    }
    // While nobody looked, nobody knows: this process may have been stopped, or the lock taken.
    const passedMs = nowMs - silence.lookedMs
    const countedMs = passedMs <= longestGapMs ? passedMs : 0
    silence.lookedMs = nowMs
    silence.silentMs += countedMs
    if (silence.silentMs < leaseMs) return false
    if (silence.freeForMs === undefined) {
      // Nothing can be behind its last position: this only finds out whether the lock is free.
      silence.freeForMs = 0
      return await this.#end({ ...seen, watermark: -1 as Seq })
    }
    silence.freeForMs += countedMs
    if (silence.freeForMs < Math.min(leaseMs, graceMs)) return false
    this.#silent.delete(epoch)
    return await this.#end(seen)
  }

  async #end(seen: WriterTidemark): Promise<boolean> {
    try {
      return await this.#store.endEpoch(seen)
    } catch (error) {
      if (!(error instanceof StoreError) || error.failure !== 'transient') throw error
      // The lock is taken, perhaps by that writer: its silence is counted anew.
      this.#silent.delete(seen.epoch)
      return false
    }
  }
}

function isFresh(snapshot: Snapshot): snapshot is FreshSnapshot {
  return snapshot.result !== undefined
}

/** What is missing at a writer that may still commit it. @throws when it never will */
function judge({ epoch, seq }: Mark, { tidemarks, forgottenUpTo }: Snapshot): WriterTidemark[] {
  const tidemark = tidemarks.find((other) => other.epoch === epoch)
  if (!tidemark) throw epoch <= forgottenUpTo ? expired(epoch) : neverWas(epoch)
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

function neverWas(epoch: Epoch): TidemarkError {
  return new TidemarkError(
    'POSITION_LOST',
    `the bookmark names epoch ${epoch}, which this database never had: it went back in time.`,
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
