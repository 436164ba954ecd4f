/**
 * Operations that can never succeed, on a real file and under load: they become dead letters and touch nobody
 * else. The conformance suite has each case by itself; here they come all at once, and again after a lost reply.
 */
import type { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { collect } from '../support/events.ts'
import { Ledger, ledgerSchema } from '../support/ledger.ts'
import { dieBeforeAnswering, watchThreads } from '../support/threads.ts'

const schema = `${ledgerSchema}
  CREATE TABLE parents (id INTEGER PRIMARY KEY);
  CREATE TABLE children (
    id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED
  );
  CREATE TABLE unique_names (name TEXT PRIMARY KEY);
  INSERT INTO unique_names VALUES ('taken');
  CREATE TABLE guarded (id INTEGER PRIMARY KEY);
  CREATE TRIGGER refuse_13 BEFORE INSERT ON guarded WHEN new.id = 13 BEGIN SELECT RAISE(ROLLBACK, 'not 13'); END;`

test('laws 4, 5 · poison of every kind amid good rows is set aside, and every neighbour is committed', async () => {
  const file = databaseFile(schema)
  const db = await open(sqlite(file), { batch: { maxOperations: 2_000 } })
  const ledger = new Ledger(file)
  const rejections = collect(db, 'reject')
  const poison = [
    () => ledger.insert(db, 'poison'),
    () => db.write({ sql: "INSERT OR ROLLBACK INTO unique_names VALUES ('taken')", parameters: [] }),
    () => db.insertMany('guarded', [{ id: 1 }, { id: 13 }]),
    () => db.insert('guarded', { id: 13 }),
    () => db.insert('children', { id: 1, parent: 404 }),
    () => db.update('guarded', { id: 404 }, { id: 405 }, { expect: 1 }),
    () =>
      db.atomic((group) => {
        group.insert('rows', { n: -1, writer: 'group', text: 'x' })
        group.insert('rows', { n: -2, writer: 'group', text: 'poison' })
      }),
    () =>
      db.atomic((group) => {
        group.insert('rows', { n: -3, writer: 'group', text: 'x' })
        group.write({ sql: "INSERT OR ROLLBACK INTO unique_names VALUES ('taken')", parameters: [] })
      }),
  ]
  const refused = poison.map((write) => {
    ledger.insertMany(db, 20)
    return write()
  })
  ledger.insertMany(db, 20)

  const outcomes = await Promise.all(refused.map((receipt) => receipt.outcome()))
  expect(outcomes.map((outcome) => outcome.kind === 'rejected' && outcome.error.storeCode)).toEqual([
    'SQLITE_CONSTRAINT_CHECK',
    'SQLITE_CONSTRAINT_PRIMARYKEY',
    'SQLITE_CONSTRAINT_TRIGGER',
    'SQLITE_CONSTRAINT_TRIGGER',
    'SQLITE_CONSTRAINT_FOREIGNKEY',
    'EXPECTATION_FAILED',
    'SQLITE_CONSTRAINT_CHECK',
    'SQLITE_CONSTRAINT_PRIMARYKEY',
  ])
  expect(await ledger.settle()).toEqual({ committed: 180, rejected: 1, notCommitted: 0, unknown: 0 })
  expect(rejections).toHaveLength(poison.length)
  expect(look(file, "SELECT * FROM rows WHERE writer = 'group'")).toEqual([])
  expect(look(file, 'SELECT (SELECT count(*) FROM guarded) + (SELECT count(*) FROM children) AS n')).toEqual([
    { n: 0 },
  ])
  expect(look(file, 'SELECT count(*) AS n FROM tidemark_dead_letters')).toEqual([{ n: poison.length }])
  await db.close()
})

test('laws 3, 5 · poison in a batch whose reply was lost is in the dead letters once', async () => {
  const file = databaseFile(schema)
  const threads = watchThreads()
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  const lost = dieBeforeAnswering(threads[0] as Worker)
  ledger.insertMany(db, 50)
  ledger.insert(db, 'poison')
  const refused = db.write({ sql: "INSERT OR ROLLBACK INTO unique_names VALUES ('taken')", parameters: [] })
  const child = db.insert('children', { id: 1, parent: 404 })
  ledger.insertMany(db, 50)
  await lost

  expect(await ledger.settle()).toEqual({ committed: 100, rejected: 1, notCommitted: 0, unknown: 0 })
  expect(await refused.outcome()).toMatchObject({ kind: 'rejected' })
  expect(await child.outcome()).toMatchObject({ kind: 'rejected' })
  expect(look(file, 'SELECT seq FROM tidemark_dead_letters ORDER BY seq')).toEqual([
    { seq: 51 },
    { seq: 52 },
    { seq: 53 },
  ])
  await db.close()
})
