/** The writer's thread is gone: ended from outside, at any moment. Nobody who holds a receipt may notice more than a delay. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { collect } from '../support/events.ts'
import { Ledger, ledgerSchema } from '../support/ledger.ts'
import { watchThreads } from '../support/threads.ts'

test('law 5 · a write finds the idle writer thread dead and is committed on a new one', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  await ledger.insert(db)
  await threads[0]?.terminate()

  const retries = collect(db, 'retry')
  await ledger.insert(db)

  expect(retries).toMatchObject([{ attempt: 1, error: { code: 'STORE_FAILED', retryable: true } }])
  expect(db.stats().store.reconnects).toBe(1)
  expect(await ledger.settle()).toMatchObject({ committed: 2 })
  await db.close()
})

// SPEC S3.6
test('laws 1, 2, 3 · a thread that dies with a full queue behind it loses and repeats nothing', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const db = await open(sqlite(file), { batch: { maxOperations: 100 } })
  const ledger = new Ledger(file)
  ledger.insertMany(db, 5_000)
  await ledger.receipts[50]
  expect(db.stats().inFlight).toBeGreaterThan(0)
  await threads[0]?.terminate()

  expect(await ledger.settle()).toEqual({ committed: 5_000, rejected: 0, notCommitted: 0, unknown: 0 })
  expect(db.stats()).toMatchObject({ queued: { operations: 0, bytes: 0 }, store: { reconnects: 1 } })
  expect(look(file, 'SELECT watermark, closed FROM tidemark_writers')).toEqual([
    { watermark: 5_000, closed: 0 },
  ])
  await db.close()
})

test('law 3 · each row is there once, however often and whenever the thread dies', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const db = await open(sqlite(file, { walAutocheckpoint: 0 }), {
    batch: { maxOperations: 20 },
    queue: { whenFull: 'wait' },
  })
  const ledger = new Ledger(file)
  const deaths = 15
  for (let death = 0; death < deaths; death++) {
    ledger.insertMany(db, 60)
    ledger.insert(db, 'poison')
    ledger.insertMany(db, 60)
    // Somewhere among these the commits of this round land: a random turn of the loop hits before, in and after one.
    const turns = Math.floor(Math.random() * 60)
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
    await threads.at(-1)?.terminate()
    // The engine has taken up its work again when a write after the death is through.
    await ledger.insert(db)
  }

  expect(await ledger.settle()).toEqual({
    committed: deaths * 121,
    rejected: deaths,
    notCommitted: 0,
    unknown: 0,
  })
  expect(look(file, 'SELECT count(*) AS n FROM tidemark_dead_letters')).toEqual([{ n: deaths }])
  expect(db.stats().store.reconnects).toBe(deaths)
  await db.close()
})

test('laws 2, 3 · a batch that is committed one operation at a time goes on in its middle when the thread dies there', async () => {
  const file = databaseFile(`${ledgerSchema}
    CREATE TABLE parents (id INTEGER PRIMARY KEY, next INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED);`)
  const threads = watchThreads()
  const db = await open(sqlite(file), { batch: { maxOperations: 5_000 } })
  const ledger = new Ledger(file)
  // One operation with a constraint that is checked at COMMIT, and the whole batch goes step by step.
  ledger.insertMany(db, 2_000)
  const parent = db.insert('parents', { id: 1, next: 404 })
  ledger.insert(db, 'poison')
  ledger.insertMany(db, 2_000)
  const settled = ledger.settle()
  const tidemark = () =>
    look<{ watermark: number }>(file, 'SELECT watermark FROM tidemark_writers')[0]?.watermark ?? 0
  while (tidemark() < 500) await new Promise(setImmediate)
  await threads[0]?.terminate()
  expect(tidemark(), 'it died in the middle').toBeLessThan(4_002)

  expect(await settled).toEqual({ committed: 4_000, rejected: 1, notCommitted: 0, unknown: 0 })
  expect(await parent.outcome()).toMatchObject({
    kind: 'rejected',
    error: { storeCode: 'SQLITE_CONSTRAINT_FOREIGNKEY' },
  })
  expect(look(file, 'SELECT seq FROM tidemark_dead_letters ORDER BY seq')).toEqual([
    { seq: 2_001 },
    { seq: 2_002 },
  ])
  await db.close()
})

test('law 4 · an interactive transaction whose thread dies is rolled back, and the writes behind it go on', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  let runs = 0
  const transaction = db.transaction(async (trx) => {
    runs++
    await trx.insertInto('rows').values({ n: 999, writer: 'transaction', text: 'x' }).execute()
    await threads[0]?.terminate()
    await trx.insertInto('rows').values({ n: 1_000, writer: 'transaction', text: 'x' }).execute()
  })
  ledger.insertMany(db, 10)

  await expect(transaction).rejects.toMatchObject({ code: 'STORE_FAILED', retryable: true })
  expect(await ledger.settle()).toMatchObject({ committed: 10 })
  expect(runs, 'a callback has effects of its own, so it is never run twice').toBe(1)
  expect(look(file, "SELECT * FROM rows WHERE writer = 'transaction'")).toEqual([])
  await db.close()
})

test('law 5 · writes take no notice of the checkpointing thread, also when it dies again and again', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const db = await open(sqlite(file, { walAutocheckpoint: 5 }), { batch: { maxOperations: 50 } })
  const ledger = new Ledger(file)
  let deaths = 0
  while (deaths < 3) {
    ledger.insertMany(db, 200, 'x'.repeat(200))
    await ledger.settle()
    for (const thread of threads.slice(1 + deaths)) {
      await thread.terminate()
      deaths++
    }
  }
  expect(await ledger.settle()).toMatchObject({ notCommitted: 0, unknown: 0 })
  expect(db.stats()).toMatchObject({ retries: 0, store: { reconnects: 0 } })
  await db.close()
})

test('law 6 · a read whose thread dies is run again on another', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const db = await open(sqlite(file, { readers: 1 }))
  const ledger = new Ledger(file)
  await ledger.insert(db)
  await db.read('strong').selectFrom('rows').selectAll().execute()
  const read = db.read('strong').selectFrom('rows').select('n').execute()
  await threads[1]?.terminate()

  expect(await read).toEqual([{ n: 1 }])
  expect(await db.read('strong').selectFrom('rows').select('n').execute()).toEqual([{ n: 1 }])
  await db.close()
})
