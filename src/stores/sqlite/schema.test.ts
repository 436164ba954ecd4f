import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { openEpoch } from './bookkeeping.ts'
import { readSchema, type DatabaseSchema } from './schema.ts'
import type { WriterName } from '../../contracts/position.ts'

function schemaOf(sql: string): DatabaseSchema {
  const database = new DatabaseSync(':memory:')
  database.exec(sql)
  return readSchema(database)
}

test('whole numbers travel as bigint where a float would stay a float', () => {
  // Affinity is decided by the declared type: https://www.sqlite.org/datatype3.html section 3.1
  const types = {
    number: [
      'INTEGER',
      'INT',
      'BIGINT',
      'UNSIGNED BIG INT',
      'REAL',
      'DOUBLE PRECISION',
      'FLOAT',
      'NUMERIC',
      'DECIMAL(10,5)',
      'BOOLEAN',
      'DATETIME',
      'CHARINT',
      'STRING',
    ],
    bigint: ['TEXT', 'VARCHAR(255)', 'NCHAR(55)', 'CLOB', 'BLOB', 'tinytext', 'ANY', ''],
  } as const
  const declared = Object.values(types).flat()
  const columns = declared.map((type, index) => `c${index} ${type}`).join(', ')
  const table = schemaOf(`CREATE TABLE t (${columns})`).tables.get('t')
  const found = [...(table?.columns.values() ?? [])].map(({ type, wholeNumbers }) => [type, wholeNumbers])
  expect(found).toEqual(Object.entries(types).flatMap(([how, all]) => all.map((type) => [type, how])))
})

test('a generated id is the rowid by another name, and nothing else', () => {
  const { tables } = schemaOf(`
    CREATE TABLE plain (id INTEGER PRIMARY KEY, a);
    CREATE TABLE counting (id INTEGER PRIMARY KEY AUTOINCREMENT, a);
    CREATE TABLE apart (a, id integer, PRIMARY KEY (id));
    CREATE TABLE apart_descending (a, id INTEGER, PRIMARY KEY (id DESC));
    CREATE TABLE descending (id INTEGER PRIMARY KEY DESC, a);
    CREATE TABLE short (id INT PRIMARY KEY, a);
    CREATE TABLE two (a INTEGER, b INTEGER, PRIMARY KEY (a, b));
    CREATE TABLE without (id INTEGER PRIMARY KEY, a) WITHOUT ROWID;
    CREATE TABLE keyless (a);
  `)
  const ids = Object.fromEntries([...tables.values()].map(({ name, generatedId }) => [name, generatedId]))
  expect(ids).toEqual({
    plain: 'id',
    counting: 'id',
    apart: 'id',
    apart_descending: 'id',
    descending: undefined,
    short: undefined,
    two: undefined,
    without: undefined,
    keyless: undefined,
  })
})

test('a primary key is told in its own order, and computed columns as such', () => {
  const table = schemaOf(
    'CREATE TABLE t (a, b, c AS (a + b), d AS (a) STORED, PRIMARY KEY (b, a)) WITHOUT ROWID',
  ).tables.get('t')
  expect(table?.primaryKey).toEqual(['b', 'a'])
  expect(
    [...(table?.columns.values() ?? [])].filter(({ isComputed }) => isComputed).map(({ name }) => name),
  ).toEqual(['c', 'd'])
})

test('the bookkeeping and SQLite’s own tables are nobody’s to write', () => {
  const database = new DatabaseSync(':memory:')
  database.exec(
    'CREATE TABLE mine (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE VIEW seen AS SELECT * FROM mine',
  )
  openEpoch(database, {
    writer: 'w' as WriterName,
    leaseMs: 1,
    nowMs: 0,
    epochStep: 1,
    newIdentity: { id: '0', secret: '0' },
  })
  expect([...readSchema(database).tables.keys()]).toEqual(['mine'])
})

test('law 4 · a table with a trigger is not plain, in whatever case the trigger names it', () => {
  const { traits } = schemaOf(`
    CREATE TABLE songs (id INTEGER PRIMARY KEY);
    CREATE TABLE others (id INTEGER PRIMARY KEY);
    CREATE TRIGGER t AFTER INSERT ON SONGS BEGIN SELECT 1; END;
  `)
  expect([traits.get('songs')?.isPlain, traits.get('others')?.isPlain]).toEqual([false, true])
})

