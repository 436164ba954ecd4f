/** Rows that follow from other rows (`derive`), on real files. */
import { DatabaseSync } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'
import BetterSqlite3 from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { InsertShape, Run } from '../../src/contracts/operation.ts'
import type { Seq, WriterName } from '../../src/contracts/position.ts'
import { open, type EngineEvents } from '../../src/index.ts'
import { kysely } from '../../src/kysely.ts'
import { openEpoch } from '../../src/stores/sqlite/bookkeeping.ts'
import { Executor } from '../../src/stores/sqlite/executor.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { change, databaseFile, look } from '../support/database-file.ts'

const tables = `
  CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
  CREATE VIRTUAL TABLE words USING fts5(text, content='', contentless_delete=1);
  CREATE TRIGGER notes_gone AFTER DELETE ON notes BEGIN DELETE FROM words WHERE rowid = old.id; END;
`
const derive = {
  notes: `INSERT INTO words (rowid, text) SELECT id, text FROM notes
    WHERE id > coalesce((SELECT max(id) FROM words_docsize), 0) ORDER BY id LIMIT 5000`,
}
const unindexed = 'SELECT count(*) AS n FROM notes WHERE id NOT IN (SELECT id FROM words_docsize)'
const found = (file: string, word: string): unknown[] =>
  look(file, 'SELECT rowid FROM words WHERE words MATCH ?', word).map(({ rowid }) => rowid)

test('law 4 · no snapshot holds a row without what follows from it', async () => {
  const file = databaseFile(tables)
  const db = await open(sqlite(file), { derive, batch: { maxOperations: 50 } })
  const reader = new DatabaseSync(file, { readOnly: true })
  const check = reader.prepare(unindexed)
  let snapshots = 0
  for (let round = 0; round < 100; round++) {
    for (let n = 0; n < 40; n++) db.insert('notes', { text: `note ${n}` })
    if (round % 10 === 0) await db.flush()
    expect(check.get()).toEqual({ n: 0 })
    snapshots++
  }
  await db.close()
  expect(check.get()).toEqual({ n: 0 })
  expect(reader.prepare('SELECT count(*) AS n FROM words_docsize').get()).toEqual({ n: 4_000 })
  expect(snapshots).toBe(100)
  reader.close()
})

test('law 4 · a rejected row leaves nothing that follows from it, and its neighbours keep theirs', async () => {
  const file = databaseFile(tables)
  const db = await open(sqlite(file), { derive })
  db.insert('notes', { text: 'before' })
  const bad = db.insert('notes', { text: null })
  db.insert('notes', { text: 'behind' })
  await db.flush()
  expect(bad.state).toBe('rejected')
  expect([found(file, 'before'), found(file, 'behind')]).toEqual([[1], [2]])
  expect(look(file, unindexed)).toEqual([{ n: 0 }])
  await db.close()
})

test('law 4 · when what follows cannot be written, the rows are committed and an alert says so; later it is made up for', async () => {
  const file = databaseFile(tables)
  const db = await open(sqlite(file), { derive, alertAfterMs: 60_000 })
  const alerts: EngineEvents['alert'][] = []
  db.on('alert', (alert) => alerts.push(alert))
  change(file, 'ALTER TABLE words RENAME TO lost')
  for (let n = 0; n < 3; n++) await db.insert('notes', { text: `lonely ${n}` })
  expect(alerts).toEqual([{ kind: 'derivation', message: expect.stringContaining('"notes"'), sinceMs: 0 }])
  expect(look(file, 'SELECT count(*) AS n FROM notes')).toEqual([{ n: 3 }])
  change(file, 'ALTER TABLE lost RENAME TO words')
  await db.insert('notes', { text: 'together again' })
  expect(found(file, 'lonely')).toEqual([1, 2, 3])
  expect(look(file, unindexed)).toEqual([{ n: 0 }])
  await db.close()
})

