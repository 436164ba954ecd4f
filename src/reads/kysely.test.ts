import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { SqlQuery } from '../contracts/store.ts'
import { NotSupportedError } from '../errors.ts'
import { kyselyOn, kyselyOver } from './kysely.ts'

interface DB {
  songs: { id: number; title: string }
}

function recording() {
  const queries: SqlQuery[] = []
  const db = kyselyOver<DB>(
    async (query) => {
      queries.push(query)
      return { rows: [{ id: 1 }], changes: 2, lastInsertId: 7 }
    },
    'sqlite',
    'Use `db.transaction()`.',
  )
  return { queries, db }
}

test('it compiles for SQLite, and hands the query on with its values encoded', async () => {
  const { queries, db } = recording()
  const rows = await db
    .selectFrom('songs')
    .select('id')
    .where('id', '>', 5)
    .where('title', '=', 'a')
    .execute()
  expect(rows).toEqual([{ id: 1 }])
  expect(queries).toEqual([
    { sql: 'select "id" from "songs" where "id" > ? and "title" = ?', parameters: [5n, 'a'] },
  ])
})

test('it tells how many rows were changed, and the last id', async () => {
  const { db } = recording()
  const result = await db.insertInto('songs').values({ id: 1, title: 'a' }).executeTakeFirstOrThrow()
  expect([result.insertId, result.numInsertedOrUpdatedRows]).toEqual([7n, 2n])
})

test('law 1 · a value that cannot be bound is refused before anything runs', async () => {
  const { queries, db } = recording()
  await expect(sql`SELECT ${Number.NaN}`.execute(db)).rejects.toMatchObject({ code: 'UNBINDABLE_VALUE' })
  expect(queries).toEqual([])
})

test('queries of one Kysely run at the same time, whatever the dialect', async () => {
  for (const dialect of ['sqlite', 'postgres', 'mysql'] as const) {
    const both = Promise.withResolvers<void>()
    let running = 0
    const run = async () => {
      if (++running === 2) both.resolve()
      await both.promise
      return { rows: [], changes: 0, lastInsertId: undefined }
    }
    const db = kyselyOver<DB>(run, dialect, '')
    await Promise.all([
      db.selectFrom('songs').select('id').execute(),
      db.selectFrom('songs').select('id').execute(),
    ])
  }
})

test('what it does not do, it refuses with a hint', async () => {
  const { db } = recording()
  const begun = db.transaction().execute(() => Promise.resolve())
  await expect(begun).rejects.toMatchObject({ code: 'NOT_SUPPORTED', hint: 'Use `db.transaction()`.' })
  const port = { run: () => expect.fail('it ran'), begin: async () => undefined }
  const held = await kyselyOn<DB>(() => port, 'sqlite', '')
    .startTransaction()
    .execute()
  for (const command of [
    held.savepoint('here'),
    held.rollbackToSavepoint('here' as never),
    held.releaseSavepoint('here' as never),
  ])
    await expect(command.execute()).rejects.toBeInstanceOf(NotSupportedError)
  const streamed = (async () => {
    for await (const _ of db.selectFrom('songs').selectAll().stream()) expect.fail('it streamed')
  })()
  await expect(streamed).rejects.toBeInstanceOf(NotSupportedError)
})
