/** A real SQLITE_FULL: the database may not grow beyond `maxPageCount`, until another process makes room inside it. */
import { expect, test } from 'vitest'
import { open, ReceiptTimeoutError } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { next } from '../support/events.ts'
import { failureOf } from '../support/failure.ts'
import { Ledger, ledgerSchema } from '../support/ledger.ts'
import { OtherProcess } from '../support/other-process.ts'

/** Ballast that another process can throw overboard: its pages are free then. */
const schema = `${ledgerSchema}
  CREATE TABLE ballast (bytes BLOB);
  WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 200)
  INSERT INTO ballast SELECT zeroblob(4000) FROM n;`

/** What the file has now, the engine's own tables, and a few pages more. */
function nearlyFull(file: string): number {
  const [{ page_count: pages } = { page_count: 0 }] = look<{ page_count: number }>(file, 'PRAGMA page_count')
  return pages + 21
}

// SPEC S4.5
test('laws 1, 5 · writes wait while the disk is full, and are committed once when there is room again', async () => {
  const file = databaseFile(schema)
  const db = await open(sqlite(file, { maxPageCount: nearlyFull(file) }), { batch: { maxOperations: 50 } })
  const ledger = new Ledger(file)
  ledger.insertMany(db, 10)
  ledger.insert(db, 'poison')
  await ledger.settle()
  const full = next(db, 'retry')
  const receipts = ledger.insertMany(db, 500, 'x'.repeat(400))
  ledger.insert(db, 'poison')
  ledger.insertMany(db, 100)

  expect(await full).toMatchObject({ error: { storeCode: 'SQLITE_FULL', retryable: true } })
  expect((await full).error.hint).toContain('until there is room')
  await expect(receipts.at(-1)?.within(20)).rejects.toThrow(ReceiptTimeoutError)
  expect(ledger.unsettled).toBeGreaterThan(0)
  // What is there so far is a prefix (the eleventh was poison), and reads go on.
  const held = look<{ n: number }>(file, 'SELECT n FROM rows ORDER BY id').map(({ n }) => n)
  expect(held).toEqual(Array.from(held, (_, index) => (index < 10 ? index + 1 : index + 2)))
  expect(await db.read('eventual').selectFrom('rows').selectAll().execute()).toHaveLength(held.length)

  await new OtherProcess(file).run('DELETE FROM ballast')
  expect(await ledger.settle()).toEqual({ committed: 610, rejected: 2, notCommitted: 0, unknown: 0 })
  expect(look(file, 'SELECT watermark FROM tidemark_writers')).toEqual([{ watermark: 612 }])
  await db.close()
})

test('laws 1, 5 · an engine that was told to give up stops when the disk stays full, and says what is not committed', async () => {
  const file = databaseFile(schema)
  const db = await open(sqlite(file, { maxPageCount: nearlyFull(file) }), {
    batch: { maxOperations: 50 },
    retry: { giveUpAfterMs: 100 },
  })
  const ledger = new Ledger(file)
  const stopped = next(db, 'alert')
  ledger.insertMany(db, 500, 'x'.repeat(400))
  const flushed = failureOf(db.flush())

  expect(await stopped).toMatchObject({ kind: 'stopped' })
  expect(await flushed).toMatchObject({ code: 'GAVE_UP' })
  expect(ledger.unsettled).toBe(0)
  const tally = await ledger.check()
  expect(tally).toMatchObject({ rejected: 0, unknown: 0 })
  expect(tally.committed + tally.notCommitted).toBe(500)
  expect(tally.notCommitted).toBeGreaterThan(0)
  expect(() => ledger.insert(db)).toThrow(expect.objectContaining({ code: 'GAVE_UP' }))
  await expect(db.flush()).rejects.toMatchObject({ code: 'GAVE_UP' })
  await expect(db.transaction(async () => 1)).rejects.toMatchObject({ code: 'GAVE_UP' })
  await expect(db.close()).rejects.toMatchObject({ code: 'GAVE_UP' })
  expect(await ledger.check()).toEqual(tally)
})
