import { describe, expect, test } from 'vitest'
import { scriptedEngine } from '../../test/support/scripted-engine.ts'
import { failure, rejection } from '../../test/support/scripted-store.ts'

const small = { batch: { maxOperations: 2 } }

describe('a store that is out of reach', () => {
  test('law 5 · a transient error is retried with growing delays until it passes, and nothing is dropped', async () => {
    const { store, runtime, insert, endings, retries, engine } = scriptedEngine()
    const receipts = insert(1, 2)
    await runtime.settle()
    for (let attempt = 1; attempt <= 12; attempt++) {
      store.fail(failure('transient'))
      await runtime.advance(60_000)
      expect(await endings(receipts)).toEqual(['pending', 'pending'])
    }
    await store.landAll(() => runtime.settle())
    expect(await endings(receipts)).toEqual(['committed', 'committed'])
    expect(store.applied).toEqual([1, 2])
    expect(retries.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1))
    const delays = retries.map(({ delayMs }) => delayMs)
    expect(delays).toEqual(delays.toSorted((a, b) => a - b))
    expect([delays[0], delays.at(-1)]).toEqual([8, 1_500])
    expect(engine.tally.retries).toBe(12)
  })

  test('law 5 · a store that cannot even say its tidemark is asked again', async () => {
    const { store, runtime, insert, endings, retries } = scriptedEngine()
    const receipts = insert(1)
    await runtime.settle()
    store.recoverFailures = [failure('transient'), failure('transient', 'unknown'), failure('transient')]
    store.lose()
    await runtime.advance(10_000)
    expect(store.recoveries).toBe(4)
    expect(retries.length).toBe(4)
    expect(await endings(receipts)).toEqual(['committed'])
    expect(store.applied).toEqual([1])
  })

  test('law 5 · giveUpAfterMs stops the engine with GAVE_UP, and what is pending is not committed', async () => {
    const { store, runtime, insert, endings, alerts } = scriptedEngine({ retry: { giveUpAfterMs: 5_000 } })
    const receipts = insert(1)
    await runtime.settle()
    let steps = 0
    while (store.sent.length > 0 && steps++ < 50) {
      store.fail(failure('transient'))
      await runtime.advance(2_000)
    }
    expect(await endings(receipts)).toEqual(['GAVE_UP not-committed'])
    expect(steps).toBe(4)
    expect(alerts.map(({ kind }) => kind)).toContain('stopped')
    expect(() => insert(2)).toThrow(expect.objectContaining({ code: 'GAVE_UP' }))
  })

  test('law 5 · trouble that passed does not count towards the next', async () => {
    const { store, runtime, insert, endings } = scriptedEngine({ retry: { giveUpAfterMs: 5_000 } })
    for (const id of [1, 2, 3]) {
      const receipts = insert(id)
      await runtime.settle()
      // The reply is lost, and the tidemark tells that it was committed: no answer to a commit ever ended the trouble.
      store.lose()
      await runtime.advance(10_000)
      expect(await endings(receipts)).toEqual(['committed'])
    }
  })

  test('law 5 · a transaction that could not begin does not count towards later trouble once it was committed', async () => {
    const { store, runtime, engine, insert, endings } = scriptedEngine({ retry: { giveUpAfterMs: 5_000 } })
    store.beginFailures = [failure('transient')]
    const result = engine.transaction(() => Promise.resolve('done'), 1_000)
    await runtime.advance(100)
    expect(await result).toBe('done')
    await runtime.advance(10_000)
    const receipts = insert(1)
    await runtime.settle()
    store.fail(failure('transient'))
    await runtime.advance(100)
    await store.landAll(() => runtime.settle())
    expect(await endings(receipts)).toEqual(['committed'])
  })
})

