/** Runs a limiter against simulated targets, with more effects waiting than can ever be delivered. */
import { Limiter } from '../../src/effects/limiter.ts'
import { Random } from '../../src/testing/simulation/random.ts'
import { SimulatedTarget, type TargetBehaviour } from './simulated-target.ts'
import { VirtualTime } from './virtual-time.ts'

export interface Scenario {
  readonly name: string
  readonly target: TargetBehaviour
  readonly minutes: number
  /** After it a delivery is given up, and counts as overload. */
  readonly timeoutMs: number
}

export interface Run {
  readonly deliveredPerSecond: number
  readonly medianMs: number
  readonly p99Ms: number
  /** Refused or timed out, of all that ended. */
  readonly overloadShare: number
  /** The limit at each second. */
  readonly limits: readonly number[]
  /** How many were delivered up to each second. */
  readonly delivered: readonly number[]
}

/** @param concurrency a number stays what it is */
export function run(
  { target, minutes, timeoutMs }: Scenario,
  concurrency: number | 'adaptive',
  seed = 1,
): Run {
  const time = new VirtualTime()
  const limiter = new Limiter(concurrency === 'adaptive' ? {} : { min: concurrency, max: concurrency }, time)
  const simulated = new SimulatedTarget(target, time, new Random(seed))
  const latencies: number[] = []
  let overloads = 0
  const deliver = (): void => {
    const delivery = limiter.begin()
    const beganMs = time.monotonicMs()
    let isOver = false
    const end = (isServed: boolean): void => {
      if (isOver) return
      isOver = true
      if (isServed) latencies.push(time.monotonicMs() - beganMs)
      else overloads++
      delivery.end(isServed ? 'delivered' : 'overload')
      fill()
    }
    simulated.request(end)
    time.after(timeoutMs, () => end(false))
  }
  const fill = (): void => {
    while (limiter.hasRoom) deliver()
  }
  const limits: number[] = []
  const delivered: number[] = []
  fill()
  for (let second = 1; second <= minutes * 60; second++) {
    time.runUntil(second * 1_000)
    limits.push(limiter.limit)
    delivered.push(latencies.length)
  }
  const sorted = latencies.toSorted((a, b) => a - b)
  const quantile = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Infinity
  return {
    deliveredPerSecond: latencies.length / (minutes * 60),
    medianMs: quantile(0.5),
    p99Ms: quantile(0.99),
    overloadShare: overloads / Math.max(1, overloads + latencies.length),
    limits,
    delivered,
  }
}
