/** The commit happened, and its answer never came. Only the tidemark in the file can tell, and it does. */
import { expect, test } from 'vitest'
import { open, type Tidemark } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import type { Worker } from 'node:worker_threads'
import { databaseFile, look } from '../support/database-file.ts'
import { collect, next } from '../support/events.ts'
import { failureOf } from '../support/failure.ts'
import { Ledger, ledgerSchema } from '../support/ledger.ts'
import { OtherProcess } from '../support/other-process.ts'
import { dieBeforeAnswering, watchThreads } from '../support/threads.ts'

// SPEC S3.7
test('law 3 · a batch whose reply was lost after COMMIT is not applied again', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  const lost = dieBeforeAnswering(threads[0] as Worker)
  ledger.insertMany(db, 100)
  ledger.insert(db, 'poison')
  const rejections = collect(db, 'reject')
  const settled = ledger.settle()
  await lost
  expect(look(file, 'SELECT count(*) AS n FROM rows'), 'it is committed').toEqual([{ n: 100 }])

  expect(await settled).toEqual({ committed: 100, rejected: 1, notCommitted: 0, unknown: 0 })
  expect(rejections, 'what was rejected is told from the dead letters').toMatchObject([
    { storeCode: 'SQLITE_CONSTRAINT_CHECK', position: { seq: 101 } },
  ])
  expect(look(file, 'SELECT count(*) AS n FROM tidemark_dead_letters')).toEqual([{ n: 1 }])
  await ledger.insert(db)
  expect(await ledger.settle()).toMatchObject({ committed: 101 })
  await db.close()
})

test('law 3 · a transaction whose reply to COMMIT was lost is told committed, and is not run again', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const db = await open(sqlite(file))
  let runs = 0
  const result = await db.transaction(async (trx) => {
    runs++
    await trx.insertInto('rows').values({ n: 1, writer: 'transaction', text: 'x' }).execute()
    void dieBeforeAnswering(threads[0] as Worker)
    return 'done'
  })
  expect(result).toBe('done')
  expect(runs).toBe(1)
  expect(look(file, 'SELECT n FROM rows')).toEqual([{ n: 1 }])
  await db.close()
})

test('law 1 · an engine that closes before it could look says "unknown" of a commit whose reply was lost', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { journalMode: 'delete', busyTimeoutMs: 10 }))
  const ledger = new Ledger(file)
  ledger.insertMany(db, 10)
  const first = ledger.receipts[0]?.outcome()
  // The lock keeps the engine from reading the tidemark, which would tell it that the batch is committed.
  await dieBeforeAnswering(threads[0] as Worker, () => other.run('BEGIN EXCLUSIVE'))
  await next(db, 'retry')
  ledger.insertMany(db, 5)

  await expect(db.close({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
  expect(await first).toMatchObject({ kind: 'abandoned', error: { outcome: 'unknown' } })
  await other.run('ROLLBACK')
  expect(await ledger.check()).toEqual({ committed: 0, rejected: 0, notCommitted: 5, unknown: 10 })
  expect(look(file, 'SELECT count(*) AS n FROM rows'), 'and committed it was').toEqual([{ n: 10 }])
})

test('law 1 · a transaction abandoned at COMMIT says "unknown", not "not committed"', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { journalMode: 'delete', busyTimeoutMs: 10 }))
  const dying = Promise.withResolvers<void>()
  const transaction = db.transaction(async (trx) => {
    await trx.insertInto('rows').values({ n: 1, writer: 'transaction', text: 'x' }).execute()
    dying.resolve(dieBeforeAnswering(threads[0] as Worker, () => other.run('BEGIN EXCLUSIVE')))
  })
  const failed = failureOf(transaction)
  await dying.promise

  await expect(db.close({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
  expect(await failed).toMatchObject({ code: 'DEADLINE_PASSED', outcome: 'unknown' })
  await other.run('ROLLBACK')
  expect(look(file, 'SELECT n FROM rows')).toEqual([{ n: 1 }])
})

test('law 1 · no alarm is raised for batches that the tidemark proved to be committed', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const db = await open(sqlite(file), { alertAfterMs: 40 })
  const ledger = new Ledger(file)
  const lost = dieBeforeAnswering(threads[0] as Worker)
  const receipt = ledger.insert(db)
  await lost
  await receipt
  const alerts = collect(db, 'alert')

  // The alarm of an engine that is stuck for longer is the signal that this one's time is over.
  const stuckFile = databaseFile(ledgerSchema)
  const other = new OtherProcess(stuckFile)
  const stuck = await open(sqlite(stuckFile), { alertAfterMs: 120 })
  await other.run('BEGIN IMMEDIATE')
  const pending = stuck.insert('rows', { n: 1, writer: 'stuck', text: 'x' })
  const alarm = next(stuck, 'alert')
  void pending.outcome()
  await alarm
  expect(alerts).toEqual([])

  await other.run('COMMIT')
  await pending
  await stuck.close()
  await db.close()
})

test('law 5 · each trouble is given its own time: one that is over does not count against the next', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  // Less time than it takes to start a new thread, but the engine looks at the clock only before it tries.
  const db = await open(sqlite(file, { walAutocheckpoint: 0 }), { retry: { giveUpAfterMs: 20 } })
  const ledger = new Ledger(file)
  for (let trouble = 0; trouble < 3; trouble++) {
    const lost = dieBeforeAnswering(threads.at(-1) as Worker)
    const receipt = ledger.insert(db)
    await lost
    await receipt
  }
  expect(await ledger.settle()).toMatchObject({ committed: 3 })
  await db.close()
})

test('law 8 · of two that recover at once, and hear nothing of their commits, the one that was refused looks again', async () => {
  const file = databaseFile(`CREATE TABLE chunks (id INTEGER PRIMARY KEY, vector TEXT);
    INSERT INTO chunks VALUES (1, NULL), (2, NULL), (3, NULL)`)
  const threads = watchThreads()
  const other = new OtherProcess(file)
  const engines: Tidemark<Record<string, Record<string, unknown>>>[] = []
  const writers: Worker[] = []
  for (const _ of [1, 2]) {
    const index = threads.length
    engines.push(await open(sqlite(file, { busyTimeoutMs: 60_000 })))
    writers.push(threads[index] as Worker)
  }
  await other.run('BEGIN IMMEDIATE')
  const recovering = engines.map((db, index) => {
    const sql = `SELECT id AS key FROM chunks WHERE vector IS NULL AND id BETWEEN ${index + 1} AND ${index + 2}`
    return db.effects.recover('embed', { missing: { sql, parameters: [] }, dryRun: false })
  })
  // Both have looked, and neither can commit.
  await expect.poll(() => engines.map((db) => db.stats().inFlight), { timeout: 30_000 }).toEqual([1, 1])
  const lost = writers.map((writer) => dieBeforeAnswering(writer))
  await other.run('COMMIT')
  await Promise.all(lost)

  const found = await Promise.all(recovering)
  expect(found.flatMap(({ missing }) => missing).toSorted()).toEqual(['1', '2', '3'])
  expect(await engines[0]?.effects.stats('embed')).toMatchObject({ queued: 3 })
  for (const db of engines) await db.close()
})
