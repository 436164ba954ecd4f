import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import type { Epoch, Position, Seq, WriterName } from '../contracts/position.ts'
import { EngineStoppedError } from '../errors.ts'
import type { Change } from './change.ts'
import { Subscription, type Bounds, type ChangeIterator } from './subscription.ts'

function positionOf(seq: number): Position {
  return { writer: 'w' as WriterName, epoch: 1 as Epoch, seq: seq as Seq }
}

function subscription(bounds: Partial<Bounds> = {}, signal?: AbortSignal) {
  const ended: Subscription[] = []
  const made = new Subscription({ maxBuffered: 100, maxBufferedBytes: 1_000, ...bounds }, signal, (one) =>
    ended.push(one),
  )
  const add = (from: number, to: number, bytes = 10): void => {
    for (let seq = from; seq <= to; seq++)
      made.add(bytes, positionOf(seq), () => ({
        kind: 'delete',
        table: 't',
        position: positionOf(seq),
        key: { id: seq },
      }))
  }
  return { made, add, ended }
}

/** Positions taken; of a gap, `missed` and the position. */
async function taken(from: ChangeIterator, count: number): Promise<(number | string)[]> {
  const all: (number | string)[] = []
  while (all.length < count) {
    const { value } = await from.next()
    all.push(value ? shown(value) : 'end')
  }
  return all
}

function shown(change: Change): number | string {
  return change.kind === 'gap' ? `${change.missed} missed to ${change.position.seq}` : change.position.seq
}

const fenced = new EngineStoppedError('FENCED', 'fenced.')

test('changes are given in the order in which they came, whether they or their takers come first', async () => {
  const { made, add } = subscription()
  const early = [made.next(), made.next()]
  add(1, 4)
  expect((await Promise.all(early)).map(({ value }) => value && shown(value))).toEqual([1, 2])
  expect(await taken(made, 2)).toEqual([3, 4])
})

test('law 7 · a full buffer leaves changes out until it is emptied; then a gap counts them, and it goes on', async () => {
  const { made, add } = subscription({ maxBuffered: 3 })
  add(1, 5)
  expect(await taken(made, 1)).toEqual([1])
  // There is room again, but what would be taken next would hide that 4 and 5 are missing.
  add(6, 6)
  expect(await taken(made, 3)).toEqual([2, 3, '3 missed to 6'])
  add(7, 8)
  expect(await taken(made, 2)).toEqual([7, 8])
  add(9, 12)
  expect(await taken(made, 4)).toEqual([9, 10, 11, '1 missed to 12'])
})

test('law 7 · the buffer is full at its bytes, and one that never fits is a gap', async () => {
  const { made, add } = subscription({ maxBufferedBytes: 100 })
  add(1, 2, 40)
  add(3, 3, 21)
  expect(await taken(made, 3)).toEqual([1, 2, '1 missed to 3'])
  add(4, 4, 101)
  add(5, 5, 1)
  expect(await taken(made, 1)).toEqual(['2 missed to 5'])
  add(6, 7, 50)
  expect(await taken(made, 1)).toEqual([6])
  // What is taken is no longer counted.
  add(8, 8, 50)
  expect(await taken(made, 2)).toEqual([7, 8])
})

test('law 7 · one that nobody takes from holds what its bounds say, and what is left out is not even made', () => {
  let made = 0
  const { made: forgotten } = subscription({ maxBuffered: 10 })
  for (let seq = 1; seq <= 10_000; seq++) {
    forgotten.add(1, positionOf(seq), () => {
      made++
      return { kind: 'delete', table: 't', position: positionOf(seq), key: {} }
    })
  }
  expect(made).toBe(10)
})

test('law 7 · a consumer that keeps up never meets a gap, however much comes', async () => {
  const { made, add } = subscription({ maxBuffered: 2, maxBufferedBytes: 20 })
  add(0, 0)
  for (let seq = 1; seq <= 1_000; seq++) {
    add(seq, seq)
    expect(await taken(made, 1)).toEqual([seq - 1])
  }
})

test('what is buffered when the engine closes can be taken, the gap too; then it ends', async () => {
  const { made, add, ended } = subscription({ maxBuffered: 2 })
  add(1, 3)
  made.drain(undefined)
  expect(ended).toEqual([made])
  expect(await taken(made, 5)).toEqual([1, 2, '1 missed to 3', 'end', 'end'])
})

test('what is buffered when the engine stops can be taken; then its error comes, once', async () => {
  const { made, add } = subscription()
  add(1, 1)
  made.drain(fenced)
  expect(await taken(made, 1)).toEqual([1])
  await expect(made.next()).rejects.toBe(fenced)
  expect(await taken(made, 2)).toEqual(['end', 'end'])
})

test('of those who wait when the engine stops, the first is told why and the others that it ended', async () => {
  const { made } = subscription()
  const waiting = [made.next(), made.next()]
  made.drain(fenced)
  const ends = await Promise.allSettled([...waiting, made.next()])
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
})

test.each(['return', 'abort'])('law 7 · %s ends it at once and drops what is buffered', async (how) => {
  const abort = new AbortController()
  const { made, add, ended } = subscription({ maxBuffered: 2 }, abort.signal)
  add(1, 5)
  if (how === 'return') await made.return()
  else abort.abort()
  expect(ended).toContain(made)
  expect(await taken(made, 1)).toEqual(['end'])
})

test('whoever waits when it is ended is told so, without an error', async () => {
  const abort = new AbortController()
  const { made } = subscription({}, abort.signal)
  const waiting = [made.next(), made.next()]
  abort.abort()
  expect((await Promise.all(waiting)).map(({ done }) => done)).toEqual([true, true])
})

test('leaving a loop ends it', async () => {
  const { made, add, ended } = subscription()
  add(1, 3)
  for await (const change of made) if (shown(change) === 2) break
  expect(ended).toContain(made)
  expect(await taken(made, 1)).toEqual(['end'])
})

test('law 7 · a signal that outlives its subscriptions does not keep them', async () => {
  const { signal } = new AbortController()
  const ends: ((one: Subscription) => unknown)[] = [(one) => one.return(), (one) => one.drain(undefined)]
  for (const end of ends) await end(subscription({}, signal).made)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})
