import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Pacing } from './pacing.ts'

const options = { maxOperations: 1_000, maxTransactionMs: 100 }

// SPEC S3.5
test('a transaction that took too long shrinks the next batch at once', () => {
  const pacing = new Pacing(options)
  pacing.observe(1_000, 400, 400)
  expect(pacing.limit).toBe(200)
  pacing.observe(200, 200, 200)
  expect(pacing.limit).toBe(80)
})

test('full batches that are quick grow it back, to its limit and no further', () => {
  const pacing = new Pacing(options)
  pacing.observe(1_000, 1_000, 1_000)
  const limits = [pacing.limit]
  for (let step = 0; step < 20; step++) {
    pacing.observe(pacing.limit, 10, 10)
    limits.push(pacing.limit)
  }
  expect(limits).toEqual(limits.toSorted((a, b) => a - b))
  expect([limits[0], limits.at(-1)]).toEqual([80, 1_000])
})

test('a batch that was not full says nothing about a larger one', () => {
  const pacing = new Pacing(options)
  pacing.observe(1_000, 200, 200)
  const { limit } = pacing
  pacing.observe(1, 0.1, 0.1)
  expect(pacing.limit).toBe(limit)
})

test('law 7 · whatever it observes, a batch holds at least one operation and at most maxOperations', () => {
  const observation = fc.tuple(
    fc.nat(2_000),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
  )
  fc.assert(
    fc.property(fc.array(observation), (observations) => {
      const pacing = new Pacing(options)
      for (const [operations, transactionMs, commitMs] of observations) {
        pacing.observe(operations, transactionMs, commitMs)
        expect(Number.isInteger(pacing.limit) && pacing.limit >= 1 && pacing.limit <= 1_000).toBe(true)
        expect(Number.isFinite(pacing.operationsPerSecond)).toBe(true)
      }
    }),
  )
})

test('the rate follows the last commits', () => {
  const pacing = new Pacing(options)
  expect(pacing.operationsPerSecond).toBe(0)
  pacing.observe(100, 1, 10)
  expect(pacing.operationsPerSecond).toBeCloseTo(10_000)
  for (let step = 0; step < 50; step++) pacing.observe(100, 1, 100)
  expect(pacing.operationsPerSecond).toBeCloseTo(1_000, 0)
})
