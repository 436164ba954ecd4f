import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Epoch, Seq, WriterName } from '../contracts/position.ts'
import { endOfOperation } from '../segments.ts'
import { Item, itemMaker } from './item.ts'
import { decodeProgress, encodeProgress, isFinished, isPast, type Progress } from './progress.ts'
import { Window } from './window.ts'

interface Given {
  readonly epoch: number
  readonly key: string | null
  /** It belongs to the same operation as the one before it of its epoch. */
  readonly isSame?: boolean
}

/** Effects of two writers, each in its order, dealt as segments of their own. */
function itemsOf(given: readonly Given[]): Item[] {
  const last = new Map<number, { seq: number; n: number }>()
  return given.map(({ epoch, key, isSame = false }, at) => {
    const { seq: lastSeq, n: lastN } = last.get(epoch) ?? { seq: 0, n: 0 }
    const isNext = isSame && lastSeq > 0
    const [seq, n] = isNext ? [lastSeq, lastN + 1] : [lastSeq + 1, 0]
    last.set(epoch, { seq, n })
    const segment = {
      id: at + 1,
      writer: 'w' as WriterName,
      epoch: epoch as Epoch,
      committedAtMs: 0,
    }
    return itemMaker('embed', segment)(0, { seq: seq as Seq, n, key, payload: at })
  })
}

const given = fc.array(
  fc.record({
    epoch: fc.constantFrom(7, 9),
    key: fc.constantFrom('a', 'b', 'c', null),
    isSame: fc.boolean(),
  }),
  { minLength: 1, maxLength: 40 },
)
/** What is done one after the other: numbers are how many are taken, or which of those that are out ends. */
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('load' as const), n: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ kind: fc.constant('end' as const), n: fc.constant(0) }),
    fc.record({ kind: fc.constant('take' as const), n: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('finish' as const), n: fc.nat(20) }),
    fc.record({ kind: fc.constant('putBack' as const), n: fc.nat(20) }),
    fc.record({ kind: fc.constant('restart' as const), n: fc.constant(0) }),
  ),
  { maxLength: 120 },
)

test('law 8 · whatever is taken and finished in whichever order, the progress tells exactly what is finished, also to a later holder', () => {
  fc.assert(
    fc.property(given, steps, (effects, todo) => {
      const items = itemsOf(effects)
      const done = new Set<Item>()
      let progress: Progress = new Map()
      let window = new Window(64, () => false)
      let loaded = 0
      let out: Item[] = []
      const finish = (some: readonly Item[]): void => {
        progress = decodeProgress(encodeProgress(window.progressWith(progress, new Set(some))))
        for (const item of some) done.add(item)
        window.finish(some, 0)
        window.forget(progress)
        for (const item of items) expect(isFinished(progress, item)).toBe(done.has(item))
      }
      const load = (): void => {
        const item = items[loaded++]
        if (item === undefined) return
        window.load(item, isFinished(progress, item), 0, 10)
        if (!done.has(item)) expect(isPast(progress, item)).toBe(false)
      }
      /** Of a segment, behind whatever was loaded last: all of that operation's effects are loaded then. */
      const end = (): void => {
        const item = items[loaded - 1]
        if (item === undefined) return
        const { epoch, seq } = item
        const isCut = items.slice(loaded).some((other) => other.epoch === epoch && other.seq === seq)
        window.endSegment({ epoch, seq, n: isCut ? item.n : endOfOperation })
        finish([])
        // What is past is done, and what is at the front and done is past.
        const isDone = items.slice(0, loaded).every((other) => other.epoch !== epoch || done.has(other))
        if (isDone) expect(isPast(progress, item)).toBe(true)
        expect(window.isAhead(progress)).toBe(false)
      }
      const takeSome = (n: number): void => {
        out.push(...window.take(n).items)
        const keys = out.flatMap(({ effect }) => effect.key ?? [])
        expect(new Set(keys).size).toBe(keys.length)
        for (const item of out) {
          const older = items.slice(0, items.indexOf(item))
          const isFirst = older.every((other) => other.effect.key !== item.effect.key || done.has(other))
          if (item.effect.key !== undefined) expect(isFirst).toBe(true)
        }
      }
      for (const { kind, n } of todo) {
        if (kind === 'load') for (let at = 0; at < n; at++) load()
        else if (kind === 'end') end()
        else if (kind === 'take') takeSome(n)
        else if (kind === 'restart') {
          window = new Window(64, () => false)
          loaded = 0
          out = []
        } else if (out.length > 0) {
          const [item] = out.splice(n % out.length, 1) as [Item]
          if (kind === 'finish') finish([item])
          else window.putBack([item])
        }
      }
      // Nothing is left behind.
      while (done.size < items.length) {
        if (loaded < items.length) load()
        takeSome(10)
        finish(out.splice(0))
      }
      expect(window.take(10).items).toEqual([])
    }),
    { numRuns: 2_000 },
  )
})

