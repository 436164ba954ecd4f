import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import { Limiter, type Delivery, type DeliveryEnd } from './limiter.ts'

function fill(limiter: Limiter): Delivery[] {
  const begun: Delivery[] = []
  while (limiter.hasRoom) begun.push(limiter.begin())
  return begun
}

/** As many as may run begin together, and end together. @returns how many */
function round(limiter: Limiter, runtime: FakeRuntime, how: DeliveryEnd = 'delivered', ms = 100): number {
  const begun = fill(limiter)
  runtime.nowMs += ms
  for (const delivery of begun) delivery.end(how)
  return begun.length
}

function grownTo(limit: number, options: { max?: number; min?: number } = {}): [Limiter, FakeRuntime] {
  const runtime = new FakeRuntime()
  const limiter = new Limiter(options, runtime)
  for (let count = 0; count < 1_000 && limiter.limit < limit; count++) round(limiter, runtime)
  return [limiter, runtime]
}

test('it begins with one at a time, eight of them, and then grows by about one with each round', () => {
  const runtime = new FakeRuntime()
  const limiter = new Limiter({}, runtime)
  const limits: number[] = []
  for (let count = 0; count < 12; count++) {
    limits.push(limiter.limit)
    round(limiter, runtime)
  }
  expect(limits).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4])
  for (let count = 0; count < 40; count++) {
    const { limit } = limiter
    round(limiter, runtime)
    expect(limiter.limit - limit).toBeLessThanOrEqual(1)
  }
  expect(limiter.limit).toBeGreaterThanOrEqual(40)
})

test('law 7 · it never runs more than its maximum', () => {
  const [limiter, runtime] = grownTo(6, { max: 6 })
  for (let count = 0; count < 50; count++) expect(round(limiter, runtime)).toBe(6)
  expect([limiter.limit, limiter.running, limiter.hasRoom]).toEqual([6, 0, true])
})

test('a limit that is not used does not grow', () => {
  const [limiter, runtime] = grownTo(4)
  const { limit } = limiter
  for (let count = 0; count < 1_000; count++) {
    const begun = [limiter.begin(), limiter.begin()]
    runtime.nowMs += 100
    for (const delivery of begun) delivery.end('delivered')
  }
  expect(limiter.limit).toBe(limit)
})

test('refusals of one burst shrink it once, by a fifth', () => {
  const [limiter, runtime] = grownTo(20)
  const burst = fill(limiter)
  runtime.nowMs += 10
  for (const delivery of burst.slice(0, 10)) delivery.end('overload')
  expect(limiter.limit).toBe(16)
  for (const delivery of burst.slice(10)) delivery.end('delivered')
  expect(limiter.limit).toBe(16)
  limiter.begin().end('overload')
  expect(limiter.limit).toBeLessThan(16)
})

test('law 7 · a target that is down is left with one delivery at a time after eight rounds, however long it is down', () => {
  const [limiter, runtime] = grownTo(64)
  const sizes: number[] = []
  for (let count = 0; count < 8; count++) sizes.push(round(limiter, runtime, 'overload'))
  expect(sizes).toEqual([64, 51, 25, 12, 6, 3, 1, 1])
  for (let count = 0; count < 1_000; count++) expect(round(limiter, runtime, 'overload')).toBe(1)
})

test('after an outage, 64 at a time are reached within half of 64 × 65 deliveries', () => {
  const [limiter, runtime] = grownTo(64)
  for (let count = 0; count < 20; count++) round(limiter, runtime, 'overload')
  let deliveries = 0
  for (let count = 0; count < 200 && limiter.limit < 64; count++) deliveries += round(limiter, runtime)
  expect(limiter.limit).toBe(64)
  expect(deliveries).toBeLessThan((64 * 65) / 2)
})

test('errors that say nothing about load change nothing', () => {
  const [limiter, runtime] = grownTo(10)
  const { limit } = limiter
  for (let count = 0; count < 100; count++) round(limiter, runtime, 'failed')
  expect([limiter.limit, limiter.running]).toEqual([limit, 0])
})

