/** Another process changes the tables while the engine is open. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { Ledger, ledgerSchema } from '../support/ledger.ts'
import { OtherProcess } from '../support/other-process.ts'
import { watchThreads } from '../support/threads.ts'

const schema = `${ledgerSchema} CREATE TABLE doomed (n INTEGER PRIMARY KEY);`
const addColumn = "ALTER TABLE rows ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'"
const coloured = { n: 1, writer: 'coloured', text: 'x', colour: 'red' }

test('law 1 · a column that another process added can be written to after the next commit', async () => {
  const file = databaseFile(schema)
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  await ledger.insert(db)
  await new OtherProcess(file).run(addColumn)

  expect(() => db.insert('rows', coloured)).toThrow(expect.objectContaining({ code: 'UNKNOWN_COLUMN' }))
  await ledger.insert(db)
  await db.insert('rows', coloured)
  expect(look(file, 'SELECT colour FROM rows ORDER BY id')).toEqual([
    { colour: 'none' },
    { colour: 'none' },
    { colour: 'red' },
  ])
  expect(await ledger.settle()).toMatchObject({ committed: 2 })
  await db.close()
})

test('law 1 · a column that another process added can be written to at once after reloadSchema', async () => {
  const file = databaseFile(schema)
  const db = await open(sqlite(file))
  await new OtherProcess(file).run(addColumn)
  await db.reloadSchema()
  await db.insert('rows', coloured)
  expect(look(file, 'SELECT colour FROM rows')).toEqual([{ colour: 'red' }])
  await db.close()
})

test('law 1 · a column that was added while the writer thread was dead is known when the new one has committed', async () => {
  const file = databaseFile(schema)
  const threads = watchThreads()
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  await threads[0]?.terminate()
  await new OtherProcess(file).run(addColumn)
  await ledger.insert(db)
  await db.insert('rows', coloured)
  expect(look(file, 'SELECT colour FROM rows ORDER BY id')).toEqual([{ colour: 'none' }, { colour: 'red' }])
  await db.close()
})

test('laws 4, 5 · writes to a table that another process dropped become dead letters, and their neighbours are committed', async () => {
  const file = databaseFile(schema)
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  await db.insert('doomed', { n: 0 })
  await new OtherProcess(file).run('DROP TABLE doomed')

  ledger.insertMany(db, 10)
  const doomed = [db.insert('doomed', { n: 1 }), db.insert('doomed', { n: 2 })]
  const group = db.atomic((tx) => {
    tx.insert('rows', { n: -1, writer: 'group', text: 'x' })
    tx.insert('doomed', { n: 3 })
  })
  ledger.insertMany(db, 10)
  for (const receipt of [...doomed, group]) {
    expect(await receipt.outcome()).toMatchObject({
      kind: 'rejected',
      error: { storeCode: 'SQLITE_ERROR', message: expect.stringContaining('no such table: doomed') },
    })
  }
  expect(await ledger.settle()).toMatchObject({ committed: 20 })
  expect(() => db.insert('doomed', { n: 4 })).toThrow(expect.objectContaining({ code: 'UNKNOWN_TABLE' }))
  expect(look(file, "SELECT * FROM rows WHERE writer = 'group'")).toEqual([])

  // The table comes back, and the letters can be redriven.
  await new OtherProcess(file).run('CREATE TABLE doomed (n INTEGER PRIMARY KEY)')
  const letters = await db.deadLetters()
  const redriven = await db.redrive(letters.map(({ id }) => id))
  expect(redriven.map(({ outcome }) => outcome.kind)).toEqual(['committed', 'committed', 'committed'])
  expect(look(file, 'SELECT n FROM doomed ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  await db.close()
})
