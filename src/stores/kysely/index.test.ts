/** Which instances the store takes, and that they stay their caller's. */
import Database from 'better-sqlite3'
import {
  CamelCasePlugin,
  DummyDriver,
  Kysely,
  MssqlAdapter,
  MssqlQueryCompiler,
  SqliteDialect,
  SqliteIntrospector,
} from 'kysely'
import { expect, test } from 'vitest'
import { open } from '../../index.ts'
import { kysely } from './index.ts'

interface Tables {
  songs: { id?: number; songTitle: string }
}

const memory = () => new SqliteDialect({ database: new Database(':memory:') })

test('a database that it does not know is refused at the call', () => {
  const instance = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new MssqlAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new MssqlQueryCompiler(),
    },
  })
  expect(() => kysely(instance)).toThrow(
    expect.objectContaining({
      code: 'NOT_SUPPORTED',
      hint: expect.stringContaining('PostgreSQL') as unknown,
    }),
  )
})

test('the instance is used beside the engine and after it, with its plugins', async () => {
  const instance = new Kysely<Tables>({ dialect: memory(), plugins: [new CamelCasePlugin()] })
  await instance.schema
    .createTable('songs')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('songTitle', 'text')
    .execute()
  const db = await open(kysely(instance))
  await db.insert('songs', { song_title: 'by the engine' })
  await instance.insertInto('songs').values({ songTitle: 'by the instance' }).execute()
  await db.close()
  expect(await instance.selectFrom('songs').select('songTitle').execute()).toEqual([
    { songTitle: 'by the engine' },
    { songTitle: 'by the instance' },
  ])
  await instance.destroy()
})

test('law 1 · an instance that is destroyed under the engine stops it', async () => {
  const instance = new Kysely<Tables>({ dialect: memory() })
  await instance.schema.createTable('songs').addColumn('id', 'integer').execute()
  const db = await open(kysely(instance))
  await instance.destroy()
  await expect(db.insert('songs', { id: 1 })).rejects.toMatchObject({ code: 'STORE_FAILED' })
  await db.close().catch(() => undefined)
})

test('law 6 · an integer that the driver may have rounded is not told', async () => {
  const instance = new Kysely<Tables>({ dialect: memory() })
  const db = await open(kysely(instance))
  await expect(db.query({ sql: 'SELECT 9007199254740993 AS id', parameters: [] })).rejects.toMatchObject({
    code: 'STORE_FAILED',
    hint: expect.stringContaining('defaultSafeIntegers') as unknown,
  })
  expect((await db.query({ sql: 'SELECT 5 AS id', parameters: [] })).rows).toEqual([{ id: 5 }])
  await db.close()
  await instance.destroy()
})
