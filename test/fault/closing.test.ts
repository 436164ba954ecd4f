/** How an engine ends, and what a caller who could not wait may do. */
import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { open, ReceiptTimeoutError } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { Child } from '../support/child.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { collect, next } from '../support/events.ts'
import { failureOf } from '../support/failure.ts'
import { Ledger, ledgerSchema } from '../support/ledger.ts'
import { OtherProcess } from '../support/other-process.ts'
import { watchThreads } from '../support/threads.ts'

const schema = `${ledgerSchema}
  CREATE TABLE files (path TEXT PRIMARY KEY, hash TEXT NOT NULL, written INTEGER NOT NULL DEFAULT 0);
  CREATE TRIGGER files_inserted AFTER INSERT ON files BEGIN
    UPDATE files SET written = written + 1 WHERE path = new.path;
  END;
  CREATE TABLE payments (id TEXT PRIMARY KEY, cents INTEGER NOT NULL);`

test('law 9 · close commits a full queue', async () => {
  const file = databaseFile(schema)
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  ledger.insertMany(db, 10_000)
  expect(() => ledger.insert(db)).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }))
  const closed = db.close()
  expect(() => ledger.insert(db)).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  await closed

  expect(ledger.unsettled).toBe(0)
  expect(await ledger.check()).toMatchObject({ committed: 10_000 })
  expect(look(file, 'SELECT watermark, closed FROM tidemark_writers')).toEqual([
    { watermark: 10_000, closed: 1 },
  ])
  await db.close()
})

test('law 9 · close commits a full queue also when it is disposed of, and leaves no log behind', async () => {
  const file = databaseFile(schema)
  const ledger = new Ledger(file)
  {
    await using db = await open(sqlite(file))
    ledger.insertMany(db, 10_000)
  }
  expect(existsSync(`${file}-wal`)).toBe(false)
  expect(ledger.unsettled).toBe(0)
  expect(await ledger.check()).toMatchObject({ committed: 10_000 })
})

test.for([60_000, 1e12, Infinity])(
  'law 9 · a deadline that is long enough commits a full queue and ends the epoch (%d ms)',
  async (timeoutMs) => {
    const file = databaseFile(schema)
    const db = await open(sqlite(file))
    const ledger = new Ledger(file)
    ledger.insertMany(db, 10_000)
    await db.close({ timeoutMs })
    expect(await ledger.check()).toEqual({ committed: 10_000, rejected: 0, notCommitted: 0, unknown: 0 })
    expect(look(file, 'SELECT watermark, closed FROM tidemark_writers')).toEqual([
      { watermark: 10_000, closed: 1 },
    ])
  },
)

test('law 9 · a deadline that passes amid a full queue leaves a prefix, and every receipt says on which side it is', async () => {
  const file = databaseFile(schema)
  const db = await open(sqlite(file), { batch: { maxOperations: 50 } })
  const ledger = new Ledger(file)
  ledger.insertMany(db, 10_000)
  await ledger.receipts[100]
  await expect(db.close({ timeoutMs: 0 })).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })

  const tally = await ledger.check()
  expect(tally.committed).toBeGreaterThan(100)
  expect(tally.notCommitted).toBeGreaterThan(0)
  expect(tally.unknown, 'at most what was in flight: six batches').toBeLessThanOrEqual(300)
})

test('law 9 · after close nothing runs, also when the store was out of reach', async () => {
  const file = databaseFile(schema)
  const child = new Child(new URL('closing-process.ts', import.meta.url), [file])
  await child.said('open')
  const other = new OtherProcess(file)
  await other.run('BEGIN EXCLUSIVE')
  child.tell('go')
  // The lock is never given back: an engine that went on trying would keep the process alive for ever.
  expect(await child.said('closed')).toContain('1 operations were abandoned')
  expect(await child.ended, child.stderr).toEqual({ code: 0, signal: null })
  await other.run('ROLLBACK')
  expect(look(file, 'SELECT * FROM rows')).toEqual([])
})

