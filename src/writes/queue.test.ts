import { beforeEach, expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import { QueueFullError } from '../errors.ts'
import { PendingBatch } from './batch.ts'
import { Queue, type QueueOptions } from './queue.ts'
import { TransactionTurn } from './transaction-turn.ts'

let runtime: FakeRuntime
let events: string[]
let rate: number

beforeEach(() => {
  runtime = new FakeRuntime()
  events = []
  rate = 0
})

function queueOf(options: Partial<QueueOptions> = {}): Queue {
  return new Queue({ maxOperations: 10, maxBytes: 1_000, whenFull: 'reject', ...options }, runtime, {
    onFull: () => events.push('full'),
    onRoom: () => events.push('room'),
    operationsPerSecond: () => rate,
  })
}

/** Puts one step of this size into the filling batch. */
function add(queue: Queue, operations: number, bytes = 0): void {
  queue.admit(operations, bytes)
  const batch = queue.open()
  const seq = batch.add({ kind: 'group', runs: [], redrives: undefined }, 1, operations, bytes)
  queue.added(operations, bytes, seq)
}

test('law 7 · full at its limit, room at half of it, each told once', async () => {
  const queue = queueOf()
  for (let index = 0; index < 9; index++) add(queue, 1)
  expect([queue.isFull, events]).toEqual([false, []])
  add(queue, 1)
  expect([queue.isFull, events]).toEqual([true, ['full']])
  expect(() => queue.admit(1, 0)).toThrow(QueueFullError)
  let hasRoom = false
  const room = queue.whenRoom().then(() => (hasRoom = true))
  queue.release(4, 0)
  await runtime.settle()
  expect([queue.isFull, hasRoom]).toEqual([true, false])
  queue.release(1, 0)
  await room
  expect([queue.isFull, events]).toEqual([false, ['full', 'room']])
})

test('law 7 · bytes have the same two thresholds, and both must have room', () => {
  const queue = queueOf()
  add(queue, 10, 1_000)
  queue.release(9, 400)
  expect(queue.isFull).toBe(true)
  queue.release(0, 100)
  expect([queue.isFull, events]).toEqual([false, ['full', 'room']])
})

test('law 7 · what does not fit is refused whole, whatever room there is', () => {
  const queue = queueOf()
  add(queue, 8, 10)
  expect(() => queue.admit(3, 0)).toThrow(QueueFullError)
  expect(() => queue.admit(1, 991)).toThrow(QueueFullError)
  expect([queue.operations, queue.bytes, queue.last]).toEqual([8, 10, 1])
  queue.admit(2, 990)
})

test('what can never fit is TOO_LARGE, full or not', () => {
  const queue = queueOf()
  const tooLarge = expect.objectContaining({ code: 'TOO_LARGE', retryable: false }) as Error
  expect(() => queue.admit(11, 0)).toThrow(tooLarge)
  expect(() => queue.admit(1, 1_001)).toThrow(tooLarge)
  add(queue, 10, 0)
  expect(() => queue.admit(11, 0)).toThrow(tooLarge)
})

test('with "wait" it tells that it is full at its limit and refuses at twice it', () => {
  const queue = queueOf({ whenFull: 'wait' })
  for (let index = 0; index < 20; index++) add(queue, 1)
  expect(events).toEqual(['full'])
  expect(() => queue.admit(1, 0)).toThrow(QueueFullError)
})

test('retryAfterMs is the time to fall to half, at the rate of the last commits', () => {
  const queue = queueOf()
  add(queue, 10)
  const retryAfterMs = (): number => {
    try {
      queue.admit(1, 0)
    } catch (error) {
      if (error instanceof QueueFullError) return error.retryAfterMs
    }
    return expect.fail()
  }
  expect(retryAfterMs()).toBe(1_000)
  rate = 1_000
  expect(retryAfterMs()).toBe(5)
  rate = 0.001
  expect(retryAfterMs()).toBe(60_000)
})

test('law 2 · positions count on through batches and turns, and the line keeps their order', () => {
  const queue = queueOf()
  add(queue, 1)
  queue.addTurn((seq) => new TransactionTurn(seq, () => Promise.resolve(), 1_000, runtime))
  add(queue, 1)
  add(queue, 1)
  queue.seal()
  expect(queue.last).toBe(4)
  const line = queue.sealed.map((entry) =>
    entry instanceof PendingBatch ? [entry.prev, entry.last] : entry.seq,
  )
  expect(line).toEqual([[0, 1], 2, [2, 4]])
})

test('law 2 · what is put back stands before everything else, in its order', () => {
  const queue = queueOf()
  for (let index = 0; index < 3; index++) {
    add(queue, 1)
    queue.seal()
  }
  const [first, second] = [queue.takeNext(), queue.takeNext()]
  expect(first && second).toBeDefined()
  if (first && second) queue.putBack([first, second])
  expect(queue.sealed.map((entry) => entry instanceof PendingBatch && entry.last)).toEqual([1, 2, 3])
})

test('an empty batch is none: it is not sealed, not told and holds no position', () => {
  const queue = queueOf()
  queue.open()
  queue.seal()
  expect([queue.filling, queue.sealed]).toEqual([undefined, []])
  queue.addTurn((seq) => new TransactionTurn(seq, () => Promise.resolve(), 1_000, runtime))
  expect(queue.open().prev).toBe(1)
})

test('a batch counts its age from its first operation, not from a call that was refused before', async () => {
  const queue = queueOf()
  queue.open()
  await runtime.advance(60_000)
  add(queue, 1)
  expect(queue.filling?.acceptedAtMs).toBe(runtime.nowMs)
})

test('law 1 · emptied, it gives all that it held and lets those go who wait', async () => {
  const queue = queueOf()
  add(queue, 5)
  queue.seal()
  add(queue, 5)
  const room = queue.whenRoom()
  expect(queue.clear().length).toBe(2)
  await room
  expect([queue.sealed, queue.filling, queue.last]).toEqual([[], undefined, 2])
})
