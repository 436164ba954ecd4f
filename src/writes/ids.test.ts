import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import { failure } from '../../test/support/scripted-store.ts'
import type { IdRange } from '../contracts/store.ts'
import { NotSupportedError, QueueFullError } from '../errors.ts'
import { IdStock, IdStocks } from './ids.ts'

/** A stock whose reservations are answered when a test says so. */
async function stocked(now: 'later' | 'at once' = 'later', capacity = 10) {
  const runtime = new FakeRuntime()
  const asked: { count: number; answer: PromiseWithResolvers<readonly IdRange[]> }[] = []
  const events: string[] = []
  let last = 0
  const block = (count: number): IdRange[] => {
    last += count
    return [{ first: last - count + 1, count }]
  }
  const stock = new IdStock('songs', capacity, runtime, {
    reserve(_table, count) {
      if (now === 'at once') return block(count)
      asked.push({ count, answer: Promise.withResolvers() })
      return (asked.at(-1) as (typeof asked)[number]).answer.promise
    },
    onDry: () => void events.push('dry'),
    onStocked: () => void events.push('stocked'),
    onBrokenChain: () => void events.push('broken chain'),
  })
  const filled = stock.fill()
  const land = async (ranges?: readonly IdRange[]): Promise<void> => {
    const { count, answer } = asked.shift() ?? expect.fail('nothing was asked for')
    answer.resolve(ranges ?? block(count))
    await runtime.settle()
  }
  const fail = async (error: unknown): Promise<void> => {
    asked.shift()?.answer.reject(error)
    await runtime.settle()
  }
  if (now === 'later') await land()
  await filled
  const take = (count: number): number[] => Array.from({ length: count }, () => stock.next())
  return { runtime, asked, events, stock, land, fail, take }
}

test('law 7 · a stock is twice what the queue can hold, and is filled up when half of it is left', async () => {
  const { asked, events, land, take } = await stocked()
  expect(take(10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect(asked).toEqual([])
  take(1)
  expect(asked.map(({ count }) => count)).toEqual([11])
  // As many as the queue can hold, less the one that it holds by now.
  expect(take(9)).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20])
  await land()
  expect(take(11)).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31])
  expect([asked, events]).toEqual([expect.anything(), []])
})

test('law 7 · used up, it refuses and says so once, until more have come', async () => {
  const { asked, events, stock, land, take } = await stocked()
  take(20)
  expect(() => stock.next()).toThrow(QueueFullError)
  expect(() => stock.next()).toThrow(/the ids of table "songs" are used up, and more are being reserved\./)
  expect(events).toEqual(['dry'])
  expect(asked).toHaveLength(1)
  await land()
  expect(events).toEqual(['dry', 'stocked'])
  expect(stock.next()).toBe(21)
})

test('a stock for a very large queue begins smaller, and grows each time that it was used up', async () => {
  const capacity = 2 ** 40
  const { asked, stock, land } = await stocked('later', capacity)
  const most = 2 ** 22
  for (let taken = 0; taken < most; taken++) stock.next()
  expect(asked[0]?.count).toBe(most / 2 + 1)
  expect(() => stock.next()).toThrow(QueueFullError)
  await land()
  stock.next()
  expect(asked[0]?.count).toBe(2 * most - most / 2)
})

test('a producer that is told when there is room may fill the queue twice, so it has twice the ids', () => {
  const asked: number[] = []
  const runtime = new FakeRuntime()
  for (const whenFull of ['reject', 'wait'] as const) {
    const stocks = new IdStocks(['t'], { maxOperations: 10, maxBytes: 1, whenFull }, runtime, {
      reserve: (_table, count) => (asked.push(count), [{ first: 1, count }]),
      onDry: () => undefined,
      onStocked: () => undefined,
      onBrokenChain: () => undefined,
    })
    void stocks.of('t')?.fill()
  }
  expect(asked).toEqual([20, 40])
})

test('law 5 · a reservation that fails is tried again, later each time, while there are ids to give', async () => {
  const { runtime, asked, events, land, fail, take } = await stocked()
  take(11)
  for (const delayMs of [8, 15, 30]) {
    await fail(failure('transient'))
    expect(runtime.timersMs).toEqual([delayMs])
    expect(take(1)).toHaveLength(1)
    await runtime.advance(delayMs - 1)
    expect(asked).toEqual([])
    await runtime.advance(1)
    expect(asked).toHaveLength(1)
  }
  await land()
  expect(take(20)).toHaveLength(20)
  expect(events).toEqual([])
})

