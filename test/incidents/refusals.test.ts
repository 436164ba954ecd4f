/** Operations that the database refuses, and what became of them and of their neighbours elsewhere. Law 4, law 5. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { change, databaseFile, look } from '../support/database-file.ts'
import { collect } from '../support/events.ts'
import { Ledger, ledgerSchema, type AnyTidemark } from '../support/ledger.ts'

const foreverMs = 2 ** 31 - 1

// A queue in front of a SQLite server ran its batch, asked whether the batch as a whole had gone through, and looked at
// no single result: rows that a constraint had refused were acknowledged, and gone. Here every operation has an outcome
// of its own, and what is refused is kept by the transaction that moves the tidemark past it.
test('law 5 · incident: statement errors swallowed by a batch', async () => {
  const file = databaseFile(ledgerSchema)
  const db = await open(sqlite(file))
  const told = collect(db, 'reject')
  const row = (n: number, text: string) => db.insert('rows', { n, writer: 'w', text })
  const writes = [
    row(1, 'x'),
    row(2, 'poison'),
    db.write({ sql: 'INSERT INTO later (text) VALUES (?)', parameters: ['x'] }),
    db.write({ sql: "UPDATE rows SET text = 'poison' WHERE n = ?", parameters: [1] }),
    row(3, 'x'),
  ]
  await db.flush()
  expect(db.stats().committed.batches, 'all of them were in one batch').toBe(1)
  expect(writes.map(({ state }) => state)).toEqual([
    'committed',
    'rejected',
    'rejected',
    'rejected',
    'committed',
  ])
  expect(told.map(({ position }) => position.seq)).toEqual([2, 3, 4])
  await db.close()

  // Nobody awaited them. The next process finds all three, and writes what can be written now.
  change(file, 'CREATE TABLE later (text TEXT)')
  await using next = await open(sqlite(file))
  const letters = await next.deadLetters()
  expect(letters.map(({ seq, code }) => [seq, code])).toEqual([
    [2, 'SQLITE_CONSTRAINT_CHECK'],
    [3, 'SQLITE_ERROR'],
    [4, 'SQLITE_CONSTRAINT_CHECK'],
  ])
  const redriven = await next.redrive(letters.map(({ id }) => id))
  expect(redriven.map(({ outcome }) => outcome.kind)).toEqual(['rejected', 'committed', 'rejected'])
  expect(look(file, 'SELECT text FROM later')).toEqual([{ text: 'x' }])
  expect(await next.deadLetters()).toHaveLength(2)
})

// A pipeline sent its rows in batches of hundreds, each all or nothing. One row that could never be stored failed its
// batch, the batch was tried again, and again, and everything behind it waited. Here the database's verdict on a row is
// that row's alone: it is set aside in the same transaction in which its neighbours are committed.
test('law 4 · incident: one poison row blocking hundreds', async () => {
  const file = databaseFile(ledgerSchema)
  const db = await open(sqlite(file), { batch: { maxOperations: 700 } })
  const ledger = new Ledger(file)
  ledger.insert(db, 'poison')
  ledger.insertMany(db, 600)
  ledger.insert(db, 'poison')
  expect(await ledger.settle()).toEqual({ committed: 600, rejected: 2, notCommitted: 0, unknown: 0 })
  expect(db.stats(), 'nothing was tried again, and nothing was taken apart').toMatchObject({
    retries: 0,
    committed: { batches: 1 },
    transactions: { count: 1 },
  })
  // What comes behind does not meet them again.
  ledger.insertMany(db, 600)
  expect(await ledger.settle()).toMatchObject({ committed: 1_200, rejected: 2 })
  expect(db.stats().transactions.count).toBe(2)
  await db.close()
})

// A statement with OR ROLLBACK ended the transaction of the batch that it was in, and nobody looked: the rows before it
// were undone although their callers were told otherwise, those after it were committed one by one, outside of any
// transaction, and again with the retry. Here the transaction is looked at after every statement that fails: the batch
// is run again without the one that ended it.
test('law 4 · incident: OR ROLLBACK ending the batch’s transaction unseen', async () => {
  const file = databaseFile(`${ledgerSchema}
    CREATE TABLE names (name TEXT PRIMARY KEY ON CONFLICT ROLLBACK);
    INSERT INTO names VALUES ('taken');
    CREATE TABLE guarded (id INTEGER PRIMARY KEY);
    CREATE TRIGGER refuse BEFORE INSERT ON guarded BEGIN SELECT RAISE(ROLLBACK, 'none'); END;`)
  const db = await open(sqlite(file), { batch: { maxOperations: 400 } })
  const ledger = new Ledger(file)
  const ending = [
    () => db.write({ sql: "INSERT OR ROLLBACK INTO names VALUES ('taken')", parameters: [] }),
    () => db.insert('names', { name: 'taken' }),
    () => db.insert('guarded', { id: 1 }),
  ]
  const seen: { rows: number; letters: number; tidemark: number }[] = []
  db.on('commit', () => {
    seen.push(
      ...look<(typeof seen)[number]>(
        file,
        `SELECT (SELECT count(*) FROM rows) AS rows, (SELECT count(*) FROM tidemark_dead_letters) AS letters,
           (SELECT watermark FROM tidemark_writers) AS tidemark`,
      ),
    )
  })
  for (let round = 0; round < 9; round++) {
    ledger.insertMany(db, 100)
    ending[round % ending.length]?.()
  }
  ledger.insertMany(db, 100)

  expect(await ledger.settle()).toEqual({ committed: 1_000, rejected: 0, notCommitted: 0, unknown: 0 })
  expect(seen.length).toBeGreaterThan(1)
  for (const { rows, letters, tidemark } of seen)
    expect(rows + letters, 'each operation up to the tidemark is there or set aside').toBe(tidemark)
  expect(seen.at(-1)).toEqual({ rows: 1_000, letters: 9, tidemark: 1_009 })
  await db.close()
})

// Two workers claimed one job by "update where version = 0" and did its work in the same transaction: the update of the
// second changed no row, which is no error, and its COMMIT had been sent already. The same happened to an engine whose
// claim on its writer name was such an update. Here a guard that finds another number of rows refuses its whole group,
// and the fence, which comes first, that of the whole transaction.
test('laws 3, 4 · incident: a conditional update of 0 rows that did not stop the COMMIT', async () => {
  const file = databaseFile(`
    CREATE TABLE jobs (id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
    CREATE TABLE results (job INTEGER NOT NULL, worker TEXT NOT NULL);`)
  const ids = Array.from({ length: 200 }, (_, n) => n + 1)
  const claim = (db: AnyTidemark, job: number, worker: string) =>
    db.atomic((group) => {
      group.insert('results', { job, worker })
      group.update('jobs', { id: job, version: 0 }, { version: 1 }, { expect: 1 })
    })
  const paused = await open(sqlite(file), { writer: 'a', batch: { lingerMs: foreverMs } })
  await paused.insertMany(
    'jobs',
    ids.map((id) => ({ id, version: 0 })),
  )
  const late = ids.map((id) => claim(paused, id, 'paused'))
  await using a = await open(sqlite(file), { writer: 'a' })
  await using b = await open(sqlite(file), { writer: 'b' })
  const lost = await Promise.all(late.map((receipt) => receipt.outcome()))
  const claims = ids.flatMap((id) => [claim(a, id, 'a'), claim(b, id, 'b')])
  const outcomes = await Promise.all(claims.map((receipt) => receipt.outcome()))

  for (const outcome of lost)
    expect(outcome).toMatchObject({ kind: 'abandoned', error: { code: 'FENCED', outcome: 'not-committed' } })
  expect(outcomes.filter(({ kind }) => kind === 'committed')).toHaveLength(ids.length)
  expect(
    outcomes.flatMap((outcome) => (outcome.kind === 'rejected' ? [outcome.error.storeCode] : [])),
  ).toEqual(ids.map(() => 'EXPECTATION_FAILED'))
  expect(look(file, 'SELECT count(*) AS n, count(DISTINCT job) AS jobs FROM results')).toEqual([
    { n: ids.length, jobs: ids.length },
  ])
  expect(look(file, "SELECT * FROM results WHERE worker = 'paused'")).toEqual([])
  await expect(paused.close()).rejects.toMatchObject({ code: 'FENCED' })
})
