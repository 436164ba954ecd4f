import { expect, test } from 'vitest'
import type { Seq } from '../contracts/position.ts'
import { scriptedEngine } from '../../test/support/scripted-engine.ts'
import { failure } from '../../test/support/scripted-store.ts'

test('law 3 · a transaction that could not begin is tried again; its callback runs once', async () => {
  const { store, runtime, engine } = scriptedEngine()
  store.beginFailures = [failure('transient'), failure('transient')]
  let runs = 0
  const result = engine.transaction(async () => ++runs, 1_000)
  await runtime.advance(1_000)
  expect(await result).toBe(1)
  expect(store.watermark).toBe(1)
})

test('law 3 · a transaction whose COMMIT was answered by nobody is told from the tidemark: committed', async () => {
  const { store, runtime, engine, insert } = scriptedEngine()
  store.commitEnds = 'lost'
  let runs = 0
  const result = engine.transaction(async () => ++runs, 1_000)
  const [after] = insert(9)
  await runtime.advance(1_000)
  expect(await result).toBe(1)
  await store.landAll(() => runtime.settle())
  expect(after?.state).toBe('committed')
  expect(store.log).toEqual(['2-2'])
})

test('law 3 · a transaction whose COMMIT failed and left no trace is told so, and its position is passed', async () => {
  const { store, runtime, engine, insert, endings } = scriptedEngine()
  store.commitEnds = failure('transient', 'unknown')
  const result = expect(engine.transaction(async () => 'done', 1_000)).rejects.toMatchObject({
    code: 'TRANSACTION_FAILED',
    outcome: 'not-committed',
    retryable: true,
  })
  const flushed = engine.flush()
  const receipts = insert(9)
  await runtime.advance(1_000)
  await store.landAll(() => runtime.settle())
  await Promise.all([result, flushed])
  // An empty batch moved the tidemark over the position without effect.
  expect(store.log).toEqual(['1-1', '2-2'])
  expect(await endings(receipts)).toEqual(['committed'])
})

test('law 1 · abandoned while its COMMIT is under way, a transaction says that its outcome is unknown', async () => {
  const { store, runtime, engine } = scriptedEngine()
  store.commitEnds = 'unanswered'
  const result = expect(engine.transaction(async () => 'done', 1_000)).rejects.toMatchObject({
    code: 'DEADLINE_PASSED',
    outcome: 'unknown',
  })
  await runtime.settle()
  const closed = expect(engine.close(100)).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
  await runtime.advance(100)
  await Promise.all([result, closed])
})

test('law 1 · abandoned before its turn, or in its callback, a transaction is not committed', async () => {
  const { runtime, engine } = scriptedEngine()
  const running = expect(
    engine.transaction(() => new Promise(() => undefined), 60_000),
  ).rejects.toMatchObject({
    code: 'DEADLINE_PASSED',
    outcome: 'not-committed',
  })
  const queued = expect(
    engine.transaction(() => Promise.reject(new Error('ran')), 1_000),
  ).rejects.toMatchObject({
    code: 'DEADLINE_PASSED',
    outcome: 'not-committed',
  })
  await runtime.settle()
  const closed = expect(engine.close(100)).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
  await runtime.advance(100)
  await Promise.all([running, queued, closed])
})

test('law 2 · nothing is sent while a transaction runs, and what was accepted meanwhile follows it', async () => {
  const { store, runtime, engine, insert } = scriptedEngine()
  const ending = Promise.withResolvers<void>()
  const before = insert(1)
  const result = engine.transaction(() => ending.promise, 60_000)
  const after = insert(2)
  await runtime.settle()
  expect(store.log).toEqual(['1-1'])
  store.land()
  await runtime.advance(10_000)
  expect([before[0]?.state, after[0]?.state, store.log.length]).toEqual(['committed', 'pending', 1])
  ending.resolve()
  await runtime.settle()
  await result
  expect(store.log).toEqual(['1-1', '3-3'])
})

test('law 9 · an engine that stops lets go of a transaction whose COMMIT was answered by nobody', async () => {
  const { store, runtime, engine } = scriptedEngine()
  store.commitEnds = failure('transient', 'unknown')
  store.recoverFailures = [failure('fatal')]
  const result = expect(engine.transaction(async () => 'done', 1_000)).rejects.toMatchObject({
    code: 'STORE_FAILED',
    outcome: 'unknown',
  })
  await runtime.advance(1_000)
  await result
  expect(store.rollbacks).toBe(1)
})

test('law 9 · an engine that stops lets go of a transaction whose callback goes on', async () => {
  const { store, runtime, engine } = scriptedEngine()
  const result = expect(engine.transaction(() => new Promise(() => undefined), 60_000)).rejects.toMatchObject(
    { code: 'HISTORY_LOST', outcome: 'not-committed' },
  )
  await runtime.settle()
  engine.lostHistory({ watermark: 0 as Seq, exists: false }, 1 as Seq)
  await result
  expect(store.rollbacks).toBe(1)
})
