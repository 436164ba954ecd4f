/**
 * SQLITE_BUSY from another process, wherever SQLite can say it: at BEGIN, at COMMIT, and at a statement that reads.
 * The statements of a batch themselves cannot meet it: BEGIN IMMEDIATE has taken the lock that they need.
 */
import { expect, test } from 'vitest'
import { open, StoreError } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { collect, next } from '../support/events.ts'
import { Ledger, ledgerSchema } from '../support/ledger.ts'
import { OtherProcess } from '../support/other-process.ts'

const busy = { error: { storeCode: 'SQLITE_BUSY', retryable: true, outcome: 'not-committed' } }

// SPEC S3.4, S4.5
test('laws 2, 3, 5 · SQLITE_BUSY at BEGIN is retried in order until the other process lets go', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { busyTimeoutMs: 5 }), { batch: { maxOperations: 50 } })
  const ledger = new Ledger(file)
  await other.run('BEGIN IMMEDIATE')
  ledger.insertMany(db, 500)
  ledger.insert(db, 'poison')
  const retries = collect(db, 'retry')
  await next(db, 'retry', ({ attempt }) => attempt === 3)
  expect(ledger.unsettled).toBe(501)
  ledger.insertMany(db, 500)
  await other.run('COMMIT')

  expect(await ledger.settle()).toEqual({ committed: 1_000, rejected: 1, notCommitted: 0, unknown: 0 })
  expect(retries[0]).toMatchObject({ attempt: 1, ...busy })
  expect(retries.map(({ attempt }) => attempt)).toEqual(retries.map((_, index) => index + 1))
  expect(db.stats()).toMatchObject({ retries: retries.length, store: { reconnects: 0 } })
  await db.close()
})

test('laws 3, 5 · SQLITE_BUSY at COMMIT loses nothing, and what the statements did is not there twice', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  // Without a write-ahead log a reader does not keep a transaction from beginning, only from committing.
  const store = sqlite(file, { journalMode: 'delete', busyTimeoutMs: 5, cacheBytes: 16 * 1024 })
  const db = await open(store, { batch: { maxOperations: 400 } })
  const ledger = new Ledger(file)
  ledger.insertMany(db, 10)
  await ledger.settle()
  await other.beginReading('rows')
  // More than the cache holds: the statements would like to write to the file already, and must not.
  ledger.insertMany(db, 2_000, 'x'.repeat(500))
  const retries = collect(db, 'retry')
  await next(db, 'retry', ({ attempt }) => attempt === 3)
  expect(ledger.unsettled).toBe(2_000)
  await other.endReading()

  expect(await ledger.settle()).toMatchObject({ committed: 2_010 })
  expect(retries[0]).toMatchObject({ attempt: 1, ...busy })
  await db.close()
})

test('laws 3, 5 · SQLITE_BUSY at the statement that reads the tidemark is retried like the commit before it', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { journalMode: 'delete', busyTimeoutMs: 5 }))
  const ledger = new Ledger(file)
  // This lock keeps readers out too: the first failure is BEGIN's, the next ones are those of the look-up.
  await other.run('BEGIN EXCLUSIVE')
  ledger.insertMany(db, 10)
  await next(db, 'retry', ({ attempt }) => attempt === 4)
  await other.run('COMMIT')
  expect(await ledger.settle()).toMatchObject({ committed: 10 })
  await db.close()
})

test('law 6 · a read that meets SQLITE_BUSY fails clearly, and the next one works', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { journalMode: 'delete', busyTimeoutMs: 5, readers: 1 }))
  const ledger = new Ledger(file)
  await ledger.insert(db)
  const read = () => db.read('eventual').selectFrom('rows').select('n').execute()
  await other.run('BEGIN EXCLUSIVE')
  // The first opens the reader's connection, the second finds it open or not.
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(read()).rejects.toSatisfy((error) => error instanceof StoreError && error.retryable)
    await expect(read()).rejects.toMatchObject({ code: 'STORE_FAILED', storeCode: 'SQLITE_BUSY' })
  }
  await other.run('COMMIT')

  expect(await read()).toEqual([{ n: 1 }])
  await db.close()
})

test('law 4 · a transaction that finds the lock taken begins later, and its callback runs once', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { busyTimeoutMs: 5 }))
  const ledger = new Ledger(file)
  await other.run('BEGIN IMMEDIATE')
  let runs = 0
  const transaction = db.transaction(async (trx) => {
    runs++
    await trx.insertInto('rows').values({ n: 1, writer: 'transaction', text: 'x' }).execute()
  })
  ledger.insertMany(db, 10)
  await next(db, 'retry', ({ attempt }) => attempt === 3)
  expect(runs).toBe(0)
  await other.run('COMMIT')

  await transaction
  expect(runs).toBe(1)
  expect(await ledger.settle()).toMatchObject({ committed: 10 })
  expect(look(file, 'SELECT writer FROM rows ORDER BY id LIMIT 2')).toEqual([
    { writer: 'transaction' },
    { writer: 'ledger' },
  ])
  await db.close()
})

test('law 4 · a transaction that meets SQLITE_BUSY at COMMIT is rolled back and says that it may be run again', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { journalMode: 'delete', busyTimeoutMs: 5 }))
  const ledger = new Ledger(file)
  await ledger.insert(db)
  const insert = () =>
    db.transaction(async (trx) => {
      await trx.insertInto('rows').values({ n: 1, writer: 'transaction', text: 'x' }).execute()
    })
  await other.beginReading('rows')
  await expect(insert()).rejects.toMatchObject({
    code: 'TRANSACTION_FAILED',
    retryable: true,
    outcome: 'not-committed',
  })
  await other.endReading()
  await insert()
  await ledger.insert(db)

  expect(look(file, 'SELECT writer FROM rows ORDER BY id')).toEqual([
    { writer: 'ledger' },
    { writer: 'transaction' },
    { writer: 'ledger' },
  ])
  expect(await ledger.settle()).toMatchObject({ committed: 2 })
  await db.close()
})

test('law 7 · a transaction that never gets the lock raises the alarm as a batch does', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { busyTimeoutMs: 5 }), { alertAfterMs: 100 })
  await other.run('BEGIN IMMEDIATE')
  const transaction = db.transaction(async (trx) => {
    await trx.insertInto('rows').values({ n: 1, writer: 'transaction', text: 'x' }).execute()
  })
  expect(await next(db, 'alert')).toMatchObject({ kind: 'stalled' })
  await other.run('COMMIT')
  await transaction
  await db.close()
})
