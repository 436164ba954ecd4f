/**
 * Ids that are known when a row is accepted: of the tables that were opened with `ids: { songs: 'preallocated' }`.
 *
 * Owns: for each such table, the ids that the store has reserved for this engine and that no row has yet.
 * Keeps: law 3 (an id is given once: only what the store reserved, which nobody else gives, and each of it one time;
 * what is left when the engine ends is never used), law 1 (a call that threw has used no id that anybody was told,
 * outside of a group), law 7 (a table whose ids are used up refuses as a full queue does, and the queue has room again
 * when there are more).
 * It breaks when ids are given before the store has said that they are reserved, when one that was told is taken back,
 * or when those of a table that was dropped go on being used for another one of its name.
 *
 *   stocked ──below half──▶ refilling ──reserved──▶ stocked
 *      ▲                       │   ▲ └─transient, chain─┐
 *      │                    used up └──────(backoff)────┘
 *      │                       ▼
 *      └──reserved── dry: the queue takes nothing       refused: inserts throw until the tables change
 *
 * Half of a full stock is what the queue can hold. A reservation stands behind the batches that are in flight, and
 * these are part of what the queue holds; so between the moment it is asked for and its answer no more rows can be
 * accepted than the other half has ids, whatever the rate. A stock runs dry only where reservations fail.
 *
 * Hot: `next` runs once a row of such a table, and only there.
 */
import type { Runtime, Timer } from '../contracts/runtime.ts'
import type { Schema } from '../contracts/schema.ts'
import type { IdRange } from '../contracts/store.ts'
import {
  NotSupportedError,
  QueueFullError,
  type StoreError,
  type TidemarkError,
  unprefixed,
} from '../errors.ts'
import { backoffMs } from './backoff.ts'
import { invalidOptions } from './options.ts'
import type { QueueOptions } from './queue.ts'
import { asStoreError, fenced } from './verdicts.ts'

export interface IdEvents {
  reserve(table: string, count: number): readonly IdRange[] | Promise<readonly IdRange[]>
  /** The ids of a table are used up. */
  onDry(stock: IdStock): void
  onStocked(stock: IdStock): void
  /** A reservation found that the epoch may have ended. */
  onBrokenChain(failure: StoreError): void
}

/** A first stock is not larger than this, however large the queue; one that ran dry is filled up to twice as much. */
const maxFirstStock = 2 ** 22

/** The ids of one table. */
export class IdStock {
  readonly table: string
  readonly #runtime: Runtime
  readonly #events: IdEvents
  readonly #mostNeeded: number
  #full: number
  /** Oldest first; none of them is empty. */
  #ranges: { next: number; count: number }[] = []
  #left = 0
  /** The id given last, as long as it may be taken back. */
  #last = Number.NaN
  #isRefilling = false
  #isDry = false
  /** What is left belongs to tables that have changed. */
  #isStale = false
  #isStopped = false
  #failures = 0
  #lastFailure: StoreError | undefined
  #retryAfterMs = 1
  #retry: Timer | undefined

  /** @param capacity how many rows the queue can hold */
  constructor(table: string, capacity: number, runtime: Runtime, events: IdEvents) {
    this.table = table
    this.#runtime = runtime
    this.#events = events
    this.#mostNeeded = 2 * capacity
    this.#full = Math.min(this.#mostNeeded, maxFirstStock)
  }

  /** Fills it for the first time. @throws what `reserve` fails with */
  async fill(): Promise<void> {
    this.#stock(await this.#events.reserve(this.table, this.#full))
  }