describe('an engine that stops', () => {
  test('law 1 · a fatal error abandons everything, and tells uncertain outcomes from certain ones', async () => {
    const { store, runtime, insert, endings } = scriptedEngine(small)
    const receipts = insert(1, 2, 3, 4, 5, 6, 7, 8)
    await runtime.settle()
    store.land()
    await runtime.settle()
    store.fail(failure('fatal', 'unknown'))
    store.fail(failure('chain'))
    store.fail(failure('chain'))
    await runtime.settle()
    const unknown = Array(2).fill('STORE_FAILED unknown')
    expect(await endings(receipts)).toEqual([
      'committed',
      'committed',
      ...unknown,
      ...Array(4).fill('STORE_FAILED not-committed'),
    ])
    expect(store.recoveries).toBe(0)
  })

  test('law 1 · a lost reply stays unknown when the store fails for good before it can say', async () => {
    const { store, runtime, insert, endings } = scriptedEngine(small)
    const receipts = insert(1, 2, 3, 4)
    await runtime.settle()
    store.recoverFailures = [failure('fatal')]
    store.lose()
    store.fail(failure('chain'))
    await runtime.advance(100)
    expect(await endings(receipts)).toEqual([
      ...Array(2).fill('STORE_FAILED unknown'),
      ...Array(2).fill('STORE_FAILED not-committed'),
    ])
  })

  test('law 1 · a failure that the store did not declare stops the engine', async () => {
    const { store, runtime, insert, endings } = scriptedEngine()
    const receipts = insert(1)
    await runtime.settle()
    store.fail(new TypeError('a fault of its own'))
    await runtime.settle()
    expect(await endings(receipts)).toEqual(['STORE_FAILED unknown'])
  })

  test('law 9 · stopped at its deadline while some answers are out, every receipt settles', async () => {
    const { store, runtime, insert, endings, engine } = scriptedEngine(small)
    const receipts = insert(1, 2, 3, 4, 5, 6, 7)
    await runtime.settle()
    store.fail(failure('transient', 'unknown'))
    await runtime.settle()
    const closed = expect(engine.close(500)).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
    await runtime.advance(500)
    await closed
    expect(await endings(receipts)).toEqual([
      // The first may be committed, its reply was lost; the two behind it are under way; the last was never sent.
      ...Array(6).fill('DEADLINE_PASSED unknown'),
      'DEADLINE_PASSED not-committed',
    ])
    expect(engine.queue.operations).toBe(0)
    // Answers that come too late change nothing.
    store.land()
    store.fail(failure('transient'))
    await runtime.advance(60_000)
    expect(store.log.length).toBe(3)
    expect(runtime.timersMs).toEqual([])
  })

  test('law 9 · stopped while it backs off, nothing runs any more', async () => {
    const { store, runtime, insert, endings, engine } = scriptedEngine()
    const receipts = insert(1)
    await runtime.settle()
    for (let attempt = 0; attempt < 10; attempt++) {
      store.fail(failure('transient'))
      await runtime.advance(attempt < 9 ? 10_000 : 0)
    }
    const closed = expect(engine.close(100)).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
    await runtime.advance(100)
    await closed
    expect(await endings(receipts)).toEqual(['DEADLINE_PASSED not-committed'])
    expect(runtime.timersMs).toEqual([])
  })

  for (const [how, change] of [
    ['behind what is known', { watermark: 1 }],
    ['gone', { exists: false }],
    ['ahead of all that was accepted', { watermark: 1_000 }],
    ['ahead of all that was sent', { watermark: 7 }],
  ] as const) {
    test(`law 10 · a tidemark that is ${how} stops the engine with HISTORY_LOST, and nothing is sent again`, async () => {
      const { store, runtime, insert, endings, engine } = scriptedEngine({
        batch: { maxOperations: 2, lingerMs: 1e9 },
      })
      const known = insert(1, 2, 3, 4)
      await store.landAll(() => runtime.settle())
      const lost = insert(5, 6)
      await runtime.settle()
      const unsent = engine.operations.insert('t', { id: 7 })
      Object.assign(store, change)
      store.fail(failure('chain'))
      await runtime.advance(60_000)
      expect(await endings(known)).toEqual(Array(4).fill('committed'))
      for (const ending of await endings([...lost, unsent])) expect(ending).toMatch(/^HISTORY_LOST /)
      expect(store.log).toEqual(['1-2', '3-4', '5-6'])
    })
  }

  test('law 3 · fenced: what was committed before is told committed, the rest is not', async () => {
    const { store, runtime, insert, endings, engine } = scriptedEngine({ batch: { maxOperations: 4 } })
    const fenced: string[] = []
    engine.events.on('fenced', ({ error }) => fenced.push(error.code))
    const receipts = insert(1, 2, 3, 4, 5)
    await runtime.settle()
    store.rejections = [rejection(1)]
    store.lose(2)
    store.isClosed = true
    await runtime.advance(100)
    expect(await endings(receipts)).toEqual([
      'rejected',
      'committed',
      'FENCED not-committed',
      'FENCED not-committed',
      'FENCED not-committed',
    ])
    expect(fenced).toEqual(['FENCED'])
    await expect(engine.flush()).rejects.toMatchObject({ code: 'FENCED' })
  })

  test('law 1 · those who wait for a position or for room are let go', async () => {
    const { store, runtime, insert, engine } = scriptedEngine({ queue: { maxOperations: 3 } })
    insert(1, 2, 3)
    const flushed = expect(engine.flush()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    const room = engine.whenRoom()
    await runtime.settle()
    while (store.sent.length > 0) store.fail(failure('fatal'))
    await runtime.settle()
    await flushed
    await room
  })
})

describe('the watchdog', () => {
  test('law 1 · a stall is told once, and again after the next stall', async () => {
    const { store, runtime, insert, alerts } = scriptedEngine({ alertAfterMs: 3_000 })
    insert(1)
    await runtime.advance(20_000)
    expect(alerts.map(({ kind }) => kind)).toEqual(['stalled'])
    store.land()
    await runtime.settle()
    insert(2)
    await runtime.advance(20_000)
    expect(alerts.length).toBe(2)
  })

  test('nothing is told when nothing waits: also after a lost reply that turned out well', async () => {
    const { store, runtime, insert, alerts } = scriptedEngine({ alertAfterMs: 3_000 })
    insert(1)
    await runtime.settle()
    store.lose()
    await runtime.advance(60_000)
    expect(alerts).toEqual([])
    expect(runtime.timersMs).toEqual([])
  })

  test('a transaction that cannot begin for long is told as a stall', async () => {
    const { store, runtime, engine, alerts } = scriptedEngine({ alertAfterMs: 3_000 })
    store.beginFailures = Array.from({ length: 100 }, () => failure('transient'))
    const result = engine.transaction(() => Promise.resolve('done'), 1_000)
    await runtime.advance(20_000)
    expect(alerts.map(({ kind }) => kind)).toEqual(['stalled'])
    store.beginFailures = []
    await runtime.advance(20_000)
    expect(await result).toBe('done')
  })
})
