import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import { backoffMs } from './backoff.ts'

test('delays double from 10 ms to 2 s, and chance takes up to half of each', () => {
  const runtime = new FakeRuntime()
  const delays = (chance: number): number[] => {
    runtime.chance = chance
    return [1, 2, 3, 8, 9, 100, 5_000].map((attempt) => backoffMs(attempt, runtime))
  }
  expect(delays(0)).toEqual([5, 10, 20, 640, 1_000, 1_000, 1_000])
  expect(delays(0.999_999)).toEqual([10, 20, 40, 1_280, 2_000, 2_000, 2_000])
})

test('law 5 · there is always a delay, and never one over 2 s', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, chance) => {
        const runtime = new FakeRuntime()
        runtime.chance = chance
        const delayMs = backoffMs(attempt, runtime)
        expect(delayMs >= 5 && delayMs <= 2_000).toBe(true)
      },
    ),
  )
})