test.for([
  ['AFTER INSERT', false],
  ['BEFORE INSERT', false],
  ['INSERT', false],
  ['AFTER DELETE', true],
  ['before update of id', true],
  ['DELETE', true],
  ['/* of DELETE */ AFTER INSERT', false],
] as const)('law 4 · with a trigger %s, whether a table inserts plainly: %s', ([event, isPlain]) => {
  for (const name of ['t', '"a ""t"" INSERT"', '[a t]', '`t`', "'t'", 'main.t', 'delete_', 'before']) {
    const { traits } = schemaOf(
      `CREATE TABLE songs (id INTEGER PRIMARY KEY); CREATE TRIGGER ${name} ${event} ON songs BEGIN SELECT 1; END;`,
    )
    expect([name, traits.get('songs')?.insertsPlainly, traits.get('songs')?.isPlain]).toEqual([
      name,
      isPlain,
      false,
    ])
  }
})

test('law 4 · a table whose constraint may stop half-way is not plain', () => {
  const { traits } = schemaOf(`
    CREATE TABLE failing (id INTEGER PRIMARY KEY, k UNIQUE ON  conflict
      FAIL);
    CREATE TABLE aborting (id INTEGER PRIMARY KEY, k UNIQUE ON CONFLICT ABORT);
  `)
  expect([traits.get('failing')?.isPlain, traits.get('aborting')?.isPlain]).toEqual([false, true])
})

test('law 4 · a parent cascades to triggers when there are any', () => {
  const tables = `CREATE TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TABLE children (id INTEGER PRIMARY KEY, parent REFERENCES Parents (id) ON DELETE CASCADE);`
  expect(schemaOf(tables).traits.get('parents')?.cascadesToTriggers).toBe(false)
  const { traits } = schemaOf(`${tables} CREATE TRIGGER t BEFORE DELETE ON children BEGIN SELECT 1; END;`)
  expect(traits.get('parents')?.cascadesToTriggers).toBe(true)
  expect(traits.get('children')?.cascadesToTriggers).toBe(false)
})

test('law 4 · both ends of a foreign key are deferred where any constraint is', () => {
  const { traits, hasDeferred } = schemaOf(`
    CREATE TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TABLE children (id INTEGER PRIMARY KEY, p REFERENCES PARENTS (id) DEFERRABLE  INITIALLY
      deferred);
    CREATE TABLE apart (id INTEGER PRIMARY KEY);
  `)
  expect(hasDeferred).toBe(true)
  expect(['parents', 'children', 'apart'].map((name) => traits.get(name)?.isDeferred)).toEqual([
    true,
    true,
    false,
  ])
  expect(schemaOf('CREATE TABLE t (id INTEGER PRIMARY KEY, p REFERENCES t (id))').hasDeferred).toBe(false)
})

test('a changed schema has another version', () => {
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE a (id)')
  const before = readSchema(database).version
  expect(readSchema(database).version).toBe(before)
  database.exec('ALTER TABLE a ADD COLUMN more')
  expect(readSchema(database).version).not.toBe(before)
})

test('a column that names the generated id of a row tells of which table', () => {
  const { tables } = schemaOf(`
    CREATE TABLE Songs (Id INTEGER PRIMARY KEY, code TEXT UNIQUE, a INTEGER, b INTEGER, UNIQUE (a, b));
    CREATE TABLE keyed (code TEXT PRIMARY KEY);
    CREATE TABLE children (
      named INTEGER REFERENCES songs (ID), "by key" INTEGER REFERENCES SONGS, code TEXT REFERENCES Songs (code),
      a INTEGER, b INTEGER, other TEXT REFERENCES keyed, nowhere INTEGER REFERENCES missing (id),
      itself INTEGER REFERENCES children, FOREIGN KEY (a, b) REFERENCES Songs (a, b)
    );
  `)
  const parents = new Map([
    ['named', 'Songs'],
    ['by key', 'Songs'],
  ])
  expect(tables.get('children')?.parents).toEqual(parents)
  expect(tables.get('Songs')?.parents).toBe(undefined)
})
