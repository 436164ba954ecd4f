/**
 * What a session knows: the positions it must see, and what became of its own writes.
 *
 * Keeps: law 6. Read-your-writes and monotonic reads: every write of the session, and what its reads have shown,
 * raises its marks, and each read includes them; of what a replica may lack of other programs' rows, its place in the log. Monotonic writes and writes-follow-reads: in one engine positions
 * are in order anyway; a write behind a position of another engine, which that one has not committed yet, is
 * refused until it has (`caughtUp`). A rejection of its own that nobody was told of fails its next read.
 *
 * How it could break: a mark that is dropped too early, or a rejection that is overlooked because its batch was
 * settled meanwhile. So ranges stay with their batch until that is settled, and are asked then.
 */
import type { Rejection } from '../contracts/operation.ts'
import type { Epoch, LogPosition, Mark, Position, Seq } from '../contracts/position.ts'
import type { ReplicaSnapshot, WriterTidemark } from '../contracts/store.ts'
import { TidemarkError, WriteRejectedError } from '../errors.ts'
import type { PendingBatch } from '../writes/batch.ts'
import type { WriteEngine } from '../writes/engine.ts'
import type { ReceiptContext } from '../writes/receipt.ts'
import { mergeMarks, mergePositions, type Bookmarks, type Marks } from './bookmark.ts'
import type { OtherWriters } from './other-writers.ts'

/** A write of the session that the store refused. */
export interface SessionRejection {
  readonly position: Position
  readonly table: string | undefined
  readonly storeCode: string
  readonly message: string
  readonly deadLetter: number
}

export interface SessionOptions {
  /** `fail` (default): a rejection of the session's own that nobody was told of fails its next read. */
  readonly onRejected?: 'fail' | 'ignore'
}

/** Newest rejections that a session lists; all are in the dead letters. */
const maxRejections = 1_000
const sweepAtLeast = 64

interface OwnRange {
  readonly batch: PendingBatch
  readonly first: Seq
  last: Seq
}

export class SessionState implements ReceiptContext {
  readonly #engine: WriteEngine
  readonly #bookmarks: Bookmarks
  readonly #others: OtherWriters
  readonly #onRejected: 'fail' | 'ignore'
  readonly #marks = new Map<Epoch, Seq>()
  #seen: LogPosition | undefined
  /** Other engines' positions may be among the marks that are not known to be committed. */
  #isBehind = false
  #own: OwnRange[] = []
  #sweepAt = sweepAtLeast
  #rejections: (Rejection & { isTold: boolean })[] = []

  constructor(engine: WriteEngine, bookmarks: Bookmarks, others: OtherWriters, options: SessionOptions) {
    const { onRejected = 'fail', ...unknown } = options
    const problems = Object.keys(unknown).map((name) => `${name} is not an option (options: onRejected)`)
    if (onRejected !== 'fail' && onRejected !== 'ignore')
      problems.push(`onRejected must be 'fail' or 'ignore', not ${String(onRejected)}`)
    if (problems.length > 0)
      throw new TidemarkError('INVALID_CALL', `this session cannot be opened: ${problems.join('; ')}.`)
    this.#engine = engine
    this.#bookmarks = bookmarks
    this.#others = others
    this.#onRejected = onRejected
  }

  get marks(): Marks {
    return this.#marks
  }

  /** How far the log was when the last of what it has seen was read, where reads may go to replicas. */
  get seen(): LogPosition | undefined {
    return this.#seen
  }

