/** The SQL of each shape, in the words of each database. */
import { describe, expect, test } from 'vitest'
import type { Run, Shape, UpsertShape } from '../../contracts/operation.ts'
import type { Value } from '../../contracts/values.ts'
import type { DatabaseSchema, SqlDialect } from './dialect.ts'
import { mysqlDialect } from './dialects/mysql.ts'
import { postgresDialect } from './dialects/postgres.ts'
import { sqliteDialect } from './dialects/sqlite.ts'
import { apartBy, chunkOf, statementOf } from './statements.ts'

const column = (name: string, type: string) =>
  [name, { name, type, wholeNumbers: 'number', isComputed: false }] as const
const songs = {
  name: 'songs',
  columns: new Map([column('id', 'bigint'), column('title', 'text'), column('at', 'timestamp')]),
  primaryKey: ['id'],
  generatedId: 'id',
}
const schemaWith = (hasOtherKeys: boolean): DatabaseSchema => ({
  version: '1',
  tables: new Map([['songs', songs]]),
  traits: new Map([['songs', { isPlain: true, isDeferred: false, hasOtherKeys }]]),
  deferred: 'none',
})
const schema = schemaWith(false)

const runOf = (shape: Shape, values: Value[]): Run => ({
  kind: 'run',
  shape,
  count: values.length / shape.width,
  bytes: 0,
  values,
})
const insert: Shape = { kind: 'insert', table: 'songs', key: 'i', width: 1, columns: ['title'] }
const upsert: UpsertShape = {
  kind: 'upsert',
  table: 'songs',
  key: 'u',
  width: 2,
  columns: ['id', 'title'],
  keyColumns: ['id'],
}
const update: Shape = {
  kind: 'update',
  table: 'songs',
  key: 'x',
  width: 3,
  set: ['title'],
  where: ['id', 'at'],
  expect: undefined,
}

describe.each([
  [
    sqliteDialect,
    {
      insert: 'INSERT INTO "songs" ("title") VALUES (?),(?)',
      upsert:
        'INSERT INTO "songs" ("id", "title") VALUES (?,?) ON CONFLICT ("id") DO UPDATE SET "title" = excluded."title"',
      update: 'UPDATE "songs" SET "title" = ? WHERE "id" = ? AND "at" IS NULL',
    },
  ],
  [
    postgresDialect,
    {
      insert: 'INSERT INTO "songs" ("title") VALUES ($1),($2) RETURNING "id"',
      upsert:
        'INSERT INTO "songs" ("id", "title") VALUES ($1,$2) ON CONFLICT ("id") DO UPDATE SET "title" = excluded."title"',
      update: 'UPDATE "songs" SET "title" = $1 WHERE "id" = $2 AND "at" IS NULL',
    },
  ],
  [
    mysqlDialect,
    {
      insert: 'INSERT INTO `songs` (`title`) VALUES (?),(?)',
      upsert:
        'INSERT INTO `songs` (`id`, `title`) VALUES (?,?) ON DUPLICATE KEY UPDATE `title` = VALUES(`title`)',
      update: 'UPDATE `songs` SET `title` = ? WHERE `id` = ? AND `at` IS NULL',
    },
  ],
] satisfies [SqlDialect, Record<string, string>][])('$name', (dialect, expected) => {
  test('inserts of many rows, upserts, and updates that find null', () => {
    expect(statementOf(dialect, schema, runOf(insert, ['a', 'b']), 0, 2)).toEqual({
      sql: expected.insert,
      parameters: ['a', 'b'],
    })
    expect(statementOf(dialect, schema, runOf(upsert, [1, 'a']), 0, 1).sql).toBe(expected.upsert)
    expect(statementOf(dialect, schema, runOf(update, ['a', 1, null]), 0, 1)).toEqual({
      sql: expected.update,
      parameters: ['a', 1],
    })
  })

  test('names are quoted whatever they hold', () => {
    expect(dialect.quote('a"b`c')).toBe(dialect.name === 'mysql' ? '`a"b``c`' : '"a""b`c"')
  })
})

test('where another unique key could meet another row, MySQL gets no upsert clause', () => {
  expect(mysqlDialect.upsertClause(upsert, schemaWith(true).traits.get('songs'))).toBeUndefined()
  expect(sqliteDialect.upsertClause(upsert, schemaWith(true).traits.get('songs'))).toMatch(/ON CONFLICT/)
})

test('a Date that was accepted as text is one again for a column of dates, and bytes are a Buffer', () => {
  const [, at] = column('at', 'timestamp')
  for (const dialect of [postgresDialect, mysqlDialect]) {
    expect(dialect.bind('1970-01-01T00:00:00.005Z', at)).toEqual(new Date(5))
    expect(dialect.bind('1970-01-01T00:00:00.005Z')).toBe('1970-01-01T00:00:00.005Z')
    expect(dialect.bind(new Uint8Array([1]))).toEqual(Buffer.from([1]))
  }
  // Compared with a number, MySQL would find '5 apples' too.
  expect(mysqlDialect.bind(5, column('title', 'varchar(10)')[1])).toBe('5')
})

test('numbered parameters of SQLite are used as often as they are named, and none is lost', () => {
  const of = (sql: string, ...values: Value[]) => sqliteDialect.statement(sql, values)
  expect(of("UPDATE t SET a = ?2, b = ?1, c = ?1 WHERE d = '?3'", 'x', 'y')).toEqual({
    sql: "UPDATE t SET a = ?, b = ?, c = ? WHERE d = '?3'",
    parameters: ['y', 'x', 'x'],
  })
  expect(of('SELECT ?2, ?', 'x', 'y', 'z').parameters).toEqual(['y', 'z'])
  expect(of('SELECT ?1', 'x', 'too many').parameters).toEqual(['x', 'too many'])
  expect(of('SELECT ?2', 'too few').parameters).toEqual([])
})

test('a statement takes as many rows as its database has parameters for, and about a megabyte', () => {
  const wide: Shape = { ...insert, width: 20_000, columns: Array.from({ length: 20_000 }, () => 'title') }
  expect(chunkOf(sqliteDialect, runOf(wide, Array<null>(60_000).fill(null)), 0)).toBe(1)
  expect(chunkOf(postgresDialect, runOf(wide, Array<null>(80_000).fill(null)), 0)).toBe(3)
  const large = Array.from({ length: 10 }, () => 'x'.repeat(300_000))
  expect(chunkOf(mysqlDialect, runOf(insert, large), 0)).toBe(3)
  expect(chunkOf(mysqlDialect, runOf(insert, ['x'.repeat(2 ** 22)]), 0)).toBe(1)
})

test('where a statement may not meet one row twice, it ends before the second', () => {
  const run = runOf(upsert, [1, 'a', 2, 'b', 1, 'c', 3, 'd'])
  expect(apartBy(upsert, run, 0, 4)).toBe(2)
  expect(apartBy(upsert, run, 2, 2)).toBe(2)
})
