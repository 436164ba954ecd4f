/** The Kysely store on MariaDB, or MySQL where that is installed, by mysql2. */
import { Kysely, MysqlDialect } from 'kysely'
import { createPool, type Pool, type PoolOptions, type RowDataPacket } from 'mysql2'
import { describe, expect, test } from 'vitest'
import { NotSupportedError, open } from '../../src/index.ts'
import { kysely } from '../../src/stores/kysely/index.ts'
import { conformance, type Subject } from '../../src/testing/index.ts'
import { endings, stage } from '../../src/testing/stage.ts'
import { withServer } from '../support/servers/installed.ts'
import { mariaDb } from '../support/servers/mariadb.ts'
import { plainRow } from './plain-row.ts'

/** Integers as they are: mysql2 gives long ones as strings where numbers would be rounded. */
const exact: PoolOptions = {
  supportBigNumbers: true,
  typeCast: (field, next) => {
    if (field.type !== 'LONGLONG') return next()
    const text = field.string()
    return text === null ? null : BigInt(text)
  },
}

await withServer(mariaDb, (server) => {
  const fresh: Subject['fresh'] = async (schema) => {
    const database = await server.createDatabase()
    const options = { ...server.address, ...exact, database }
    const outside = createPool({ ...options, connectionLimit: 1 })
    for (const statement of schema) await query(outside, statement)
    const instance = new Kysely<object>({ dialect: new MysqlDialect({ pool: createPool(options) }) })
    return {
      store: kysely(instance),
      outside: async (sql) => (await query(outside, sql)).map(plainRow),
      dispose: async () => {
        await instance.destroy()
        await outside.promise().end()
        await server.dropDatabase(database)
      },
    }
  }
  const subject: Subject = {
    name: 'kysely, MariaDB',
    dialect: 'mysql',
    commits: 'async',
    lacks: ['preallocated ids', 'effects'],
    fresh,
  }
  // SPEC S0.7
  conformance(subject, { describe, test })

  describe('kysely, MariaDB · what only MySQL does', () => {
    const songs = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT UNIQUE, plays INTEGER)'

    test('law 4 · an upsert meets no row by another key than its own', async () => {
      await using at = await stage(subject, songs)
      await at.db.insert('songs', { id: 1, title: 'a', plays: 1 })
      const receipts = [
        at.db.upsert('songs', { id: 2, title: 'a', plays: 2 }),
        at.db.upsert('songs', { id: 1, title: 'a', plays: 3 }),
        at.db.upsert('songs', { id: 3, title: 'c', plays: 4 }),
      ]
      expect(await endings(receipts)).toEqual(['unique', 'committed', 'committed'])
      expect(await at.rows('SELECT id, plays FROM songs ORDER BY id')).toEqual([
        { id: 1, plays: 3 },
        { id: 3, plays: 4 },
      ])
    })

    test('law 4 · a table made in a transaction, which would commit what was before, is refused', async () => {
      await using at = await stage(subject, songs)
      const transaction = at.db.transaction(async (trx) => {
        await trx.insertInto('songs').values({ title: 'gone' }).execute()
        await trx.schema.createTable('more').addColumn('id', 'integer').execute()
      })
      await expect(transaction).rejects.toThrow(/would commit/)
      expect(await at.value('SELECT count(*) FROM songs')).toBe(0)
    })

    test('law 5 · a number given to a column of text finds the text, not what begins with it', async () => {
      await using at = await stage(subject, 'CREATE TABLE named (name TEXT PRIMARY KEY)')
      at.db.insert('named', { name: '5 apples' })
      at.db.insert('named', { name: 5 })
      await at.db.delete('named', { name: 5 }, { expect: 1 })
      expect(await at.rows('SELECT name FROM named')).toEqual([{ name: '5 apples' }])
    })

    test.for([
      ['flags', ['-FOUND_ROWS'], ''],
      ['sql_mode', [], "SET GLOBAL sql_mode = ''"],
    ] as const)(
      'a driver or server that would tell wrong what it did is refused: %s',
      async ([, flags, sql]) => {
        const database = await server.createDatabase()
        const admin = createPool({ ...server.address, connectionLimit: 1 })
        const [[before]] = await admin.promise().query<RowDataPacket[]>('SELECT @@GLOBAL.sql_mode AS mode')
        if (sql !== '') await admin.promise().query(sql)
        const pool = createPool({ ...server.address, flags: [...flags], database })
        const instance = new Kysely<object>({ dialect: new MysqlDialect({ pool }) })
        try {
          await expect(open(kysely(instance))).rejects.toBeInstanceOf(NotSupportedError)
        } finally {
          await admin.promise().query('SET GLOBAL sql_mode = ?', [before?.['mode']])
          await instance.destroy()
          await admin.promise().end()
        }
      },
    )
  })
})

async function query(pool: Pool, sql: string): Promise<Record<string, unknown>[]> {
  const [rows] = await pool.promise().query(sql)
  return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : []
}
