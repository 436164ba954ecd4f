/** How late the event loop runs what is due: what a client waits before anything of its request is looked at. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

export interface LoopDelay {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** The histogram counts from one look to the next, so that being on time is this long. */
const resolutionMs = 10
const nsPerMs = 1e6

export class EventLoop {
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay> = monitorEventLoopDelay({
    resolution: resolutionMs,
  })
  #latest: LoopDelay = { p50Ms: 0, p99Ms: 0, maxMs: 0 }

  constructor() {
    this.#histogram.enable()
  }

  /** Of the last whole second. */
  get latest(): LoopDelay {
    return this.#latest
  }

  /** Ends a second and begins the next. */
  take(): LoopDelay {
    const histogram = this.#histogram
    if (histogram.count > 0) {
      this.#latest = {
        p50Ms: late(histogram.percentile(50)),
        p99Ms: late(histogram.percentile(99)),
        maxMs: late(histogram.max),
      }
    }
    histogram.reset()
    return this.#latest
  }

  stop(): void {
    this.#histogram.disable()
  }
}

function late(ns: number): number {
  return Math.max(0, Math.round((ns / nsPerMs - resolutionMs) * 100) / 100)
}
