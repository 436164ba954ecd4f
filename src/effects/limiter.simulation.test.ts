/** The limiter against simulated targets, in virtual time. `npm run limiter` prints the same runs, beside more of them. */
import { expect, test } from 'vitest'
import { run } from '../../test/support/limiter-runs.ts'
import { scenarios } from '../../test/support/limiter-scenarios.ts'

const seeds = [1, 2]
/** Of the seconds from one to another. */
const mean = (limits: readonly number[], from: number, to: number): number =>
  limits.slice(from, to).reduce((sum, limit) => sum + limit, 0) / (to - from)

// Where a target lets others wait, what is usual may be exceeded by as much as tells a queue from chance: twice. A target
// that works on one at a time is at that before a round is over.
test.for([
  { scenario: scenarios.refuses, best: 16, p99: 1.1, overload: 0.01 },
  { scenario: scenarios.queues, best: 16, p99: 2, overload: 0 },
  { scenario: scenarios.queuesThenRefuses, best: 12, p99: 2, overload: 0.01 },
  { scenario: scenarios.oneByOne, best: 1, p99: 5, overload: 0 },
  { scenario: scenarios.wide, best: 64, p99: 1.1, overload: 0 },
  { scenario: scenarios.uneven, best: 8, p99: 1.1, overload: 0.02 },
  { scenario: scenarios.unevenQueues, best: 8, p99: 2, overload: 0.001 },
])('it finds the limit of a target: $scenario.name', ({ scenario, best, p99, overload }) => {
  for (const seed of seeds) {
    const ideal = run(scenario, best, seed)
    const found = run(scenario, 'adaptive', seed)
    expect(found.deliveredPerSecond / ideal.deliveredPerSecond, `seed ${seed}`).toBeGreaterThan(0.9)
    expect(found.p99Ms / ideal.p99Ms, `seed ${seed}`).toBeLessThan(p99)
    expect(found.overloadShare, `seed ${seed}`).toBeLessThanOrEqual(overload)
  }
})

test('each fixed limit is wrong for one of three targets, and it for none', () => {
  const isWrong = (concurrency: number | 'adaptive'): boolean =>
    [
      { scenario: scenarios.refuses, best: 16 },
      { scenario: scenarios.oneByOne, best: 1 },
      { scenario: scenarios.wide, best: 64 },
    ].some(({ scenario, best }) => {
      const ideal = run(scenario, best)
      const { deliveredPerSecond, p99Ms, overloadShare } = run(scenario, concurrency)
      const isSlow = deliveredPerSecond < 0.9 * ideal.deliveredPerSecond
      return isSlow || p99Ms > 5 * ideal.p99Ms || overloadShare > 0.1
    })
  expect([1, 4, 16, 64, 'adaptive' as const].map(isWrong)).toEqual([true, true, true, true, false])
})

// SPEC S1.8
test('it follows a target that takes half as many, and then four times as many', () => {
  for (const seed of seeds) {
    const { limits, overloadShare } = run(scenarios.changes, 'adaptive', seed)
    expect(mean(limits, 30, 240), 'at 16').toBeGreaterThan(14)
    expect(Math.max(...limits.slice(241, 480)), 'at 8, a second later').toBeLessThanOrEqual(9)
    expect(mean(limits, 245, 480), 'at 8').toBeGreaterThan(7)
    expect(Math.max(...limits.slice(490, 495)), 'at 32, 15 s later').toBeGreaterThanOrEqual(30)
    expect(mean(limits, 490, 720), 'at 32').toBeGreaterThan(28)
    expect(overloadShare).toBeLessThan(0.01)
  }
})

test('it keeps up with a target that slowly takes more', () => {
  for (const seed of seeds) {
    const { deliveredPerSecond, overloadShare } = run(scenarios.ramp, 'adaptive', seed)
    expect(deliveredPerSecond / run(scenarios.ramp, 64, seed).deliveredPerSecond).toBeGreaterThan(0.9)
    expect(overloadShare).toBeLessThan(0.01)
  }
})

test.for([scenarios.down, scenarios.hangs])('it gets over an outage: $name', (scenario) => {
  for (const seed of seeds) {
    const { limits, delivered } = run(scenario, 'adaptive', seed)
    expect(Math.max(...limits.slice(240 + 40, 540)), 'down').toBe(1)
    const inTenSeconds = (from: number): number => (delivered[from + 10] ?? 0) - (delivered[from] ?? 0)
    // The first delivery after the outage may still wait for its timeout.
    expect(inTenSeconds(550) / inTenSeconds(220), 'ten seconds later').toBeGreaterThan(0.9)
  }
})
