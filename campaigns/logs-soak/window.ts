/** What is measured of one window of a log store's soak. */
import { statSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { CommitLatency } from '../../bench/measure.ts'
import { percentilesOf } from '../../bench/statistics.ts'
import type { LogStore } from '../../src/logs/index.ts'
import { collectGarbage } from '../soak/window.ts'

export interface LogWindow {
  readonly rowsPerSecond: number
  /** Of the main thread, behind two collections and with nothing queued. */
  readonly heapMb: number
  /** Of the whole process, with its threads. */
  readonly rssMb: number
  readonly loopDelayP99Ms: number
  /** From the call to the commit event, every 100th entry. */
  readonly commitP50Ms: number
  readonly commitP99Ms: number
  readonly searchP50Ms: number
  readonly searchP99Ms: number
  /** The longest transaction since the beginning. */
  readonly longestMs: number
  /** Entries that the fast tail has still to read. */
  readonly behind: number
  readonly unindexed: number
  /** What retention keeps within its limit: at the end of the window, and at most in between. */
  readonly usedMb: number
  readonly mostUsedMb: number
  readonly fileMb: number
  readonly walMb: number
}

const megabyte = 1e6
const looksMs = 500

/** Measures from its making to `end`. */
export class LogWindowMeter {
  readonly latency = new CommitLatency()
  readonly #file: string
  readonly #logs: LogStore
  readonly #startedMs = performance.now()
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 5 })
  readonly #searchMs: number[] = []
  readonly #timer: NodeJS.Timeout
  readonly #stopListening: () => void
  #mostUsedBytes = 0
  #walBytes = 0

  constructor(file: string, logs: LogStore) {
    this.#file = file
    this.#logs = logs
    this.#loopDelay.enable()
    this.#stopListening = logs.tidemark.on('commit', ({ tidemark }) =>
      this.latency.committedUpTo(tidemark.seq),
    )
    this.#timer = setInterval(() => void this.#look(), looksMs)
  }

  searched(ms: number): void {
    this.#searchMs.push(ms)
  }

  /** Nothing may be under way: what is queued is no leak. */
  async end(rows: number, behind: number): Promise<LogWindow> {
    const seconds = (performance.now() - this.#startedMs) / 1_000
    this.#loopDelay.disable()
    this.#stopListening()
    clearInterval(this.#timer)
    await this.#look()
    const { usedBytes, unindexed } = await this.#logs.status()
    collectGarbage()
    const { heapUsed, rss } = process.memoryUsage()
    const commit = this.latency.summary()
    const search = percentilesOf(this.#searchMs)
    return {
      rowsPerSecond: rows / seconds,
      heapMb: heapUsed / megabyte,
      rssMb: rss / megabyte,
      loopDelayP99Ms: this.#loopDelay.percentile(99) / 1e6,
      commitP50Ms: commit?.p50 ?? NaN,
      commitP99Ms: commit?.p99 ?? NaN,
      searchP50Ms: search.p50,
      searchP99Ms: search.p99,
      longestMs: this.#logs.tidemark.stats().transactions.longestMs,
      behind,
      unindexed,
      usedMb: usedBytes / megabyte,
      mostUsedMb: this.#mostUsedBytes / megabyte,
      fileMb: statSync(this.#file).size / megabyte,
      walMb: this.#walBytes / megabyte,
    }
  }

  async #look(): Promise<void> {
    const { usedBytes } = await this.#logs.status()
    this.#mostUsedBytes = Math.max(this.#mostUsedBytes, usedBytes)
    this.#walBytes = Math.max(this.#walBytes, this.#logs.tidemark.stats().store.walBytes)
  }
}
