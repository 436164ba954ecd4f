import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
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
