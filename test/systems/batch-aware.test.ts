/** S0: a program that has its Kysely code already, and files that are processed in batches. */
import path from 'node:path'
import Database from 'better-sqlite3'
import { Kysely, sql, SqliteDialect, type Generated, type SqliteDatabase } from 'kysely'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { batchAware } from '../../src/kysely.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { pause } from '../../src/testing/stage.ts'
import { databaseFile, temporaryFolder } from '../support/database-file.ts'

interface DB {
  notes: { id: Generated<number>; path: string; state: string }
  chunks: { note: string; n: number; text: string }
}

/** Code as programs have it: it was given a Kysely when it was written, and knows of nothing else. */
async function existingCode(db: Kysely<DB>): Promise<unknown> {
  await db.schema
    .createTable('notes')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('path', 'text', (column) => column.notNull().unique())
    .addColumn('state', 'text', (column) => column.notNull())
    .execute()
  await sql`CREATE TABLE chunks (note TEXT NOT NULL, n INTEGER NOT NULL, text TEXT NOT NULL)`.execute(db)
  const paths = Array.from({ length: 60 }, (_, n) => `note ${n}.md`)
  const made = await Promise.all(
    paths.map((note) =>
      db.insertInto('notes').values({ path: note, state: 'new' }).executeTakeFirstOrThrow(),
    ),
  )
  for (const note of paths.slice(0, 5)) {
    await db.transaction().execute(async (trx) => {
      await trx.insertInto('chunks').values({ note, n: 1, text: 'x' }).execute()
      await trx.updateTable('notes').set({ state: 'chunked' }).where('path', '=', note).execute()
    })
  }
  const twice = await db
    .insertInto('notes')
    .values({ path: 'note 1.md', state: 'new' })
    .execute()
    .catch(() => 'refused')
  const deleted = await db.deleteFrom('notes').where('path', '=', 'note 59.md').executeTakeFirst()
  const { count } = db.fn
  return {
    ids: made.map(({ insertId }) => insertId),
    twice,
    deleted: deleted.numDeletedRows,
    states: await db
      .selectFrom('notes')
      .select(['state', count<number>('id').as('notes')])
      .groupBy('state')
      .orderBy('state')
      .execute(),
    chunks: await db.selectFrom('chunks').selectAll().orderBy('note').execute(),
  }
}

/** On better-sqlite3, which may not have a file open that node:sqlite has open in the same process. */
function existingInstance(): Kysely<DB> {
  const database = new Database(path.join(temporaryFolder(), 'app.db')) as unknown as SqliteDatabase
  return new Kysely<DB>({ dialect: new SqliteDialect({ database }) })
}

// SPEC S0.1
test('laws 2, 6 · existing code is given batchAware(kysely) and does what it did, in a few commits', async () => {
  const plain = existingInstance()
  const before = await existingCode(plain)
  await plain.destroy()

  const instance = existingInstance()
  const { kysely, tidemark } = await batchAware(instance, { reads: { consistency: 'readAfterWrite' } })
  expect(await existingCode(kysely)).toEqual(before)
  expect(tidemark.stats().committed, 'all notes at once, the one refused, the one deleted').toMatchObject({
    operations: 62,
    batches: 3,
  })
  await tidemark.close()
  await instance.destroy()
})

// SPEC S0.4
test('law 6 · what is pending for a file is found by its path, however much is pending for others', async () => {
  const file = databaseFile('CREATE TABLE files (path TEXT PRIMARY KEY, hash TEXT NOT NULL)')
  const db = await open(sqlite(file), { queue: { maxOperations: 100_000 }, reads: { timeoutMs: 60_000 } })
  const goOn = await pause(db)
  const accepted = (): number => db.stats().queued.operations
  const fillTo = (count: number): void => {
    for (let n = accepted(); n < count; n++) db.upsert('files', { path: `${n}`, hash: 'x' })
  }
  const newest = () => ({ path: `${accepted() - 1}` })
  const askManyTimes = (key: { path: string }): number => {
    const startedMs = performance.now()
    for (let times = 0; times < 2_000; times++) db.pending('files', key)
    return performance.now() - startedMs
  }
  // The fastest of several: what else the machine does can only add to a time.
  const fastest = (): number => Math.min(...Array.from({ length: 9 }, () => askManyTimes(newest())))
  fillTo(900)
  const amongFew = fastest()
  fillTo(90_000)
  // A search through what is pending would take a hundred times as long.
  expect(fastest()).toBeLessThan(20 * amongFew)
  const key = newest()
  db.upsert('files', { ...key, hash: 'again' })
  expect(db.pending('files', key)).toMatchObject({ operations: 2, processors: [] })
  expect(db.pending('files', { path: 'never written' })).toBeUndefined()

  await goOn()
  await db.flush()
  expect(db.pending('files', key)).toBeUndefined()
  await db.close()
})
