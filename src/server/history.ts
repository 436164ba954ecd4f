/**
 * What the last fifteen minutes were like, a sample a second, in a ring of fixed size.
 *
 * Rows a second are the engine's operations, or the log entries that came in from any process, whichever are more.
 *
 * Owns: one background timer. A second in which the event loop was held up gives one sample for all of it, with its
 * rate over the time that really passed.
 */
import type { Runtime, Timer } from '../contracts/runtime.ts'
import type { Engine } from './context.ts'
import type { EventLoop } from './event-loop.ts'
import type { Sizes } from './sizes.ts'

export const HISTORY_COLUMNS = [
  't',
  'rowsPerSecond',
  'queued',
  'pendingAgeMs',
  'batchSize',
  'transactionMs',
  'eventLoopP99Ms',
  'rejected',
  'databaseBytes',
  'walBytes',
  'rssBytes',
] as const

export const HISTORY_INTERVAL_MS = 1_000
const keptSamples = 15 * 60

export class History {
  readonly #db: Engine
  readonly #runtime: Runtime
  readonly #eventLoop: EventLoop
  readonly #sizes: Sizes
  readonly #release: () => void
  #samples: number[][] = []
  #timer: Timer | undefined
  #atMs: number
  #rejected: number
  #operations = 0
  #newestId: number | undefined
  #batches = 0
  #longestMs = 0

  constructor(db: Engine, runtime: Runtime, eventLoop: EventLoop, sizes: Sizes) {
    this.#db = db
    this.#runtime = runtime
    this.#eventLoop = eventLoop
    this.#sizes = sizes
    this.#atMs = runtime.monotonicMs()
    this.#rejected = db.stats().rejected
    this.#release = db.on('commit', ({ operations, longestTransactionMs }) => {
      this.#operations += operations
      this.#batches++
      this.#longestMs = Math.max(this.#longestMs, longestTransactionMs)
    })
    sizes.refresh()
    this.#arm()
  }

  /** The samples after this moment, oldest first. */
  since(ms: number): readonly number[][] {
    return this.#samples.filter(([t = 0]) => t > ms)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#release()
  }

  /** Log entries of every process, as far as the last look knew. */
  #arrived(): number {
    const newestId = this.#sizes.latest.logs?.newestId ?? 0
    const before = this.#newestId ?? newestId
    this.#newestId = newestId
    return newestId - before
  }

  #arm(): void {
    this.#timer = this.#runtime.after(
      HISTORY_INTERVAL_MS,
      () => {
        this.#sample()
        this.#arm()
      },
      'background',
    )
  }

  #sample(): void {
    const { queued, rejected, store } = this.#db.stats()
    const nowMs = this.#runtime.monotonicMs()
    const seconds = Math.max(0.001, (nowMs - this.#atMs) / 1_000)
    this.#samples.push([
      this.#runtime.wallMs(),
      Math.round(Math.max(this.#operations, this.#arrived()) / seconds),
      queued.operations,
      Math.round(queued.oldestMs),
      this.#batches === 0 ? 0 : Math.round((this.#operations / this.#batches) * 10) / 10,
      Math.round(this.#longestMs * 100) / 100,
      this.#eventLoop.take().p99Ms,
      rejected - this.#rejected,
      this.#sizes.latest.databaseBytes,
      store.walBytes,
      process.memoryUsage.rss(),
    ])
    if (this.#samples.length > keptSamples) this.#samples.shift()
    this.#atMs = nowMs
    this.#rejected = rejected
    this.#operations = 0
    this.#batches = 0
    this.#longestMs = 0
    this.#sizes.refresh()
  }
}
