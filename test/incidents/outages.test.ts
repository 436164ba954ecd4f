/** A store that is out of reach for a while, and what was lost in that while elsewhere. Law 1, law 5. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { Child } from '../support/child.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { next } from '../support/events.ts'
import { failureOf } from '../support/failure.ts'
import { Ledger, ledgerSchema } from '../support/ledger.ts'
import { OtherProcess } from '../support/other-process.ts'
import { watchThreads } from '../support/threads.ts'

// Log shippers and queues try a batch three or five times, log the failure, and go on with the next batch: a backup that
// holds the lock for a second then costs rows. Here a retry has no last attempt: it ends when the store answers, or, if
// the program asked for that, with an engine that has stopped and said so.
test('law 5 · incident: rows dropped after N retries', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { busyTimeoutMs: 1 }), { batch: { maxOperations: 50 } })
  const ledger = new Ledger(file)
  await other.run('BEGIN IMMEDIATE')
  // Nobody awaits one of them.
  ledger.insertMany(db, 120)
  db.atomic((group) => {
    for (const n of [-2, -1]) group.insert('rows', { n, writer: 'group', text: 'x' })
  })
  await next(db, 'retry', ({ attempt }) => attempt === 8)
  expect(ledger.unsettled).toBe(120)
  ledger.insertMany(db, 30)
  await other.run('COMMIT')

  expect(await ledger.settle()).toEqual({ committed: 150, rejected: 0, notCommitted: 0, unknown: 0 })
  expect(look(file, "SELECT n FROM rows WHERE writer = 'group' ORDER BY n")).toEqual([{ n: -2 }, { n: -1 }])
  expect(await db.deadLetters(), 'no fault of theirs').toEqual([])
  await db.close()
})

// With a rollback journal a reader keeps a writer from committing, not from writing: COMMIT is where SQLITE_BUSY comes. A
// layer that took COMMIT for granted told its callers that their rows were there; they were still in the transaction,
// and gone with the process. Here a write is acknowledged by what COMMIT returned, and by nothing before it.
test('laws 1, 5 · incident: BUSY at COMMIT losing acknowledged writes', async () => {
  const file = databaseFile(ledgerSchema)
  const reader = new OtherProcess(file)
  const writer = new Child(new URL('busy-process.ts', import.meta.url), [file])
  await writer.said('acknowledged 1')
  await reader.beginReading('rows')
  writer.tell('more')
  await Promise.race([writer.said('retried 3'), writer.said('acknowledged 2')])
  await writer.kill()
  await reader.endReading()

  expect(writer.has('acknowledged 2'), 'it could not be committed, so nobody was told that it was').toBe(
    false,
  )
  await using db = await open(sqlite(file, { journalMode: 'delete' }))
  const read = () => db.read('strong').selectFrom('rows').select('n').execute()
  expect(await read()).toEqual([{ n: 1 }])
  await db.insert('rows', { n: 3, writer: 'after', text: 'x' })
  expect(await read()).toEqual([{ n: 1 }, { n: 3 }])
})

// The one thread that wrote everybody's rows died of an error that nobody had thought of. Nothing crashed: every caller
// waited for an answer that nobody was left to give, and every new one queued up behind. Here a thread that ends fails
// everything it owed, the tidemark tells how far it came, and a new thread goes on; and an engine that stops for good
// tells each caller so.
// SPEC S3.6
test('law 1 · incident: dead flusher thread leaving callers hanging', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { busyTimeoutMs: 50, walAutocheckpoint: 0 }), {
    queue: { maxOperations: 100, whenFull: 'wait' },
    reads: { timeoutMs: 60_000 },
  })
  const ledger = new Ledger(file)
  const rows = Array.from({ length: 20 }, (_, n) => ({ n, writer: 'stream', text: 'x' }))
  await other.run('BEGIN IMMEDIATE')
  const receipts = ledger.insertMany(db, 100)
  const callers = {
    receipts: Promise.all(receipts.map((receipt) => receipt.outcome())),
    flush: db.flush(),
    room: db.ready(),
    transaction: db.transaction(async (trx) => await trx.selectFrom('rows').select('n').execute()),
    read: db.read('strong').selectFrom('rows').select('n').execute(),
    stream: pipeline(Readable.from(rows), db.writable('rows')),
  }
  while (db.stats().inFlight === 0) await nextTurn()
  await threads[0]?.terminate()
  await other.run('COMMIT')

  await Promise.all(Object.values(callers))
  expect(await ledger.check()).toMatchObject({ committed: 100 })
  expect(look(file, "SELECT count(*) AS n FROM rows WHERE writer = 'stream'")).toEqual([{ n: 20 }])

  // Once more, and this time nothing can go on.
  await other.run('BEGIN IMMEDIATE')
  ledger.insertMany(db, 10)
  const flushed = failureOf(db.flush())
  while (db.stats().inFlight === 0) await nextTurn()
  await threads.at(-1)?.terminate()
  await expect(db.close({ timeoutMs: 20 })).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
  expect(await flushed).toMatchObject({ code: 'DEADLINE_PASSED' })
  expect(ledger.unsettled).toBe(0)
  await other.run('COMMIT')
})