test('law 7 · used up while a reservation backs off, it is tried again at once, and the error tells what failed', async () => {
  const { asked, events, stock, fail, take } = await stocked()
  take(20)
  await fail(failure('transient'))
  expect(asked).toEqual([])
  expect(() => stock.next()).toThrow(/being reserved \(the last attempt: scripted transient\)\./)
  expect(asked).toHaveLength(1)
  await fail(failure('transient'))
  expect(() => stock.next()).toThrow(QueueFullError)
  // Only once: those who call again and again do not wear out the store.
  expect([asked, events]).toEqual([[], ['dry']])
  expect(() => stock.next()).toThrow(expect.objectContaining({ retryAfterMs: 15 }))
})

test('law 3 · a broken chain is told, so that somebody finds out whose epoch it is', async () => {
  const { events, fail, take } = await stocked()
  take(11)
  await fail(failure('chain'))
  expect(events).toEqual(['broken chain'])
})

test('law 1 · where no more ids will come, the call says why and nobody waits, until the tables change', async () => {
  const { asked, events, stock, land, fail, take } = await stocked()
  take(20)
  expect(() => stock.next()).toThrow(QueueFullError)
  await fail(failure('rejected'))
  expect(events).toEqual(['dry', 'stocked'])
  expect(() => stock.next()).toThrow(NotSupportedError)
  expect(() => stock.next()).toThrow(/scripted rejected\./)
  expect(asked).toEqual([])
  stock.renew()
  await land([{ first: 7, count: 2 }])
  expect(take(2)).toEqual([7, 8])
})

test('law 3 · when the tables change, what is left is given only until new ids are there', async () => {
  const { asked, stock, land, take } = await stocked()
  take(2)
  stock.renew()
  stock.renew()
  expect(asked.map(({ count }) => count)).toEqual([20])
  const [old] = take(1)
  await land([{ first: 5, count: 20 }])
  // Of another table now: it cannot be taken back.
  stock.giveBack(old ?? 0)
  expect(take(3)).toEqual([5, 6, 7])
})

test('an engine that has stopped reserves nothing more', async () => {
  const { runtime, asked, stock, fail, take } = await stocked()
  take(11)
  await fail(failure('transient'))
  stock.stop()
  expect(runtime.timersMs).toEqual([])
  stock.renew()
  expect(asked).toEqual([])
})

test('law 7 · a store that answers at once never lets it run out', async () => {
  const { events, take } = await stocked('at once')
  const given = take(1_000)
  expect(new Set(given).size).toBe(1_000)
  expect(events).toEqual([])
})

type Step = 'next' | 'refused' | 'land' | 'scattered' | 'transient' | 'time' | 'renew'

test('law 3 · whatever happens, an id that was accepted is never given again, and none that was not reserved', async () => {
  const step = fc.constantFrom<Step>(
    'next',
    'next',
    'next',
    'refused',
    'land',
    'scattered',
    'transient',
    'time',
    'renew',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.nat({ max: 12 })), { maxLength: 60 }), async (steps) => {
      const { runtime, asked, stock, land, fail } = await stocked()
      const reserved = new Set(Array.from({ length: 20 }, (_, index) => index + 1))
      const accepted = new Set<number>()
      let foreign = 20
      const ranges = (count: number, gap: number): IdRange[] => {
        const found: IdRange[] = []
        for (let left = count; left > 0; left -= gap + 1) {
          foreign += gap
          found.push({ first: foreign + 1, count: Math.min(left, gap + 1) })
          foreign += gap + 1
        }
        for (const { first, count: of } of found) for (let id = first; id < first + of; id++) reserved.add(id)
        return found
      }
      for (const [kind, n] of steps) {
        const waiting = asked[0]
        if (kind === 'next' || kind === 'refused') {
          for (let index = 0; index <= n; index++) {
            try {
              const id = stock.next()
              expect(accepted.has(id)).toBe(false)
              expect(reserved.has(id)).toBe(true)
              if (kind === 'next') accepted.add(id)
              else stock.giveBack(id)
            } catch (error) {
              expect(error).toBeInstanceOf(QueueFullError)
            }
          }
        } else if (kind === 'land' && waiting) await land(ranges(waiting.count, 0))
        else if (kind === 'scattered' && waiting) await land(ranges(waiting.count, n % 3))
        else if (kind === 'transient' && waiting) await fail(failure('transient'))
        else if (kind === 'time') await runtime.advance(n * 300)
        else if (kind === 'renew') stock.renew()
      }
    }),
    { numRuns: 200 },
  )
})
