/** S4: a store for logs that takes an entry at once and writes it with many others. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { SQLITE_DEFAULTS } from '../../src/stores/sqlite/options.ts'
import { foreverMs, pause } from '../../src/testing/stage.ts'
import { Child } from '../support/child.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { ledgerSchema } from '../support/ledger.ts'

const schema = `CREATE TABLE logs (
  id INTEGER PRIMARY KEY, ts INTEGER, level TEXT, service TEXT, message TEXT, attributes TEXT)`
const count = 'SELECT count(*) AS n FROM logs'
const entry = (n: number) => ({
  ts: n,
  level: 'info',
  service: 'api',
  message: `line ${n}`,
  attributes: '{}',
})

// SPEC S4.2
test('law 1 · an entry is taken without waiting for the database, and has its id when it is committed', async () => {
  const file = databaseFile(schema)
  const db = await open(sqlite(file))
  const goOn = await pause(db)
  const receipts = Array.from({ length: 250 }, (_, n) => db.insert('logs', entry(n)))
  expect(receipts.map(({ state }) => state)).toEqual(receipts.map(() => 'pending'))
  expect(look(file, count)).toEqual([{ n: 0 }])

  await goOn()
  const committed = await Promise.all(receipts)
  const ids = look<{ id: number; ts: number }>(file, 'SELECT id, ts FROM logs ORDER BY ts')
  expect(committed.map(({ id }, n) => ({ id, ts: n }))).toEqual(ids)
  await db.close()
})

// SPEC S4.3
test('a batch of 100, 100 ms of linger and a queue of 10,000 can be asked for; the pragmas are set as they should be', async () => {
  const file = databaseFile(schema)
  const db = await open(sqlite(file), {
    batch: { maxOperations: 100, lingerMs: 100 },
    queue: { maxOperations: 10_000 },
  })
  for (let n = 0; n < 1_000; n++) db.insert('logs', entry(n))
  await db.flush()
  expect(db.stats().committed).toMatchObject({ operations: 1_000, batches: 10 })
  await db.close()

  expect(SQLITE_DEFAULTS).toMatchObject({ busyTimeoutMs: 5_000, walAutocheckpoint: 1_000 })
  const preload = new URL('../fault/trace-sql.ts', import.meta.url).pathname
  const program = new URL('../fault/durable-process.ts', import.meta.url)
  const traced = new Child(program, [databaseFile(ledgerSchema), 'process'], {
    node: ['--import', preload],
  })
  await traced.ended
  const pragmas = traced.lines.flatMap((line) => /PRAGMA (\w+ = [\w-]+)/.exec(line)?.[1] ?? [])
  expect(pragmas).toEqual(expect.arrayContaining(['journal_mode = wal', 'synchronous = NORMAL']))
})

// SPEC S4.4
test('law 6 · subscribers are told of an entry when it is accepted, or when it is committed, as they asked', async () => {
  const file = databaseFile(schema)
  await using db = await open(sqlite(file))
  const accepted = db.changes({ when: 'accepted', table: 'logs' })
  const committed = db.changes({ when: 'committed', table: 'logs' })
  const goOn = await pause(db)
  const { position } = db.insert('logs', entry(1))

  // Nothing can be committed yet: only the first of them has something to tell.
  const told = await accepted.next()
  expect(told.value).toMatchObject({ kind: 'insert', position, values: { message: 'line 1' } })
  expect(told.value).not.toHaveProperty('id')
  let isTold = false
  const later = committed.next().then((change) => {
    isTold = true
    return change
  })
  await db.query({ sql: count, parameters: [] }, 'eventual')
  expect(isTold).toBe(false)
  await goOn()
  expect((await later).value).toMatchObject({ kind: 'insert', position, id: 1 })
  expect(look(file, count)).toEqual([{ n: 1 }])
})

// SPEC S4.6
test('laws 7, 9 · a full queue says so at once, a wait can be cancelled, and the shutdown writes what was taken', async () => {
  const file = databaseFile(schema)
  const db = await open(sqlite(file), {
    queue: { maxOperations: 1_000 },
    batch: { lingerMs: foreverMs },
  })
  const goOn = await pause(db)
  const receipts = Array.from({ length: 1_000 }, (_, n) => db.insert('logs', entry(n)))
  expect(() => db.insert('logs', entry(1_001))).toThrow(
    expect.objectContaining({ code: 'QUEUE_FULL', retryable: true }),
  )
  const impatient = receipts[0]?.within(AbortSignal.abort('the request was cancelled'))
  await expect(impatient).rejects.toMatchObject({ cause: 'the request was cancelled' })

  const closed = db.close()
  expect(() => db.insert('logs', entry(1_002))).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  await goOn()
  await closed
  expect(receipts.map(({ state }) => state)).toEqual(receipts.map(() => 'committed'))
  expect(look(file, count)).toEqual([{ n: 1_000 }])
})