test('law 8 · a later holder that loads again what is finished, before the rest, does not go back', () => {
  const [first, second] = itemsOf([
    { epoch: 1, key: 'a' },
    { epoch: 1, key: 'b' },
  ]) as [Item, Item]
  const before = new Window(64, () => false)
  for (const item of [first, second]) before.load(item, false, 0, 10)
  const progress = before.progressWith(new Map(), new Set([first, second]))
  const after = new Window(64, () => false)
  after.load(first, isFinished(progress, first), 0, 10)
  expect(isFinished(after.progressWith(progress, new Set()), second)).toBe(true)
})

test('law 8 · a later holder that has loaded only some of what was finished out of turn keeps the rest', () => {
  const items = itemsOf(['a', 'b', 'c'].map((key) => ({ epoch: 1, key })))
  const [first, second, third] = items as [Item, Item, Item]
  const before = new Window(64, () => false)
  for (const item of items) before.load(item, false, 0, 10)
  const progress = before.progressWith(new Map(), [second, third])
  const after = new Window(64, () => false)
  for (const item of [first, second]) after.load(item, isFinished(progress, item), 0, 10)
  const behind = after.progressWith(progress, [])
  expect(items.map((item) => isFinished(behind, item))).toEqual([false, true, true])
})

test('law 8 · segments without an effect for the lane are passed at once, and behind what is not finished they are not', () => {
  const [first] = itemsOf([{ epoch: 1, key: 'a' }]) as [Item]
  const window = new Window(64, () => false)
  const endAt = (seq: number) => ({ epoch: 1 as Epoch, seq: seq as Seq, n: endOfOperation })
  window.load(first, false, 0, 10)
  window.endSegment(endAt(1))
  window.endSegment(endAt(2))
  const before = window.progressWith(new Map(), [])
  expect([isPast(before, endAt(1)), window.isAhead(before)]).toEqual([false, false])
  const behind = window.progressWith(before, [first])
  window.finish([first], 0)
  expect([isPast(behind, endAt(2)), window.isAhead(behind)]).toEqual([true, false])
  window.endSegment(endAt(3))
  expect([window.isAhead(behind), window.isAhead(window.progressWith(behind, []))]).toEqual([true, false])
})

test('law 8 · behind an effect that waits in a row of its own, newer ones of its key are held, others are not', () => {
  const items = itemsOf([
    { epoch: 1, key: 'a' },
    { epoch: 1, key: 'b' },
    { epoch: 1, key: 'a' },
    { epoch: 1, key: null },
  ])
  const [first, b, second, other] = items as [Item, Item, Item, Item]
  const waiting = new Set(['a'])
  const window = new Window(64, (key) => waiting.has(key))
  for (const item of items) window.load(item, false, 0, 10)
  expect(window.take(10).items).toEqual([b, other])
  expect(window.takeHeld()).toEqual([first])
  window.finish([first], 0)
  expect(window.takeHeld()).toEqual([second])
})