test('law 4 · a statement that fails half-way leaves nothing of what it did', async () => {
  const file = databaseFile(`CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE lengths (id INTEGER PRIMARY KEY, length INTEGER, CHECK (length < 5));`)
  const db = await open(sqlite(file), {
    derive: {
      notes:
        'INSERT OR FAIL INTO lengths SELECT id, length(text) FROM notes WHERE id NOT IN (SELECT id FROM lengths) ORDER BY id',
    },
  })
  db.insertMany('notes', [{ text: 'a' }, { text: 'far too long' }])
  await db.flush()
  expect(look(file, 'SELECT * FROM lengths')).toEqual([])
  await db.update('notes', { id: 2 }, { text: 'b' })
  expect(look(file, 'SELECT * FROM lengths')).toEqual([
    { id: 1, length: 1 },
    { id: 2, length: 1 },
  ])
  await db.close()
})

test('law 5 · a full disk while it is written fails the batch, which is applied once when there is room', () => {
  const database = new DatabaseSync(':memory:')
  database.exec(tables)
  const writer = 'w' as WriterName
  const newIdentity = { id: '0', secret: '0' }
  const { epoch } = openEpoch(database, { writer, leaseMs: 1, nowMs: 0, epochStep: 1, newIdentity })
  const fills = {
    table: 'notes',
    sql: 'INSERT INTO words (rowid, text) SELECT id, hex(randomblob(100000)) FROM notes',
  }
  const clock = { monotonicMs: () => 0, wallMs: () => 0 }
  const executor = new Executor(database, writer, epoch, clock, () => undefined, [fills])
  const shape: InsertShape = { kind: 'insert', table: 'notes', key: 'n', width: 1, columns: ['text'] }
  const run: Run = { kind: 'run', shape, count: 1, bytes: 0, values: ['a'] }
  const commit = (): unknown =>
    executor.commit({ prev: 0 as Seq, last: 1 as Seq, steps: [run], segments: [] })
  const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count'])
  database.exec(`PRAGMA max_page_count = ${pages + 4}`)
  expect(commit).toThrow(expect.objectContaining({ failure: 'transient', storeCode: 'SQLITE_FULL' }))
  expect(database.prepare('SELECT count(*) AS n FROM notes').get()).toEqual({ n: 0 })
  database.exec('PRAGMA max_page_count = 100000')
  expect(commit()).toMatchObject({ transactions: 1 })
  expect(database.prepare('SELECT count(*) AS n FROM notes').get()).toEqual({ n: 1 })
  database.close()
})

test('what other writers wrote, and what a transaction wrote, follows with the next batch', async () => {
  const file = databaseFile(tables)
  change(file, "INSERT INTO notes (text) VALUES ('foreign')")
  const db = await open(sqlite(file), { derive })
  await db.transaction((trx) => trx.insertInto('notes').values({ text: 'interactive' }).execute())
  await db.insert('notes', { text: 'plain' })
  expect([found(file, 'foreign'), found(file, 'interactive'), found(file, 'plain')]).toEqual([[1], [2], [3]])
  await db.close()
})

test('it is not run for tables that it does not follow from', async () => {
  const file = databaseFile(`${tables} CREATE TABLE others (id INTEGER PRIMARY KEY);
    INSERT INTO notes (text) VALUES ('foreign');`)
  const db = await open(sqlite(file), { derive })
  await db.insert('others', { id: 7 })
  expect(found(file, 'foreign')).toEqual([])
  await db.write({ sql: 'INSERT INTO others DEFAULT VALUES', parameters: [] })
  // Nobody can say what a statement touches.
  expect(found(file, 'foreign')).toEqual([1])
  await db.close()
})

test('in memory too', async () => {
  const db = await open(memory({ schema: tables }), { derive })
  await db.insert('notes', { text: 'remembered' })
  const rows = await db.query({
    sql: "SELECT rowid FROM words WHERE words MATCH 'remembered'",
    parameters: [],
  })
  expect(rows.rows).toEqual([{ rowid: 1 }])
  await db.close()
})

test('a store that cannot says so when it is opened', async () => {
  const instance = new Kysely({ dialect: new SqliteDialect({ database: new BetterSqlite3(':memory:') }) })
  await expect(open(kysely(instance), { derive })).rejects.toMatchObject({ code: 'NOT_SUPPORTED' })
  await instance.destroy()
})

test.for([[''], [5], [null]])('%j is no statement', async ([sql]) => {
  const opened = open(memory(), { derive: { notes: sql as string } })
  await expect(opened).rejects.toThrow(/derive\.notes must be one SQL statement/)
})
