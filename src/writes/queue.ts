/**
 * The queue holds what is accepted and not yet settled, as batches in position order.
 *
 * Owns: positions (each given once, in order), the filling batch, the sealed ones, and the count of
 * operations and bytes.
 * Keeps: law 2 (one line, first in first out), law 7 (it never holds more than its limits: a write that does
 * not fit is refused before it gets a position).
 *
 * Two thresholds: the queue is full at its limits, and says "room again" only when it has fallen to half, so
 * that producers are not woken for every batch. It is also full while something else is short that writes need.
 */
import type { Seq } from '../contracts/position.ts'
import type { Runtime } from '../contracts/runtime.ts'
import { InvalidOperationError, QueueFullError } from '../errors.ts'
import { PendingBatch } from './batch.ts'
import type { TransactionTurn } from './transaction-turn.ts'

export interface QueueOptions {
  readonly maxOperations: number
  readonly maxBytes: number
  readonly whenFull: 'reject' | 'wait'
}

/** What stands in the line: batches, and interactive transactions, which run alone. */
export type Entry = PendingBatch | TransactionTurn

export interface QueueEvents {
  onFull(): void
  onRoom(): void
  /** Operations committed a second, lately: for the estimate of when there is room. */
  operationsPerSecond(): number
}

/** What a full queue is short of by itself. */
const room = Symbol('room')

export class Queue {
  readonly #options: QueueOptions
  readonly #runtime: Runtime
  readonly #events: QueueEvents
  #sealed: Entry[] = []
  #filling: PendingBatch | undefined
  #last: Seq
  #operations = 0
  #bytes = 0
  readonly #shortages = new Set<unknown>()
  #room: PromiseWithResolvers<void> | undefined

  constructor(options: QueueOptions, runtime: Runtime, events: QueueEvents) {
    this.#options = options
    this.#runtime = runtime
    this.#events = events
    this.#last = 0 as Seq
  }

  get operations(): number {
    return this.#operations
  }

  get bytes(): number {
    return this.#bytes
  }

  get maxOperations(): number {
    return this.#options.maxOperations
  }

  get maxBytes(): number {
    return this.#options.maxBytes
  }

  /** The last position given. */
  get last(): Seq {
    return this.#last
  }

  /** It reached a limit and has not yet fallen to half of it, or something else is short. */
  get isFull(): boolean {
    return this.#shortages.size > 0
  }

  /** The batch that takes what is accepted, if it holds anything. */
  get filling(): PendingBatch | undefined {
    return this.#filling?.isEmpty ? undefined : this.#filling
  }

  /** Sealed batches and turns, oldest first. */
  get sealed(): readonly Entry[] {
    return this.#sealed
  }

  /** The batch that takes the next operation. */
  open(): PendingBatch {
    // One that stayed empty, because the call that opened it threw, may be old: it is made anew.
    if (this.#filling === undefined || this.#filling.isEmpty)
      this.#filling = new PendingBatch(this.#last, this.#runtime.monotonicMs())
    return this.#filling
  }

  /**
   * Called before operations are added, with nothing changed yet.
   * @throws QueueFullError when they do not fit now, InvalidOperationError `TOO_LARGE` when they never will.
   */
  admit(operations: number, bytes: number): void {
    const { maxOperations, maxBytes } = this.#limits()
    if (this.#operations + operations <= maxOperations && this.#bytes + bytes <= maxBytes) return
    if (operations > this.#options.maxOperations || bytes > this.#options.maxBytes) {
      throw new InvalidOperationError(
        'TOO_LARGE',
        `one call with ${operations} operations of about ${bytes} bytes can never fit the queue (maxOperations ${this.#options.maxOperations}, maxBytes ${this.#options.maxBytes}).`,
        'Split it, or raise the limits.',
      )
    }
    this.beginShortage(room)
    throw new QueueFullError(
      `the queue holds ${this.#operations} operations of about ${this.#bytes} bytes (maxOperations ${maxOperations}, maxBytes ${maxBytes}).`,
      this.#retryAfterMs(),
    )
  }

  /** Called after operations were added to the filling batch. */
  added(operations: number, bytes: number, last: Seq): void {
    this.#last = last
    this.#operations += operations
    this.#bytes += bytes
    if (this.#operations >= this.#options.maxOperations || this.#bytes >= this.#options.maxBytes)
      this.beginShortage(room)
  }

  /** Nothing more goes into the filling batch. */
  seal(): void {
    if (this.#filling === undefined || this.#filling.isEmpty) return
    this.#sealed.push(this.#filling)
    this.#filling = undefined
  }

  /** Gives a turn the next position; what is accepted later stands behind it. */
  addTurn(make: (seq: Seq) => TransactionTurn): void {
    this.seal()
    // An empty batch that stayed open would hold a position that is the turn's now.
    this.#filling = undefined
    this.#last = (this.#last + 1) as Seq
    this.#sealed.push(make(this.#last))
  }

  takeNext(): Entry | undefined {
    return this.#sealed.shift()
  }

  /** What was taken and must be taken again, in order, before all others. */
  putBack(entries: readonly Entry[]): void {
    this.#sealed = [...entries, ...this.#sealed]
  }

  /** A batch that was taken is settled: its room is free. */
  release(operations: number, bytes: number): void {
    this.#operations -= operations
    this.#bytes -= bytes
    if (this.#operations <= this.#options.maxOperations / 2 && this.#bytes <= this.#options.maxBytes / 2)
      this.endShortage(room)
  }

  /** Until it ends, the queue says that it is full. */
  beginShortage(of: unknown): void {
    const wasFull = this.isFull
    this.#shortages.add(of)
    if (!wasFull) this.#events.onFull()
  }

  endShortage(of: unknown): void {
    if (!this.#shortages.delete(of) || this.isFull) return
    this.#room?.resolve()
    this.#room = undefined
    this.#events.onRoom()
  }

  /** Resolves when the queue is not full; at once when it is not. */
  whenRoom(): Promise<void> {
    if (!this.isFull) return Promise.resolve()
    return (this.#room ??= Promise.withResolvers()).promise
  }

  /** Empties the queue and lets those go who wait for room. */
  clear(): Entry[] {
    this.seal()
    const entries = this.#sealed
    this.#sealed = []
    this.#room?.resolve()
    this.#room = undefined
    return entries
  }

  /** With `wait`, a producer that awaits `receipt.accepted` overshoots by what is under way: at most as much again. */
  #limits(): { maxOperations: number; maxBytes: number } {
    const { maxOperations, maxBytes, whenFull } = this.#options
    return whenFull === 'wait'
      ? { maxOperations: 2 * maxOperations, maxBytes: 2 * maxBytes }
      : { maxOperations, maxBytes }
  }

  #retryAfterMs(): number {
    const rate = this.#events.operationsPerSecond()
    return rate > 0 ? Math.min(60_000, Math.ceil((this.#operations / 2 / rate) * 1_000)) : 1_000
  }
}
