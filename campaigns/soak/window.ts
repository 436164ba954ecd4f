/** What is measured of one window of a soak. */
import { statSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { percentilesOf } from '../../bench/statistics.ts'
import type { Receipt } from '../../src/index.ts'

export interface Window {
  readonly operationsPerSecond: number
  /** Of the main thread, behind two collections and with nothing queued. */
  readonly heapMb: number
  /** Of the whole process, with its threads. */
  readonly rssMb: number
  readonly loopDelayP99Ms: number
  /** From the call to the outcome that says committed. */
  readonly commitP99Ms: number
  readonly walMb: number
  readonly fileMb: number
}

const megabyte = 2 ** 20

/** Measures from its making to `end`. */
export class WindowMeter {
  readonly #file: string
  readonly #startedMs = performance.now()
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 5 })
  readonly #commitMs: number[] = []
  readonly #walTimer: NodeJS.Timeout
  #walBytes = 0

  constructor(file: string, walBytes: () => number) {
    this.#file = file
    this.#loopDelay.enable()
    this.#walTimer = setInterval(() => (this.#walBytes = Math.max(this.#walBytes, walBytes())), 100)
  }

  observe(receipt: Receipt): void {
    const acceptedMs = performance.now()
    void receipt.outcome().then(({ kind }) => {
      if (kind === 'committed') this.#commitMs.push(performance.now() - acceptedMs)
    })
  }

  /** Nothing may be under way: what is queued is no leak. */
  end(operations: number): Window {
    this.#loopDelay.disable()
    clearInterval(this.#walTimer)
    const seconds = (performance.now() - this.#startedMs) / 1_000
    collectGarbage()
    const { heapUsed, rss } = process.memoryUsage()
    return {
      operationsPerSecond: operations / seconds,
      heapMb: heapUsed / megabyte,
      rssMb: rss / megabyte,
      loopDelayP99Ms: this.#loopDelay.percentile(99) / 1e6,
      commitP99Ms: percentilesOf(this.#commitMs).p99,
      walMb: this.#walBytes / megabyte,
      fileMb: statSync(this.#file).size / megabyte,
    }
  }
}

/** Twice: what the first lets go of may hold what only the second finds. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('start it with `node --expose-gc`')
  globalThis.gc()
  globalThis.gc()
}