test('it takes longer for the step that was too much the last time, and only for that', () => {
  const [limiter, runtime] = grownTo(17)
  round(limiter, runtime, 'overload')
  let steps = 0
  const roundsAt: number[] = []
  while (limiter.limit < 19 && ++steps < 100) {
    roundsAt[limiter.limit] = (roundsAt[limiter.limit] ?? 0) + 1
    round(limiter, runtime)
  }
  expect(roundsAt[15]).toBeLessThanOrEqual(2)
  expect(roundsAt[16]).toBeGreaterThanOrEqual(7)
  expect(roundsAt[16]).toBeLessThanOrEqual(9)
  expect(roundsAt[17]).toBeLessThanOrEqual(2)
})

test('a delivery that never ends keeps its place, and the others go on learning', () => {
  const [limiter, runtime] = grownTo(4)
  limiter.begin()
  for (let count = 0; count < 20; count++) round(limiter, runtime)
  expect(limiter.limit).toBeGreaterThan(15)
  round(limiter, runtime, 'overload')
  round(limiter, runtime, 'overload')
  expect(limiter.limit).toBeLessThan(12)
  expect(limiter.running).toBe(1)
})

test('an end that is told twice gives one place back', () => {
  const limiter = new Limiter({ initial: 3 }, new FakeRuntime())
  const [first] = fill(limiter)
  first?.end('delivered')
  first?.end('overload')
  expect([limiter.running, limiter.limit]).toEqual([2, 3])
})

test('where least and most are the same, it stays', () => {
  const runtime = new FakeRuntime()
  const limiter = new Limiter({ min: 5, max: 5 }, runtime)
  for (const how of ['delivered', 'overload', 'failed'] as const)
    for (let count = 0; count < 50; count++) expect(round(limiter, runtime, how, 100 * count)).toBe(5)
})

test('latency that grows with the limit shrinks it before anything is refused', () => {
  const runtime = new FakeRuntime()
  const limiter = new Limiter({}, runtime)
  const limits: number[] = []
  // Ten at once; the others wait for them.
  for (let count = 0; count < 500; count++) {
    limits.push(limiter.limit)
    round(limiter, runtime, 'delivered', 100 * Math.max(1, limiter.limit / 10))
  }
  expect(Math.max(...limits)).toBeLessThanOrEqual(25)
  expect(Math.min(...limits.slice(100))).toBeGreaterThanOrEqual(10)
})

test.for([
  { begins: 'a little', firstMs: 180 },
  { begins: 'much', firstMs: 5_000 },
])('a target that begins $begins slower than it is does not hide its queue for ever', ({ firstMs }) => {
  const runtime = new FakeRuntime()
  const limiter = new Limiter({}, runtime)
  for (let count = 0; count < 8; count++) round(limiter, runtime, 'delivered', firstMs)
  const limits: number[] = []
  for (let count = 0; count < 200; count++) {
    limits.push(limiter.limit)
    round(limiter, runtime, 'delivered', 100 * Math.max(1, limiter.limit / 10))
  }
  expect(Math.max(...limits)).toBeLessThanOrEqual(32)
})

test('latencies from before a decrease do not cause another', () => {
  const [limiter, runtime] = grownTo(10, { max: 10 })
  for (let count = 0; count < 40; count++) round(limiter, runtime)
  // Two rounds of ten, in which a trend of 32 does not end.
  for (let count = 0; count < 2; count++) round(limiter, runtime, 'delivered', 1_000)
  round(limiter, runtime, 'overload')
  const limits: number[] = []
  for (let count = 0; count < 10; count++) {
    round(limiter, runtime)
    limits.push(limiter.limit)
  }
  expect(Math.min(...limits)).toBe(8)
})