  /** @throws QueueFullError when there is none at the moment; NotSupportedError when there will be none */
  next(): number {
    const range = this.#ranges[0]
    if (range === undefined) throw this.#runDry()
    const id = (this.#last = range.next++)
    if (--range.count === 0) this.#ranges.shift()
    if (--this.#left < this.#full / 2) this.#refill()
    return id
  }

  /** Takes back what `next` gave, which nobody was told. If another was given meanwhile, it is left out. */
  giveBack(id: number): void {
    if (id !== this.#last) return
    this.#last = Number.NaN
    this.#ranges.unshift({ next: id, count: 1 })
    this.#left++
  }

  /** The tables have changed, and this one may be another of its name: what is left goes when new ids come. */
  renew(): void {
    this.#isStale = true
    this.#refill()
  }

  stop(): void {
    this.#isStopped = true
    this.#retry?.cancel()
  }

  #refill(): void {
    if (this.#isRefilling || this.#isStopped) return
    this.#isRefilling = true
    const startedMs = this.#runtime.monotonicMs()
    const land = (ranges: readonly IdRange[]): void => {
      this.#retryAfterMs = Math.max(1, Math.ceil(this.#runtime.monotonicMs() - startedMs))
      this.#landed(ranges)
    }
    try {
      const answer = this.#events.reserve(this.table, this.#isStale ? this.#full : this.#full - this.#left)
      if (answer instanceof Promise) answer.then(land, (error: unknown) => this.#failed(error))
      else land(answer)
    } catch (error) {
      this.#failed(error)
    }
  }

  #landed(ranges: readonly IdRange[]): void {
    if (this.#isStopped) return
    this.#isRefilling = false
    this.#failures = 0
    this.#lastFailure = undefined
    if (this.#isDry) this.#full = Math.min(2 * this.#full, this.#mostNeeded)
    if (this.#isStale) this.#empty()
    this.#isStale = false
    this.#stock(ranges)
    this.#endDrought()
  }

  #empty(): void {
    this.#ranges = []
    this.#left = 0
    this.#last = Number.NaN
  }

  #stock(ranges: readonly IdRange[]): void {
    for (const { first, count } of ranges) {
      this.#ranges.push({ next: first, count })
      this.#left += count
    }
  }

  #failed(error: unknown): void {
    if (this.#isStopped) return
    const failure = (this.#lastFailure = asStoreError(error))
    if (failure.failure === 'rejected' || failure.failure === 'fatal') {
      this.#isRefilling = false
      this.#empty()
      // Nobody is to wait for what does not come: the next call is told why.
      return this.#endDrought()
    }
    if (failure.failure === 'chain') this.#events.onBrokenChain(failure)
    this.#retryAfterMs = Math.ceil(backoffMs(++this.#failures, this.#runtime))
    // Unless somebody waits for it, it is no reason for the process to stay alive.
    const mode = this.#isDry ? undefined : 'background'
    this.#retry = this.#runtime.after(this.#retryAfterMs, () => this.#tryAgain(), mode)
  }

  #tryAgain(): void {
    this.#retry?.cancel()
    this.#retry = undefined
    this.#isRefilling = false
    this.#refill()
  }

  #becomeDry(): void {
    if (this.#isDry) return
    this.#isDry = true
    if (this.#retry) this.#tryAgain()
    this.#events.onDry(this)
  }

  #endDrought(): void {
    if (!this.#isDry) return
    this.#isDry = false
    this.#events.onStocked(this)
  }

  #runDry(): TidemarkError {
    if (!this.#isRefilling && this.#lastFailure) return verdictOn(this.#lastFailure)
    this.#refill()
    this.#becomeDry()
    const latest = this.#lastFailure ? ` (the last attempt: ${unprefixed(this.#lastFailure.message)})` : ''
    return new QueueFullError(
      `the ids of table "${this.table}" are used up, and more are being reserved${latest}.`,
      this.#retryAfterMs,
    )
  }
}

/** The stocks of all tables whose ids are preallocated. */
export class IdStocks {
  readonly #stocks: ReadonlyMap<string, IdStock>

  constructor(
    tables: readonly string[],
    { maxOperations, whenFull }: QueueOptions,
    runtime: Runtime,
    events: IdEvents,
  ) {
    const capacity = whenFull === 'wait' ? 2 * maxOperations : maxOperations
    this.#stocks = new Map(tables.map((table) => [table, new IdStock(table, capacity, runtime, events)]))
  }

  of(table: string): IdStock | undefined {
    return this.#stocks.get(table)
  }

  /**
   * Fills them for the first time.
   * @throws TidemarkError `INVALID_OPTIONS`; NotSupportedError where the store cannot; StoreError; `FENCED`
   */
  async open(schema: Schema): Promise<void> {
    const problems = [...this.#stocks.keys()].flatMap((table) => problemOf(table, schema))
    if (problems.length > 0) throw invalidOptions(problems)
    for (const stock of this.#stocks.values()) {
      try {
        await stock.fill()
      } catch (error) {
        throw verdictOn(asStoreError(error))
      }
    }
  }

  renew(): void {
    for (const stock of this.#stocks.values()) stock.renew()
  }

  stop(): void {
    for (const stock of this.#stocks.values()) stock.stop()
  }
}

function problemOf(table: string, { tables }: Schema): string[] {
  const found = tables.get(table)
  if (!found)
    return [`ids.${table}: there is no such table (tables: ${[...tables.keys()].join(', ') || 'none'})`]
  return found.generatedId === undefined ? [`ids.${table}: the table has no generated id`] : []
}

function verdictOn(error: StoreError): TidemarkError {
  if (error.failure === 'chain') return fenced()
  return error.failure === 'rejected'
    ? new NotSupportedError(`${unprefixed(error.message)}.`, error.hint)
    : error
}
