import { describe, expect, test } from 'vitest'
import { scriptedEngine } from '../../test/support/scripted-engine.ts'
import { failure, rejection } from '../../test/support/scripted-store.ts'

const small = { batch: { maxOperations: 2 } }

describe('an unknown outcome', () => {
  test('law 3 · a batch whose reply was lost after COMMIT is not applied again', async () => {
    const { store, runtime, insert, endings, retries } = scriptedEngine()
    const receipts = insert(1, 2, 3)
    await runtime.settle()
    store.lose()
    await runtime.advance(10)
    expect(await endings(receipts)).toEqual(['committed', 'committed', 'committed'])
    expect(store.log).toEqual(['1-3'])
    expect(store.applied).toEqual([1, 2, 3])
    expect(retries.length).toBe(1)
    const later = insert(4)
    await store.landAll(() => runtime.settle())
    expect(await endings(later)).toEqual(['committed'])
    expect(store.applied).toEqual([1, 2, 3, 4])
  })

  test('law 3 · of a batch that was committed half-way, only the rest is sent again', async () => {
    const { store, runtime, insert, endings } = scriptedEngine()
    const receipts = insert(1, 2, 3, 4, 5)
    await runtime.settle()
    store.lose(2)
    await runtime.advance(10)
    expect(store.log).toEqual(['1-5', '3-5'])
    await store.landAll(() => runtime.settle())
    expect(await endings(receipts)).toEqual(Array(5).fill('committed'))
    expect(store.applied).toEqual([1, 2, 3, 4, 5])
  })

  test('law 3 · a batch may be resumed several times', async () => {
    const { store, runtime, insert, endings } = scriptedEngine()
    const receipts = insert(1, 2, 3, 4, 5)
    await runtime.settle()
    for (const watermark of [1, 3, 3, 4]) {
      store.lose(watermark)
      await runtime.advance(10_000)
    }
    await store.landAll(() => runtime.settle())
    expect(store.log).toEqual(['1-5', '2-5', '4-5', '4-5', '5-5'])
    expect(store.applied).toEqual([1, 2, 3, 4, 5])
    expect(await endings(receipts)).toEqual(Array(5).fill('committed'))
  })

  test('law 1 · a rejection whose reply was lost is told from the dead letters', async () => {
    const { store, runtime, insert, endings, engine } = scriptedEngine()
    const rejected: number[] = []
    engine.events.on('reject', ({ position }) => rejected.push(position.seq))
    const receipts = insert(1, 2, 3)
    await runtime.settle()
    store.rejections = [rejection(2)]
    store.lose()
    await runtime.advance(10)
    expect(await endings(receipts)).toEqual(['committed', 'rejected', 'committed'])
    expect(rejected).toEqual([2])
  })

  test('law 3 · when a lost reply is followed by an answer of the batch behind it, neither is applied again', async () => {
    const { store, runtime, insert, endings } = scriptedEngine(small)
    const receipts = insert(1, 2, 3, 4, 5)
    await runtime.settle()
    expect(store.sent.length).toBe(2)
    store.lose()
    store.land()
    await runtime.advance(10)
    await store.landAll(() => runtime.settle())
    expect(store.applied).toEqual([1, 2, 3, 4, 5])
    expect(await endings(receipts)).toEqual(Array(5).fill('committed'))
  })
})