test('what takes less than a millisecond tells nothing of a queue', () => {
  const runtime = new FakeRuntime()
  const limiter = new Limiter({}, runtime)
  const limits: number[] = []
  for (let count = 0; count < 100; count++) {
    round(limiter, runtime, 'delivered', count < 8 ? 0 : 0.9)
    limits.push(limiter.limit)
  }
  expect(limits).toEqual(limits.toSorted((a, b) => a - b))
  expect(limiter.limit).toBe(64)
})

test.for([{ min: 1 }, { min: 4 }])(
  'a target that becomes slower by itself keeps its deliveries: %o',
  (options) => {
    const [limiter, runtime] = grownTo(32, { max: 32, ...options })
    let least = Infinity
    for (let count = 0; count < 200; count++) {
      round(limiter, runtime, 'delivered', 1_000)
      least = Math.min(least, limiter.limit)
    }
    expect(least).toBeGreaterThan(8)
    expect(limiter.limit).toBe(32)
  },
)

test('at its least it takes what it measures for usual, and grows again', () => {
  const [limiter, runtime] = grownTo(8, { min: 4 })
  for (let count = 0; count < 30; count++) round(limiter, runtime, 'overload')
  expect(limiter.limit).toBe(4)
  for (let count = 0; count < 60; count++) round(limiter, runtime, 'delivered', 5_000)
  expect(limiter.limit).toBeGreaterThan(16)
})

test('a clock that jumps costs one step', () => {
  const [limiter, runtime] = grownTo(32, { max: 32 })
  round(limiter, runtime, 'delivered', 8 * 3_600_000)
  round(limiter, runtime)
  expect(limiter.limit).toBeGreaterThanOrEqual(25)
  for (let count = 0; count < 30; count++) round(limiter, runtime)
  expect(limiter.limit).toBe(32)
})

const step = fc.record({
  begins: fc.boolean(),
  pick: fc.nat(1_000),
  how: fc.constantFrom<DeliveryEnd>('delivered', 'delivered', 'delivered', 'overload', 'failed'),
  ms: fc.oneof(fc.double({ min: 0, max: 1e4, noNaN: true }), fc.constantFrom(0, 1e12, NaN)),
})

test('law 7 · whatever targets and clocks do: within bounds, one step at a time, one decrease for a round trip', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: -3, max: 100 }),
      fc.array(step, { size: '+2', maxLength: 3_000 }),
      (min, more, initial, steps) => {
        let now = 0
        const limiter = new Limiter({ min, max: min + more, initial }, { monotonicMs: () => now })
        const running: { readonly delivery: Delivery; readonly number: number }[] = []
        let begun = 0
        let begunAtDecrease = 0
        for (const { begins, pick, how, ms } of steps) {
          now = Number.isNaN(ms) ? ms : now + ms
          if (begins) while (limiter.hasRoom) running.push({ delivery: limiter.begin(), number: ++begun })
          const before = limiter.limit
          const [ended] = running.splice(pick % Math.max(1, running.length), 1)
          ended?.delivery.end(how)
          const { limit } = limiter
          expect(Number.isInteger(limit) && limit >= min && limit <= min + more).toBe(true)
          expect(limiter.running).toBe(running.length)
          expect(limit - before).toBeLessThanOrEqual(1)
          expect(limit).toBeGreaterThanOrEqual(Math.max(1, Math.floor(before / 2)))
          if (limit < before) {
            expect(ended?.number).toBeGreaterThan(begunAtDecrease)
            begunAtDecrease = begun
          }
        }
      },
    ),
  )
})

test('a target that takes so many and no more is asked for one more at most', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 400 }), (capacity, rounds) => {
      const runtime = new FakeRuntime()
      const limiter = new Limiter({}, runtime)
      for (let count = 0; count < rounds; count++) {
        const begun = fill(limiter)
        expect(begun.length).toBeLessThanOrEqual(capacity + 1)
        // Who is refused hears of it first.
        for (const refused of begun.splice(capacity)) refused.end('overload')
        runtime.nowMs += 100
        for (const delivery of begun) delivery.end('delivered')
      }
    }),
  )
})
