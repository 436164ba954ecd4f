/**
 * One subscription: what happened and was not yet taken, up to its bounds, as an async iterator.
 *
 * Owns: its buffer and those who wait in `next`.
 * Keeps: law 7 (it holds no more than `maxBuffered` changes of `maxBufferedBytes`; what does not fit is counted, and
 * no writer waits), law 6 (nothing is left out unseen: a gap stands where it was).
 *
 *   open ◀─taken, with the gap─┐        buffers what comes
 *     ├──a change does not fit─▶ full   counts what comes, until the consumer has emptied the buffer
 *     ├──engine ends──▶ draining ──emptied──▶ ended   (the error, if the engine stopped by one, comes last)
 *     └──return(), abort───────────────────────▲      (the buffer is dropped)
 *
 * How it could break: it would repeat or leave out silently if a change were added while a gap is due, so `add` asks
 * for that first; `next` gives from the buffer, then the gap, then the end, in this order.
 */
import type { Position } from '../contracts/position.ts'
import type { TidemarkError } from '../errors.ts'
import type { Change, Gap, OperationChange } from './change.ts'

export type ChangeResult = IteratorResult<Change, undefined>

/** Changes as they come. Leaving a `for await` loop ends it; if you take by hand, call `return()`. */
export interface ChangeIterator extends AsyncIterable<Change>, AsyncDisposable {
  next(): Promise<ChangeResult>
  /** Ends it, and frees its buffer. */
  return(): Promise<ChangeResult>
  [Symbol.asyncIterator](): ChangeIterator
}

export interface Bounds {
  readonly maxBuffered: number
  readonly maxBufferedBytes: number
}

interface Buffered {
  readonly change: OperationChange
  readonly bytes: number
  next: Buffered | undefined
}

const end: ChangeResult = { done: true, value: undefined }

export class Subscription implements ChangeIterator {
  readonly #bounds: Bounds
  readonly #onEnd: (subscription: Subscription) => void
  readonly #signal: AbortSignal | undefined
  readonly #abort = (): void => this.#end()
  /** The buffer is a chain: one is taken in the same time however many wait, and what is taken is let go. */
  #first: Buffered | undefined
  #last: Buffered | undefined
  #count = 0
  #bytes = 0
  #missed = 0
  #missedLast: Position | undefined
  #waiting: PromiseWithResolvers<ChangeResult>[] = []
  #state: 'open' | 'draining' | 'ended' = 'open'
  #error: TidemarkError | undefined

  constructor(bounds: Bounds, signal: AbortSignal | undefined, onEnd: (subscription: Subscription) => void) {
    this.#bounds = bounds
    this.#onEnd = onEnd
    this.#signal = signal
    signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** Somebody made a change; whether it is wanted here is decided already. */
  add(bytes: number, position: Position, makeChange: () => OperationChange): void {
    const waiting = this.#waiting.shift()
    if (waiting) return waiting.resolve({ done: false, value: makeChange() })
    const { maxBuffered, maxBufferedBytes } = this.#bounds
    const isFull = this.#missed > 0 || this.#count >= maxBuffered || this.#bytes + bytes > maxBufferedBytes
    if (isFull) {
      this.#missed++
      this.#missedLast = position
      return
    }
    const buffered: Buffered = { change: makeChange(), bytes, next: undefined }
    if (this.#last) this.#last.next = buffered
    else this.#first = buffered
    this.#last = buffered
    this.#count++
    this.#bytes += bytes
  }

  /** Nothing comes any more. What is buffered can still be taken, then the error if there is one. */
  drain(error: TidemarkError | undefined): void {
    const [first, ...others] = this.#waiting.splice(0)
    if (error && first) first.reject(error)
    else first?.resolve(end)
    for (const { resolve } of others) resolve(end)
    // Told to somebody who waited, it is told.
    this.#error = first ? undefined : error
    this.#state = 'draining'
    this.#letGo()
  }

  next(): Promise<ChangeResult> {
    const taken = this.#take() ?? this.#takeGap()
    if (taken) return Promise.resolve({ done: false, value: taken })
    if (this.#state === 'open') {
      const waiting = Promise.withResolvers<ChangeResult>()
      this.#waiting.push(waiting)
      return waiting.promise
    }
    this.#state = 'ended'
    const error = this.#error
    this.#error = undefined
    return error ? Promise.reject(error) : Promise.resolve(end)
  }

  return(): Promise<ChangeResult> {
    this.#end()
    return Promise.resolve(end)
  }

  [Symbol.asyncIterator](): ChangeIterator {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end()
  }

  #take(): OperationChange | undefined {
    const entry = this.#first
    if (entry === undefined) return undefined
    this.#first = entry.next
    if (entry.next === undefined) this.#last = undefined
    // An old entry that pointed at younger ones would keep the collector from letting those go early.
    entry.next = undefined
    this.#count--
    this.#bytes -= entry.bytes
    return entry.change
  }

  #takeGap(): Gap | undefined {
    if (this.#missedLast === undefined) return undefined
    const gap: Gap = { kind: 'gap', missed: this.#missed, position: this.#missedLast }
    this.#missed = 0
    this.#missedLast = undefined
    return gap
  }

  #end(): void {
    this.#state = 'ended'
    this.#error = undefined
    this.#first = undefined
    this.#last = undefined
    this.#takeGap()
    for (const { resolve } of this.#waiting.splice(0)) resolve(end)
    this.#letGo()
  }

  #letGo(): void {
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#onEnd(this)
  }
}