describe('the chain', () => {
  test('law 2 · batches behind one that failed are refused, and all are sent again in order', async () => {
    const { store, runtime, insert, endings } = scriptedEngine(small)
    const receipts = insert(1, 2, 3, 4, 5, 6)
    await runtime.settle()
    expect(store.log).toEqual(['1-2', '3-4', '5-6'])
    store.fail(failure('transient'))
    store.land()
    store.land()
    expect(store.applied).toEqual([])
    await runtime.settle()
    expect(store.sent).toEqual([])
    await runtime.advance(10)
    await store.landAll(() => runtime.settle())
    expect(store.log.slice(3)).toEqual(['1-2', '3-4', '5-6'])
    expect(store.applied).toEqual([1, 2, 3, 4, 5, 6])
    expect(await endings(receipts)).toEqual(Array(6).fill('committed'))
  })

  test('law 2 · what is accepted while the chain restarts stands behind it', async () => {
    const { store, runtime, insert } = scriptedEngine(small)
    insert(1, 2, 3, 4)
    await runtime.settle()
    store.fail(failure('transient'))
    insert(5, 6)
    await runtime.settle()
    insert(7)
    store.land()
    await runtime.advance(10)
    insert(8, 9)
    await store.landAll(() => runtime.settle())
    expect(store.applied).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('law 3 · nothing is sent while an answer is still out', async () => {
    const { store, runtime, insert } = scriptedEngine(small)
    insert(1, 2, 3, 4)
    await runtime.settle()
    store.fail(failure('transient'))
    await runtime.advance(60_000)
    expect([store.log.length, store.recoveries]).toEqual([2, 0])
    store.land()
    await runtime.advance(10)
    expect(store.recoveries).toBe(1)
  })
})

describe('the pace of commits', () => {
  test('a batch is sent at the end of the tick, with all that was accepted in it', async () => {
    const { store, runtime, insert } = scriptedEngine()
    insert(1, 2)
    expect(store.log).toEqual([])
    insert(3)
    await runtime.settle()
    expect(store.log).toEqual(['1-3'])
  })

  test('while a commit is in flight the next batch fills; only a full one is put behind it', async () => {
    const { store, runtime, insert } = scriptedEngine({ batch: { maxOperations: 3 } })
    insert(1)
    await runtime.settle()
    insert(2)
    insert(3)
    await runtime.settle()
    expect(store.log).toEqual(['1-1'])
    insert(4)
    await runtime.settle()
    expect(store.log).toEqual(['1-1', '2-4'])
    insert(5)
    await runtime.settle()
    store.land()
    store.land()
    await runtime.settle()
    expect(store.log).toEqual(['1-1', '2-4', '5-5'])
  })

  test('no more batches are in flight than the store takes', async () => {
    const { store, runtime, insert } = scriptedEngine(small)
    insert(...Array.from({ length: 20 }, (_, index) => index))
    await runtime.settle()
    expect(store.sent.length).toBe(store.maxInFlight)
    store.land()
    await runtime.settle()
    expect(store.sent.length).toBe(store.maxInFlight)
  })

  test('what nobody waits for goes when it has lingered, counted from its first operation', async () => {
    const { store, runtime, engine } = scriptedEngine({ batch: { lingerMs: 50 } })
    engine.operations.insert('t', { id: 1 })
    await runtime.advance(40)
    engine.operations.insert('t', { id: 2 })
    await runtime.advance(9)
    expect(store.log).toEqual([])
    await runtime.advance(1)
    expect(store.log).toEqual(['1-2'])
  })

  test('a batch that follows a full one lingers its own time', async () => {
    const { store, runtime, engine } = scriptedEngine({ batch: { lingerMs: 50, maxOperations: 2 } })
    for (const id of [1, 2]) engine.operations.insert('t', { id })
    await runtime.advance(40)
    engine.operations.insert('t', { id: 3 })
    store.land()
    await runtime.advance(49)
    expect(store.log).toEqual(['1-2'])
    await runtime.advance(1)
    expect(store.log).toEqual(['1-2', '3-3'])
  })

  test('minIntervalMs keeps commits apart', async () => {
    const { store, runtime, insert } = scriptedEngine({ batch: { minIntervalMs: 100, maxOperations: 2 } })
    insert(1, 2, 3)
    await runtime.settle()
    store.land()
    await runtime.advance(99)
    insert(4)
    await runtime.settle()
    expect(store.log).toEqual(['1-2'])
    await runtime.advance(1)
    expect(store.log).toEqual(['1-2', '3-4'])
    store.land()
    await runtime.advance(1_000)
    expect(runtime.timersMs).toEqual([])
  })
})
