import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import type { TableSchema } from '../../contracts/schema.ts'
import { readSchema } from './schema.ts'

function tablesOf(sql: string): ReadonlyMap<string, TableSchema> {
  const database = new DatabaseSync(':memory:')
  database.exec(sql)
  return readSchema(database).tables
}

/** What is known of each table, shortened: `folds`, `alone` (it only stands alone) or `nothing`. */
function known(sql: string): Record<string, string> {
  return Object.fromEntries(
    [...tablesOf(sql).values()].map(({ name, standsAlone, isFoldable }) => [
      name,
      isFoldable === true ? 'folds' : standsAlone === true ? 'alone' : 'nothing',
    ]),
  )
}

test('law 6 · ordinary tables fold, with and without rowid, strict or not', () => {
  expect(
    known(`CREATE TABLE plain (id INTEGER PRIMARY KEY, a TEXT DEFAULT 'x' UNIQUE, b REFERENCES plain (id));
      CREATE TABLE without (id TEXT PRIMARY KEY, a CHECK (a > 0)) WITHOUT ROWID;
      CREATE TABLE strict (id INT PRIMARY KEY, a ANY NOT NULL) STRICT;
      CREATE INDEX i ON plain (b)`),
  ).toEqual({ plain: 'folds', without: 'folds', strict: 'folds' })
})

test('law 6 · a table that a trigger stands on or names, however written, may be changed by anything', () => {
  expect(
    known(`CREATE TABLE songs (id INTEGER PRIMARY KEY);
      CREATE TABLE plays (id INTEGER PRIMARY KEY);
      CREATE TABLE played (id INTEGER PRIMARY KEY);
      CREATE TABLE "odd name" (id INTEGER PRIMARY KEY);
      CREATE TABLE "quo""ted" (id INTEGER PRIMARY KEY);
      CREATE TRIGGER t AFTER INSERT ON Songs BEGIN UPDATE "PLAYS" SET id = id + 1; END`),
  ).toEqual({
    songs: 'nothing',
    plays: 'nothing',
    played: 'folds',
    'odd name': 'nothing',
    'quo"ted': 'nothing',
  })
})

test('law 6 · a child that a foreign key changes with its parent is told by no write to itself', () => {
  const actions = ['ON DELETE CASCADE', 'ON DELETE SET NULL', 'ON UPDATE SET DEFAULT', 'ON UPDATE CASCADE']
  const children = [...actions, 'ON DELETE RESTRICT', 'ON UPDATE NO ACTION', '']
    .map(
      (action, index) =>
        `CREATE TABLE child${index} (id INTEGER PRIMARY KEY, p REFERENCES Parents (id) ${action});`,
    )
    .join('\n')
  expect(known(`CREATE TABLE parents (id INTEGER PRIMARY KEY); ${children}`)).toEqual({
    parents: 'folds',
    child0: 'nothing',
    child1: 'nothing',
    child2: 'nothing',
    child3: 'nothing',
    child4: 'folds',
    child5: 'folds',
    child6: 'folds',
  })
})

test('law 6 · conflict clauses, computed columns and virtual tables do not fold', () => {
  const found = known(`CREATE TABLE replacing (id INTEGER PRIMARY KEY, a UNIQUE ON
        conflict REPLACE);
      CREATE TABLE computing (id INTEGER PRIMARY KEY, a AS (id + 1));
      CREATE VIRTUAL TABLE notes USING fts5(text)`)
  expect(found).toMatchObject({
    replacing: 'nothing',
    computing: 'alone',
    notes: 'nothing',
    notes_content: 'nothing',
  })
  expect(known("PRAGMA encoding = 'UTF-16'; CREATE TABLE t (id INTEGER PRIMARY KEY)")).toEqual({ t: 'alone' })
})

test('law 6 · texts are compared exactly unless a collation may say otherwise', () => {
  const exact = (sql: string) =>
    [...(tablesOf(sql).get('t')?.columns.values() ?? [])].map(({ storage }) => storage?.comparesExactly)
  expect(exact('CREATE TABLE t (k TEXT PRIMARY KEY, a TEXT)')).toEqual([true, true])
  expect(exact('CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY, a TEXT)')).toEqual([false, false])
  expect(exact('CREATE TABLE t (k TEXT, a TEXT, PRIMARY KEY (k COLLATE NOCASE))')).toEqual([false, false])
  expect(exact('CREATE TABLE t (k TEXT PRIMARY KEY, a TEXT COLLATE NOCASE)')).toEqual([true, false])
  // The column folds case although the key's own index does not.
  expect(exact('CREATE TABLE t (k TEXT COLLATE NOCASE, a, PRIMARY KEY (k COLLATE BINARY))')).toEqual([
    false,
    false,
  ])
})

test('law 6 · a default counts, except NULL; what a column converts follows from its type', () => {
  const columns =
    tablesOf(`CREATE TABLE loose (a INT DEFAULT 1, b DOUBLE DEFAULT NULL, c VARCHAR(3), d, e ANY, f DATE);
    CREATE TABLE strict (e ANY, f BLOB DEFAULT (1 + 1)) STRICT`)
  const told = (name: string) =>
    [...(columns.get(name)?.columns.values() ?? [])].map(({ storage }) => [
      storage?.affinity,
      storage?.hasDefault,
    ])
  expect(told('loose')).toEqual([
    ['numeric', true],
    ['real', false],
    ['text', false],
    ['none', false],
    ['numeric', false],
    ['numeric', false],
  ])
  expect(told('strict')).toEqual([
    ['none', false],
    ['none', true],
  ])
})