test('law 9 · an engine that closed while it looked for its tidemark stops looking', async () => {
  const file = databaseFile(schema)
  const threads = watchThreads()
  const other = new OtherProcess(file)
  const store = sqlite(file, { journalMode: 'delete', busyTimeoutMs: 100 })
  const db = await open(store)
  const witness = await open(store)
  const ledger = new Ledger(file)
  await other.run('BEGIN EXCLUSIVE')
  ledger.insert(db)
  // From here on it reads the tidemark, for as long as SQLite waits for the lock.
  await next(db, 'retry')
  const closed = failureOf(db.close({ timeoutMs: 50 }))
  const retries = collect(db, 'retry')
  expect(await closed).toMatchObject({ code: 'DEADLINE_PASSED' })
  await once(threads[0] as Worker, 'exit')

  // Several times as long as the pause before another try would be.
  await expect(witness.upsert('files', { path: 'a', hash: 'x' }).within(400)).rejects.toThrow(
    ReceiptTimeoutError,
  )
  expect(retries).toEqual([])
  expect(threads, 'no thread was started in place of the one that ended').toHaveLength(2)
  await other.run('ROLLBACK')
  await witness.close()
  expect(await ledger.check()).toMatchObject({ notCommitted: 1 })
})

test('law 9 · a transaction whose callback does not return is rolled back at the deadline and never committed later', async () => {
  const file = databaseFile(schema)
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  const inserted = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const transaction = failureOf(
    db.transaction(async (trx) => {
      await trx.insertInto('payments').values({ id: 'late', cents: 1 }).execute()
      inserted.resolve()
      await gate.promise
    }),
  )
  ledger.insertMany(db, 10)
  await inserted.promise
  await expect(db.close({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
  expect(await transaction).toMatchObject({ code: 'DEADLINE_PASSED', outcome: 'not-committed' })
  gate.resolve()
  await new Promise(setImmediate)

  expect(await ledger.check()).toMatchObject({ notCommitted: 10 })
  expect(look(file, 'SELECT * FROM payments')).toEqual([])
  expect(look(file, 'SELECT watermark FROM tidemark_writers')).toEqual([{ watermark: 0 }])
})

test('laws 7, 9 · a stream that waits for room fails when the engine ends', async () => {
  const file = databaseFile(schema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { busyTimeoutMs: 10 }), { queue: { maxOperations: 100 } })
  await other.run('BEGIN IMMEDIATE')
  const full = next(db, 'backpressure')
  const rows = Array.from({ length: 1_000 }, (_, n) => ({ n, writer: 'stream', text: 'x' }))
  const piped = failureOf(pipeline(Readable.from(rows), db.writable('rows')))
  await full
  await expect(db.close({ timeoutMs: 20 })).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
  expect(await piped).toMatchObject({ code: 'CLOSED' })
  await other.run('COMMIT')
})

test('law 3 · a caller that timed out and tries again, by upsert or by a key of its own, has its row once', async () => {
  const file = databaseFile(schema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { busyTimeoutMs: 10 }))
  const rejections = collect(db, 'reject')
  await other.run('BEGIN IMMEDIATE')

  const upsert = () => db.upsert('files', { path: 'a', hash: 'x' })
  const payment = () => db.insert('payments', { id: 'order-17', cents: 500 })
  const first = [upsert(), payment()]
  for (const receipt of first) await expect(receipt.within(20)).rejects.toThrow(ReceiptTimeoutError)
  const again = [upsert(), payment()]
  await other.run('COMMIT')

  expect((await Promise.all(first.map((receipt) => receipt.outcome()))).map(({ kind }) => kind)).toEqual([
    'committed',
    'committed',
  ])
  expect(await again[0]?.outcome()).toMatchObject({ kind: 'committed' })
  // The key of its own is what tells the caller that its first try was through.
  expect(await again[1]?.outcome()).toMatchObject({
    kind: 'rejected',
    error: { storeCode: 'SQLITE_CONSTRAINT_PRIMARYKEY' },
  })
  expect(look(file, 'SELECT path, hash FROM files')).toEqual([{ path: 'a', hash: 'x' }])
  expect(look(file, 'SELECT * FROM payments')).toEqual([{ id: 'order-17', cents: 500 }])
  expect(rejections).toHaveLength(1)
  await db.close()
})
