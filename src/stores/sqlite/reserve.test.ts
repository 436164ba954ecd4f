import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { StoreError } from '../../errors.ts'
import { takeIds } from './reserve.ts'
import { readSchema } from './schema.ts'

function databaseWith(sql: string) {
  const database = new DatabaseSync(':memory:')
  database.exec(sql)
  const take = (table: string, count: number) => takeIds(database, readSchema(database), table, count)
  return { database, take }
}

const songs = 'CREATE TABLE songs (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT)'

test('law 3 · what is taken is above every id there ever was, and the database gives none of it', () => {
  const { database, take } = databaseWith(songs)
  const insert = () =>
    Number(database.prepare("INSERT INTO songs (title) VALUES ('a')").run().lastInsertRowid)
  expect(take('songs', 10)).toEqual({ first: 1, count: 10 })
  expect(insert()).toBe(11)
  database.exec('DELETE FROM songs')
  expect(take('songs', 10)).toEqual({ first: 12, count: 10 })
  expect(take('songs', 1)).toEqual({ first: 22, count: 1 })
  // Below what is noted: it is noted all the same.
  database.exec("INSERT INTO songs VALUES (1, 'taken'), (15, 'taken')")
  expect(insert()).toBe(23)
  database.exec("INSERT INTO songs VALUES (1000, 'far')")
  expect(take('songs', 5)).toEqual({ first: 1001, count: 5 })
})

test('law 3 · an id that a row came to by an UPDATE, which SQLite does not note, is not taken', () => {
  const { database, take } = databaseWith(`${songs}; INSERT INTO songs VALUES (1, 'a')`)
  database.exec('UPDATE songs SET id = 500')
  expect(take('songs', 5)).toEqual({ first: 501, count: 5 })
})

test('what is noted stays a whole number', () => {
  const { database, take } = databaseWith(songs)
  for (const _ of [1, 2]) take('songs', 10)
  const rows = database.prepare('SELECT name, seq, typeof(seq) AS type FROM sqlite_sequence').all()
  expect(rows).toEqual([{ name: 'songs', seq: 20, type: 'integer' }])
})

test('law 3 · tables apart, names in quotes, and a table by another name', () => {
  const { database, take } = databaseWith(
    `${songs}; CREATE TABLE "it's ""one""" ("the id" INTEGER PRIMARY KEY AUTOINCREMENT, a)`,
  )
  expect(take('songs', 3)).toEqual({ first: 1, count: 3 })
  expect(take('it\'s "one"', 3)).toEqual({ first: 1, count: 3 })
  database.exec('ALTER TABLE songs RENAME TO tunes')
  expect(take('tunes', 3)).toEqual({ first: 4, count: 3 })
})

test.each([
  'CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a)',
  'CREATE TABLE t (id INTEGER PRIMARY KEY ASC ON CONFLICT ABORT autoincrement, a)',
  'CREATE TABLE t ("id" INTEGER NOT NULL, a, PRIMARY KEY("id" AUTOINCREMENT))',
  'CREATE TABLE t (id INTEGER CONSTRAINT k PRIMARY KEY /* our */ AUTOINCREMENT, a ANY) STRICT',
])('the database gives no id twice: %s', (sql) => {
  const { database, take } = databaseWith(sql)
  expect(take('t', 2)).toEqual({ first: 1, count: 2 })
  expect(database.prepare('INSERT INTO t (a) VALUES (1)').run().lastInsertRowid).toBe(3)
})

test.each([
  'CREATE TABLE t (id INTEGER PRIMARY KEY, a)',
  'CREATE TABLE t (id INTEGER PRIMARY KEY, "AUTOINCREMENT")',
  "CREATE TABLE t (id INTEGER PRIMARY KEY, a DEFAULT 'PRIMARY KEY AUTOINCREMENT')",
  'CREATE TABLE t (id INTEGER PRIMARY KEY -- AUTOINCREMENT\n, a)',
  'CREATE TABLE t (id INTEGER PRIMARY KEY /* AUTOINCREMENT */, a)',
  'CREATE TABLE t (id INT PRIMARY KEY, a)',
  'CREATE TABLE t (a)',
  'CREATE TABLE other (id INTEGER PRIMARY KEY AUTOINCREMENT, a)',
])('law 3 · where it could give one twice, none is taken: %s', (sql) => {
  const { database, take } = databaseWith(`${songs}; ${sql}`)
  expect(() => take('t', 2)).toThrow(StoreError)
  expect(() => take('t', 2)).toThrow(
    expect.objectContaining({ failure: 'rejected', hint: expect.stringContaining('AUTOINCREMENT') }),
  )
  expect(database.prepare('SELECT * FROM sqlite_sequence').all()).toEqual([])
})

test('law 3 · no id is taken that a number cannot hold exactly', () => {
  const { take } = databaseWith(`${songs}; INSERT INTO songs VALUES (9007199254740985, 'a')`)
  expect(take('songs', 6)).toEqual({ first: 2 ** 53 - 6, count: 6 })
  expect(() => take('songs', 1)).toThrow(/near 2\^53/)
})
