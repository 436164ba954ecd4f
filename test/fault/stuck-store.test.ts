/**
 * The writer's thread lives and does not come back: another process holds the write lock, and SQLite waits for it
 * as long as it was told to. Nothing fails; everything just takes for ever.
 */
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { open, ReceiptTimeoutError } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { collect, next } from '../support/events.ts'
import { failureOf } from '../support/failure.ts'
import { Ledger, ledgerSchema } from '../support/ledger.ts'
import { OtherProcess } from '../support/other-process.ts'
import { watchThreads } from '../support/threads.ts'

const forever = 10 * 60_000

test('law 7 · a stuck store raises an alert within five seconds, by default', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  await other.run('BEGIN IMMEDIATE')
  await other.run('ROLLBACK')
  const db = await open(sqlite(file, { busyTimeoutMs: forever }))
  await other.run('BEGIN IMMEDIATE')
  const ledger = new Ledger(file)
  ledger.insertMany(db, 10)
  const retries = collect(db, 'retry')

  const alert = await next(db, 'alert')
  expect(alert).toMatchObject({ kind: 'stalled' })
  expect(alert.sinceMs).toBeLessThan(5_000)
  expect(db.stats()).toMatchObject({ queued: { operations: 10 }, inFlight: 1 })
  expect(retries, 'nothing failed: it is stuck').toEqual([])

  await other.run('COMMIT')
  expect(await ledger.settle()).toMatchObject({ committed: 10 })
  await db.close()
})

test('law 1 · a caller waits only as long as it wants, and the write is committed when the lock is free', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { busyTimeoutMs: forever }))
  await other.run('BEGIN IMMEDIATE')
  const ledger = new Ledger(file)
  const receipt = ledger.insert(db)

  await expect(receipt.within(20)).rejects.toThrow(ReceiptTimeoutError)
  await expect(receipt.within(20)).rejects.toMatchObject({ code: 'RECEIPT_TIMEOUT', outcome: 'unknown' })
  await expect(receipt.within(AbortSignal.timeout(20))).rejects.toThrow(ReceiptTimeoutError)
  await expect(receipt.within(AbortSignal.abort('enough'))).rejects.toMatchObject({ cause: 'enough' })
  expect(receipt.state).toBe('pending')
  expect(ledger.unsettled).toBe(1)

  await other.run('COMMIT')
  expect(await receipt.within(forever)).toMatchObject({ position: { seq: 1 } })
  expect(await ledger.settle()).toMatchObject({ committed: 1 })
  await db.close()
})

test('law 9 · close with a deadline abandons what is stuck: unknown what was sent, not committed the rest', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { busyTimeoutMs: forever }), { batch: { maxOperations: 10 } })
  await other.run('BEGIN IMMEDIATE')
  const ledger = new Ledger(file)
  ledger.insertMany(db, 100)
  // Somebody who waits makes the first batches be sent.
  await expect(ledger.receipts[0]?.within(1)).rejects.toThrow(ReceiptTimeoutError)
  const sent = db.stats().inFlight * 10
  expect(sent).toBeGreaterThan(0)
  const flushed = failureOf(db.flush())

  await expect(db.close({ timeoutMs: 50 })).rejects.toMatchObject({
    code: 'DEADLINE_PASSED',
    message: expect.stringContaining('100 operations were abandoned'),
  })
  expect(await flushed).toMatchObject({ code: 'DEADLINE_PASSED' })
  expect(ledger.unsettled).toBe(0)
  expect(() => ledger.insert(db)).toThrow(expect.objectContaining({ code: 'CLOSED' }))

  // When the lock is free, the statement that was waiting for it is over, and with it the thread.
  const ended = once(threads[0] as Worker, 'exit')
  await other.run('COMMIT')
  await ended
  expect(await ledger.check()).toEqual({
    committed: 0,
    rejected: 0,
    notCommitted: 100 - sent,
    unknown: sent,
  })
  const [{ n } = { n: -1 }] = look<{ n: number }>(file, 'SELECT count(*) AS n FROM rows')
  expect(n, 'at most the batch whose statement was running was committed').toBeLessThanOrEqual(10)
})

test('law 7 · a queue behind a stuck store fills to its limit, says so, and has room again afterwards', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { busyTimeoutMs: forever }), {
    queue: { maxOperations: 500 },
    batch: { maxOperations: 100 },
  })
  await other.run('BEGIN IMMEDIATE')
  const ledger = new Ledger(file)
  const pressure = collect(db, 'backpressure')
  ledger.insertMany(db, 500)
  expect(() => ledger.insert(db)).toThrow(expect.objectContaining({ code: 'QUEUE_FULL', retryable: true }))
  expect(pressure).toMatchObject([{ isFull: true, operations: 500 }])
  const ready = db.ready()

  await other.run('COMMIT')
  await ready
  expect(pressure).toMatchObject([{ isFull: true }, { isFull: false }])
  ledger.insertMany(db, 100)
  expect(await ledger.settle()).toMatchObject({ committed: 600 })
  await db.close()
})