test('law 8 · an effect that is not due for long is held', () => {
  const [item] = itemsOf([{ epoch: 1, key: 'a' }]) as [Item]
  item.dueAtMs = 1_000
  const window = new Window(64, () => false)
  window.load(item, false, 0, 10)
  expect([window.hasReady, window.takeHeld()]).toEqual([false, [item]])
})

test('law 8 · an effect that is due soon waits where it is, and its key with it', () => {
  const [first, second] = itemsOf([
    { epoch: 1, key: 'a' },
    { epoch: 1, key: 'a' },
  ]) as [Item, Item]
  first.dueAtMs = 120
  const window = new Window(64, () => false)
  for (const item of [first, second]) window.load(item, false, 99, 10)
  window.letDueOn(119)
  expect([window.hasReady, window.hasHeld, window.nextDueMs]).toEqual([false, false, 120])
  window.letDueOn(120)
  expect(window.take(9).items).toEqual([first])
  window.finish([first], 120)
  expect(window.take(9).items).toEqual([second])
})

test('law 7 · no more wait there than a bound, and they take no place from others', () => {
  const items = itemsOf(Array.from({ length: 5_000 }, () => ({ epoch: 1, key: null })))
  const window = new Window(64, () => false)
  for (const item of items) {
    item.dueAtMs = 10
    window.load(item, false, 0, 10)
    if (window.hasHeld) break
    expect(window.isFull).toBe(false)
  }
  expect(window.takeHeld()).toHaveLength(1)
  window.letDueOn(10)
  expect(window.isFull).toBe(true)
  expect(window.take(9_999).items).toEqual(items.slice(0, 4_096))
})

test('of those that only the latest counts of, it alone is given out, and the others are finished with it', () => {
  const items = itemsOf(['a', 'a', 'b', 'a'].map((key) => ({ epoch: 1, key }))).map(
    (item) => new Item(item, item.effect, item.dueAtMs, true, 0),
  )
  const window = new Window(64, () => false)
  for (const item of items) window.load(item, false, 0, 10)
  const { items: taken, superseded } = window.take(10)
  expect(taken).toEqual([items[3], items[2]])
  expect([...superseded.values()]).toEqual([[items[0], items[1]]])
})

test.each([
  { of: 'effects', atOnce: 1_000, length: 10, fullAt: 2_000 },
  { of: 'characters', atOnce: 2_000, length: 1024 * 1024, fullAt: 16 },
  { of: 'effects, though more are delivered at once', atOnce: 1e6, length: 10, fullAt: 16_384 },
  { of: 'effects, though fewer are delivered at once', atOnce: 1, length: 10, fullAt: 1_024 },
])('law 7 · the window is full at so many $of, until one is finished', ({ atOnce, length, fullAt }) => {
  const window = new Window(atOnce, () => false)
  const items = itemsOf(Array.from({ length: fullAt }, () => ({ epoch: 1, key: null })))
  const [first] = items as [Item]
  for (const item of items) {
    expect(window.isFull).toBe(false)
    window.load(item, false, 0, length)
  }
  expect(window.isFull).toBe(true)
  window.finish([first], 0)
  expect(window.isFull).toBe(false)
})

test('law 7 · what is finished behind something that is not keeps nothing, and is kept by nothing', () => {
  const [first, second, third] = itemsOf([
    { epoch: 1, key: 'a' },
    { epoch: 1, key: 'b' },
    { epoch: 1, key: 'b' },
  ]) as [Item, Item, Item]
  const window = new Window(64, () => false)
  for (const item of [first, second, third]) window.load(item, false, 0, 10)
  expect(window.take(3).items).toEqual([first, second])
  window.finish([second], 0)
  expect(second.slot).toMatchObject({ next: undefined, before: undefined, after: undefined })
  expect([first.slot?.after, third.slot?.before]).toEqual([third, first])
  expect(window.take(3).items).toEqual([third])
})
