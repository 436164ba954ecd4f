import { DatabaseSync } from 'node:sqlite'
import { beforeEach, expect, test } from 'vitest'
import type { Shape, StatementShape } from '../../contracts/operation.ts'
import { quote, Statements } from './statements.ts'

let database: DatabaseSync
let statements: Statements

beforeEach(() => {
  database = new DatabaseSync(':memory:')
  database.exec(`
    CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT, plays INTEGER);
    CREATE TABLE wide (${Array.from({ length: 1_500 }, (_, index) => `c${index}`).join(', ')});
    CREATE VIEW seen AS SELECT * FROM songs;
    CREATE TRIGGER through INSTEAD OF INSERT ON seen BEGIN INSERT INTO songs (title) VALUES (NEW.title); END;
    CREATE VIRTUAL TABLE words USING fts5 (text);
  `)
  statements = new Statements(database)
})

function statement(sql: string, width = 0): StatementShape {
  return { kind: 'statement', key: `${sql} ${width}`, sql, width, expect: undefined }
}

function insertShape(columns: readonly string[], table = 'songs'): Shape {
  return { kind: 'insert', table, key: `${table} ${columns.join()}`, width: columns.length, columns }
}

test('a shape is prepared once', () => {
  const shape = insertShape(['title'])
  expect(statements.of({ ...shape })).toBe(statements.of(shape))
  statements.clear()
  expect(statements.of(shape)).toBe(statements.of(shape))
})

test('rows are put into statements of several sizes, the last of one row, none over SQLite’s limit', () => {
  const sizes = (shape: Shape) => statements.of(shape).sizes.map(({ rows }) => rows)
  const narrow = sizes(insertShape(['title', 'plays']))
  expect(narrow.at(-1)).toBe(1)
  expect(narrow).toEqual(narrow.toSorted((a, b) => b - a))
  const columns = Array.from({ length: 1_500 }, (_, index) => `c${index}`)
  for (const rows of sizes(insertShape(columns, 'wide')))
    expect(rows * columns.length).toBeLessThanOrEqual(32_766)
})

test('law 5 · a statement with too few parameters is refused', () => {
  expect(() => statements.of(statement('INSERT INTO songs (title, plays) VALUES (?, ?)', 1))).toThrow(
    /more parameters/,
  )
  expect(() => statements.of(statement('UPDATE songs SET title = ?3', 2))).toThrow(/more parameters/)
  statements.of(statement('UPDATE songs SET title = ?3', 3))
  statements.of(statement('DELETE FROM songs'))
})

test('every statement that writes is taken, one that only reads is refused', () => {
  const writing = [
    "INSERT INTO seen (title) VALUES ('a')",
    "INSERT INTO words (text) VALUES ('a')",
    "INSERT INTO words (words) VALUES ('optimize')",
    'DELETE FROM songs WHERE 0',
    'DELETE FROM songs WHERE false RETURNING id',
    'UPDATE songs SET title = NULL WHERE 1 = 2',
    'INSERT INTO songs SELECT * FROM songs WHERE 0',
    'WITH a AS (SELECT 1) DELETE FROM songs WHERE id IN a',
    '-- a comment\nREPLACE INTO songs (id) VALUES (1) /* and one more */;',
  ]
  for (const sql of writing) expect(() => statements.of(statement(sql)), sql).not.toThrow()
  for (const sql of ['WITH a AS (SELECT 1) SELECT * FROM a', 'WITH a AS (SELECT 1) SELECT * FROM songs'])
    expect(() => statements.of(statement(sql)), sql).toThrow(/changes nothing/)
  // Looking at a statement does not run it.
  expect(
    database.prepare('SELECT (SELECT count(*) FROM songs) + (SELECT count(*) FROM words) AS n').get(),
  ).toEqual({ n: 0 })
})

test('names are quoted', () => {
  expect([quote('a'), quote('a "b"'), quote('order')]).toEqual(['"a"', '"a ""b"""', '"order"'])
})
