/** The database goes back in time under an open engine: restored from an older backup, or its bookkeeping taken away. */
import path from 'node:path'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { databaseFile, look, temporaryFolder } from '../support/database-file.ts'
import { next } from '../support/events.ts'
import { failureOf } from '../support/failure.ts'
import { Ledger, ledgerSchema } from '../support/ledger.ts'
import { OtherProcess } from '../support/other-process.ts'

const count = (file: string) => look(file, 'SELECT count(*) AS n FROM rows')

test('law 10 · an engine whose database is restored from an older backup stops with HISTORY_LOST', async () => {
  const file = databaseFile(ledgerSchema)
  const backup = path.join(temporaryFolder(), 'backup.db')
  const db = await open(sqlite(file), { writer: 'w' })
  const ledger = new Ledger(file)
  ledger.insertMany(db, 100)
  await ledger.settle()
  await new OtherProcess(file).copyTo(backup)
  ledger.insertMany(db, 50)
  await ledger.settle()

  const restorer = new OtherProcess(backup)
  await restorer.copyTo(file)
  await restorer.close()
  const stopped = next(db, 'alert')
  const after = ledger.insertMany(db, 10)
  expect(await after[0]?.outcome()).toMatchObject({
    kind: 'abandoned',
    error: { code: 'HISTORY_LOST', outcome: 'not-committed' },
  })

  expect(await stopped).toMatchObject({ kind: 'stopped', message: expect.stringContaining('100') })
  expect(ledger.unsettled).toBe(0)
  expect(() => ledger.insert(db)).toThrow(expect.objectContaining({ code: 'HISTORY_LOST' }))
  await expect(db.flush()).rejects.toMatchObject({ code: 'HISTORY_LOST' })
  expect(count(file), 'nothing was added to the restored database').toEqual([{ n: 100 }])
  await expect(db.close()).rejects.toMatchObject({ code: 'HISTORY_LOST' })

  const again = await open(sqlite(file), { writer: 'w' })
  expect(again.epoch).not.toBe(db.epoch)
  await again.insert('rows', { n: 101, writer: 'again', text: 'x' })
  await again.close()
  expect(count(file)).toEqual([{ n: 101 }])
})

test('law 10 · a backup of the very tidemark the engine is at is no loss', async () => {
  const file = databaseFile(ledgerSchema)
  const backup = path.join(temporaryFolder(), 'backup.db')
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  ledger.insertMany(db, 100)
  await ledger.settle()
  await new OtherProcess(file).copyTo(backup)
  await new OtherProcess(backup).copyTo(file)
  ledger.insertMany(db, 100)
  expect(await ledger.settle()).toMatchObject({ committed: 200 })
  await db.close()
})

test('law 10 · a backup from before the engine was opened does not know it: HISTORY_LOST', async () => {
  const file = databaseFile(ledgerSchema)
  const backup = path.join(temporaryFolder(), 'backup.db')
  await new OtherProcess(file).copyTo(backup)
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  await ledger.insert(db)
  await new OtherProcess(backup).copyTo(file)
  // Whether the tables of the engine are gone or only its row: it must stop, not make them anew.
  await expect(ledger.insert(db)).rejects.toMatchObject({ code: 'HISTORY_LOST' })
  expect(ledger.unsettled).toBe(0)
  expect(count(file)).toEqual([{ n: 0 }])
  await expect(db.close()).rejects.toMatchObject({ code: 'HISTORY_LOST' })
})

test.for([
  { what: 'the row of its writer is deleted', sql: 'DELETE FROM tidemark_writers' },
  { what: 'its tidemark is set back', sql: 'UPDATE tidemark_writers SET watermark = 7' },
  {
    what: 'its tidemark is set ahead of what was accepted',
    sql: 'UPDATE tidemark_writers SET watermark = 999',
  },
])('law 10 · an engine stops with HISTORY_LOST when $what', async ({ sql }) => {
  const file = databaseFile(ledgerSchema)
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  ledger.insertMany(db, 10)
  await ledger.settle()
  await new OtherProcess(file).run(sql)
  ledger.insertMany(db, 10)
  const transaction = failureOf(db.transaction(async () => 1))

  expect(await ledger.settle()).toEqual({ committed: 10, rejected: 0, notCommitted: 10, unknown: 0 })
  expect(await transaction).toMatchObject({ code: 'HISTORY_LOST' })
  await expect(db.close()).rejects.toMatchObject({ code: 'HISTORY_LOST' })
})

test('law 10 · a bookmark from after a backup is lost when that is restored, whoever writes to the database then', async () => {
  const file = databaseFile(ledgerSchema)
  const backup = path.join(temporaryFolder(), 'backup.db')
  const reopen = () => open(sqlite(file), { writer: 'w' })
  const write = (db: Awaited<ReturnType<typeof reopen>>, n: number) =>
    db.insert('rows', { n, writer: 'w', text: `row ${n}` })
  const first = await reopen()
  await write(first, 1)
  await first.close()
  await new OtherProcess(file).copyTo(backup)
  const second = await reopen()
  const { bookmark } = write(second, 2)
  await second.close()

  await new OtherProcess(backup).copyTo(file)
  // It opens the database for the second time, as the one did whose write is gone.
  const other = await reopen()
  await write(other, 3)
  const lost = { code: 'POSITION_LOST', message: expect.stringContaining('went back in time') }
  const query = { sql: 'SELECT n FROM rows', parameters: [] }
  await expect(other.query(query, { after: bookmark })).rejects.toMatchObject(lost)
  await expect(
    other.read({ after: bookmark }).selectFrom('rows').selectAll().execute(),
  ).rejects.toMatchObject(lost)
  await other.close()
})

test('law 10 · an engine whose epoch is gone cannot commit behind one that was opened after the backup was restored', async () => {
  const file = databaseFile(ledgerSchema)
  const backup = path.join(temporaryFolder(), 'backup.db')
  await (await open(sqlite(file), { writer: 'w' })).close()
  await new OtherProcess(file).copyTo(backup)
  const gone = await open(sqlite(file), { writer: 'w' })
  await gone.insert('rows', { n: 1, writer: 'gone', text: 'x' })
  await new OtherProcess(backup).copyTo(file)
  const newer = await open(sqlite(file), { writer: 'w' })
  await newer.insert('rows', { n: 2, writer: 'newer', text: 'x' })
  // Both are at position 1 of the database's second epoch; only one of these is in it.
  const refused = gone.insert('rows', { n: 3, writer: 'gone', text: 'x' })
  expect(await refused.outcome()).toMatchObject({
    kind: 'abandoned',
    error: { code: 'HISTORY_LOST', outcome: 'not-committed' },
  })
  expect(look(file, 'SELECT n FROM rows')).toEqual([{ n: 2 }])
  await newer.close()
  await gone.close().catch(() => undefined)
})
