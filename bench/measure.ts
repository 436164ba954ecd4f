/**
 * What one process can measure about itself while it writes: time, CPU of the main thread, delay of
 * the event loop, memory.
 *
 * - Event-loop delay is Node's own `monitorEventLoopDelay` at its finest resolution, 1 ms. Node
 *   records the time between two ticks of that 1 ms timer, so an idle loop reads about 1.1 ms.
 * - Main-thread CPU is `process.threadCpuUsage()`: what the thread that calls `insert` spent, in user
 *   and system mode, without its worker threads.
 * - Peak memory is the kernel's high-water mark of this process, where there is one to read.
 */

import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { percentilesOf, type Percentiles } from './statistics.ts'

export interface Usage {
  readonly elapsedMs: number
  readonly mainThreadCpuUs: number
  readonly processCpuUs: number
  /** What all other processes used meanwhile: the noise that this figure stands in. */
  readonly othersCpuUs: number
  readonly loopDelayP99Ms: number
  readonly loopDelayMaxMs: number
  readonly baselineBytes: number
  readonly peakBytes: number
}

/** Starts all instruments; the function returned stops them and reads them. */
export function startMeter(): () => Usage {
  globalThis.gc?.()
  const baselineBytes = process.memoryUsage.rss()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const machineStart = readMachineCpuUs()
  const processStart = process.cpuUsage()
  const threadStart = process.threadCpuUsage()
  const start = performance.now()
  return () => {
    const elapsedMs = performance.now() - start
    const thread = process.threadCpuUsage(threadStart)
    const whole = process.cpuUsage(processStart)
    const others = readMachineCpuUs() - machineStart - whole.user - whole.system
    delay.disable()
    return {
      elapsedMs,
      mainThreadCpuUs: thread.user + thread.system,
      processCpuUs: whole.user + whole.system,
      othersCpuUs: Math.max(0, others),
      loopDelayP99Ms: delay.percentile(99) / 1e6,
      loopDelayMaxMs: delay.max / 1e6,
      baselineBytes,
      peakBytes: readPeakBytes(),
    }
  }
}

/** CPU time of everything that runs on this machine, to the hundredth of a second. */
function readMachineCpuUs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) * 1000
}

/**
 * `maxRSS` of a child starts at the size of the parent that forked it, so Linux is asked for the mark
 * of this process alone.
 */
function readPeakBytes(): number {
  try {
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
    if (line) return Number(line[1]) * 1024
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024
}

/**
 * Time from "accepted" to "committed" for every 100th row. It never awaits a receipt, because waiting
 * is a request to commit now: it notes the position at the call, and the time when the engine reports
 * a commit at or beyond it.
 */
export class CommitLatency {
  static readonly EVERY = 100
  private readonly positions: number[] = []
  private readonly acceptedAt: number[] = []
  private readonly waits: number[] = []
  private settled = 0

  accepted(position: number): void {
    this.positions.push(position)
    this.acceptedAt.push(performance.now())
  }

  committedUpTo(position: number): void {
    const now = performance.now()
    while (this.settled < this.positions.length && (this.positions[this.settled] as number) <= position) {
      this.waits.push(now - (this.acceptedAt[this.settled] as number))
      this.settled++
    }
  }

  /** Forgets what was sampled so far, at the end of the warm-up. */
  reset(): void {
    this.positions.length = this.acceptedAt.length = this.waits.length = this.settled = 0
  }

  summary(): Percentiles | undefined {
    return this.waits.length === 0 ? undefined : percentilesOf(this.waits)
  }
}
