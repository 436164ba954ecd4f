import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SqlQuery } from '../../contracts/store.ts'
import { Queries, unpack } from './queries.ts'

let database: DatabaseSync
let queries: Queries

beforeEach(() => {
  database = new DatabaseSync(':memory:')
  database.exec(
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO notes VALUES (1, 'a'), (2, 'b')",
  )
  queries = new Queries((sql) => database.prepare(sql))
})
afterEach(() => database.close())

const ask = (sql: string, more: Partial<SqlQuery> = {}) => queries.run({ sql, parameters: [], ...more })

test('rows are ordinary objects, also after they were sent to another thread', () => {
  const expected = [
    { id: 1, text: 'a' },
    { id: 2, text: 'b' },
  ]
  const { rows } = ask('SELECT * FROM notes')
  expect(rows).toStrictEqual(expected)
  const sent = structuredClone(queries.pack({ sql: 'SELECT * FROM notes', parameters: [] }))
  expect(unpack(sent).rows).toStrictEqual(expected)
  expect(ask('SELECT * FROM notes', { asArrays: true }).rows).toStrictEqual([
    [1, 'a'],
    [2, 'b'],
  ])
})

test('columns are named as they are now, in a statement that was prepared before they changed', () => {
  expect(ask('SELECT * FROM notes').rows[0]).toStrictEqual({ id: 1, text: 'a' })
  database.exec('ALTER TABLE notes RENAME COLUMN text TO body; ALTER TABLE notes ADD COLUMN size INTEGER')
  expect(ask('SELECT * FROM notes').rows[0]).toStrictEqual({ id: 1, body: 'a', size: null })
})

test('a column named __proto__ is a column', () => {
  const [row] = ask(`SELECT 7 AS "__proto__", 'x' AS y`).rows
  expect(Object.entries(row ?? {})).toStrictEqual([
    ['__proto__', 7],
    ['y', 'x'],
  ])
  expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
})

test('of two columns with one name the last one counts', () => {
  expect(ask('SELECT 1 AS a, 2 AS a').rows).toStrictEqual([{ a: 2 }])
})

test('integers are numbers where they are exact', () => {
  const [row] = ask('SELECT 9007199254740991 AS exact, 9007199254740993 AS large').rows
  expect(row).toStrictEqual({ exact: 2 ** 53 - 1, large: 9007199254740993n })
})

test('changes are told of what changes and gives rows', () => {
  const { rows, changes } = ask(`UPDATE notes SET text = 'c' RETURNING id`)
  expect(rows).toStrictEqual([{ id: 1 }, { id: 2 }])
  expect(changes).toBe(2)
  expect(ask(`DELETE FROM notes WHERE id = 1`)).toStrictEqual({
    rows: [],
    changes: 1,
    lastInsertId: expect.anything(),
  })
})

const refusal = (message: RegExp) =>
  expect.objectContaining({ failure: 'rejected', message: expect.stringMatching(message) })

test.each([
  ["INSERT INTO notes VALUES (3, 'c'); DELETE FROM notes"],
  ['SELECT 1; SELECT 2'],
  ['; DELETE FROM notes WHERE id = 1;;DELETE FROM notes'],
  ["SELECT ';' /* ; */ ; -- ;\n nonsense"],
  ['SELECT 1;\0DELETE FROM notes'],
  ['CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM notes; END; DELETE FROM notes'],
])('law 3 · a text of more than one statement is refused whole: %s', (sql) => {
  for (const _ of [1, 2]) expect(() => ask(sql)).toThrow(refusal(/more than one statement/))
  expect(ask('SELECT count(*) AS count FROM notes').rows).toStrictEqual([{ count: 2 }])
})

test('a statement ends where SQLite says: not in quotes, comments or a trigger', () => {
  expect(ask(`SELECT ';' AS a, 'é😀\ud800;' AS "b;" ; /* ; */ ; -- ;`).rows).toHaveLength(1)
  expect(ask('/* ; */ ; SELECT 1 AS a').rows).toStrictEqual([{ a: 1 }])
  ask(`CREATE TRIGGER t AFTER INSERT ON notes BEGIN
         UPDATE notes SET text = CASE 1 WHEN 1 THEN 'x;' END; DELETE FROM notes WHERE id = 1; END;`)
  ask("INSERT INTO notes VALUES (3, 'c')")
  expect(ask('SELECT * FROM notes WHERE text = ?', { parameters: ['x;'] }).rows).toHaveLength(2)
})

test('law 3 · a statement is given as many parameters as it takes, each time', () => {
  const sql = 'UPDATE notes SET text = ? WHERE ? IS NULL'
  for (const parameters of [['x'], ['x', 1, 2], []])
    expect(() => ask(sql, { parameters })).toThrow(refusal(/takes 2 parameters, it was given/))
  expect(ask(sql, { parameters: ['x', 1] }).changes).toBe(0)
  expect(() => ask(sql, { parameters: ['x'] })).toThrow(refusal(/takes 2 parameters, it was given 1/))
  expect(() => ask('SELECT :a', {})).toThrow(refusal(/:a has a name/))
  expect(ask('SELECT text FROM notes ORDER BY id').rows).toStrictEqual([{ text: 'a' }, { text: 'b' }])
})

describe('of a read', () => {
  beforeEach(() => {
    queries = new Queries((sql) => database.prepare(sql), { onlyReads: true })
    database.exec('PRAGMA query_only = ON')
  })

  test.each([
    ['INSERT', "INSERT INTO notes VALUES (3, 'c')"],
    ['DELETE', '-- a note\n ;; delete from notes'],
    ['VACUUM', "VACUUM INTO '/nowhere/at/all'"],
    ['BEGIN', '/* hidden */ BEGIN'],
  ])('law 3 · %s is refused before it is prepared', (word, sql) => {
    let prepared = 0
    const counted = new Queries(
      (text) => {
        prepared++
        return database.prepare(text)
      },
      { onlyReads: true },
    )
    expect(() => counted.run({ sql, parameters: [] })).toThrow(
      expect.objectContaining({
        failure: 'rejected',
        message: expect.stringContaining(`a read cannot ${word}`),
        hint: expect.stringContaining('db.write()'),
      }),
    )
    expect(prepared).toBe(0)
  })

  test('law 3 · a pragma is refused, and told of its table', () => {
    expect(() => ask('PRAGMA table_info(notes)')).toThrow(
      expect.objectContaining({ failure: 'rejected', hint: expect.stringContaining('pragma_table_info') }),
    )
    expect(ask("SELECT name FROM pragma_table_info('notes')").rows).toHaveLength(2)
  })

  test('law 3 · a WITH that writes is the fault of the query, not of the file', () => {
    for (const end of ['', ' RETURNING id'])
      expect(() => ask(`WITH a AS (SELECT 1) DELETE FROM notes${end}`)).toThrow(
        expect.objectContaining({
          failure: 'rejected',
          storeCode: 'SQLITE_READONLY',
          message: expect.stringContaining('a read cannot write'),
          hint: expect.stringContaining('db.write()'),
        }),
      )
  })

  test('what reads is run', () => {
    expect(ask('WITH a AS (SELECT 1 AS b) SELECT b FROM a').rows).toStrictEqual([{ b: 1 }])
    expect(ask('values (1), (2)').rows).toHaveLength(2)
    expect(ask('EXPLAIN DELETE FROM notes').rows).not.toHaveLength(0)
    expect(() => ask('SELEC 1')).toThrow(refusal(/syntax error/))
  })
})