  get bookmark(): string {
    const marks = [...this.#marks].map(([epoch, seq]) => ({ epoch, seq }))
    return this.#bookmarks.write(marks, this.#seen)
  }

  /** @throws TidemarkError `INVALID_BOOKMARK` */
  include(bookmark: string): void {
    const { marks, seen } = this.#bookmarks.read(bookmark)
    this.saw(marks)
    this.sawUpTo(seen)
    this.#isBehind = true
  }

  /** A read has shown these positions, or waits for them. */
  saw(marks: Iterable<Mark>): void {
    mergeMarks(this.#marks, marks)
  }

  /** Nothing of what was seen is behind this place in the log. */
  sawUpTo(position: LogPosition | undefined): void {
    this.#seen = mergePositions(this.#seen, position)
  }

  /** A replica has shown this: no other one may show less. Its place in the log stands for writers that have ended. */
  sawCopy({ tidemarks, shown }: ReplicaSnapshot): void {
    this.saw(
      tidemarks.flatMap(({ epoch, watermark, isClosed }) => (isClosed ? [] : [{ epoch, seq: watermark }])),
    )
    this.sawUpTo(shown)
    this.hasSeen(tidemarks)
  }

  /** A read has seen these. What an ended epoch has committed of what the session follows needs no proof any more. */
  hasSeen(tidemarks: readonly WriterTidemark[]): void {
    for (const { epoch, watermark, isClosed } of tidemarks)
      if (isClosed && (this.#marks.get(epoch) ?? 0) <= watermark) this.#marks.delete(epoch)
    this.#isBehind = this.#others.uncommitted(this.#marks).length > 0
  }

  /** @throws TidemarkError `SESSION_BEHIND` before a write that could be committed ahead of what it follows */
  requireCaughtUp(): void {
    if (!this.#isBehind) return
    if (this.#others.uncommitted(this.#marks).length > 0) {
      throw new TidemarkError(
        'SESSION_BEHIND',
        'the session follows writes of another engine that may not be committed yet; this one could overtake them. Nothing was queued.',
        { retryable: true, hint: 'Await `session.caughtUp()` first, once after `db.session(bookmark)`.' },
      )
    }
    this.#isBehind = false
  }

  /** Newest last. Whoever lists them was told. */
  rejections(): SessionRejection[] {
    this.#collect()
    for (const rejection of this.#rejections) rejection.isTold = true
    return this.#rejections.map(({ seq, table, code, message, deadLetter }) => ({
      position: this.position(seq),
      table,
      storeCode: code,
      message,
      deadLetter,
    }))
  }

  /** @throws WriteRejectedError for rejections that nobody was told of: now somebody is */
  requireNoRejections(): void {
    if (this.#onRejected === 'ignore') return
    this.#collect()
    const untold = this.#rejections.filter(({ isTold }) => !isTold)
    const [first] = untold
    if (!first) return
    for (const rejection of untold) rejection.isTold = true
    const more = untold.length > 1 ? ` and ${untold.length - 1} more` : ''
    throw new WriteRejectedError(
      `the session's write at position ${first.seq}${more} was rejected, so this read would not show it: ${first.message}.`,
      first.code,
      first.deadLetter,
    )
  }

  // ── ReceiptContext ───────────────────────────────────────────────────────────────────────────────────────

  accepted(batch: PendingBatch | undefined, first: Seq, last: Seq): void {
    mergeMarks(this.#marks, [this.#engine.position(last)])
    if (!batch) return
    const latest = this.#own.at(-1)
    if (latest?.batch === batch && latest.last + 1 === first) latest.last = last
    else this.#own.push({ batch, first, last })
    if (this.#own.length >= this.#sweepAt) this.#collect()
  }

  rejectionTold(first: Seq, last: Seq): void {
    this.#collect()
    for (const rejection of this.#rejections)
      if (rejection.seq >= first && rejection.seq <= last) rejection.isTold = true
  }

  position(seq: Seq): Position {
    return this.#engine.position(seq)
  }

  bookmarkOf(seq: Seq): string {
    return this.#engine.bookmarkOf(seq)
  }

  want(batch: PendingBatch): void {
    this.#engine.want(batch)
  }

  ready(): Promise<void> {
    return this.#engine.ready()
  }

  timer(ms: number, task: () => void): { cancel(): void } {
    return this.#engine.timer(ms, task)
  }

  /** Asks the settled batches what became of the session's operations, and lets go of them. */
  #collect(): void {
    this.#own = this.#own.filter(({ batch, first, last }) => {
      // A batch that was committed half-way is still pending, with its first half settled.
      if (batch.state === 'pending' && batch.prev < last) return true
      for (const rejection of batch.rejectionsBetween(first, last))
        this.#rejections.push({ ...rejection, isTold: false })
      return false
    })
    this.#rejections.splice(0, this.#rejections.length - maxRejections)
    this.#sweepAt = Math.max(sweepAtLeast, 2 * this.#own.length)
  }
}
