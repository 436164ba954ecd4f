import { expect, test } from 'vitest'
import type { Seq } from '../contracts/position.ts'
import { EngineStoppedError } from '../errors.ts'
import { Waiters } from './waiters.ts'

test('those are told whose position is reached, and nobody else, in whatever order they came', async () => {
  const waiters = new Waiters()
  const reached: number[] = []
  const waits = [5, 1, 3, 3, 9].map((seq) => waiters.wait(seq as Seq).done.then(() => reached.push(seq)))
  waiters.advance(0 as Seq)
  waiters.advance(3 as Seq)
  await Promise.all([waits[1], waits[2], waits[3]])
  expect(reached).toEqual([1, 3, 3])
  waiters.advance(100 as Seq)
  await Promise.all(waits)
  expect(reached.toSorted((a, b) => a - b)).toEqual([1, 3, 3, 5, 9])
})

test('law 1 · when the engine stops, those who wait are told why', async () => {
  const waiters = new Waiters()
  const error = new EngineStoppedError('FENCED', 'x')
  const waits = [1, 2].map((seq) => waiters.wait(seq as Seq).done)
  waiters.advance(1 as Seq)
  waiters.abandon(error)
  await waits[0]
  await expect(waits[1]).rejects.toBe(error)
})

test('law 7 · a wait that is given up is forgotten, and disturbs no other', async () => {
  const waiters = new Waiters()
  const [first, second] = [waiters.wait(2 as Seq), waiters.wait(2 as Seq)]
  let isFirstDone = false
  void first.done.then(() => (isFirstDone = true))
  first.cancel()
  first.cancel()
  waiters.advance(2 as Seq)
  await second.done
  expect(isFirstDone).toBe(false)
})
