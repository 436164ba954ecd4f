/**
 * What the overlay takes for proven, against SQLite itself: for every kind of column and value, either nothing is
 * said, or what is said is what a read gives after the commit.
 */
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { UpdateShape } from '../../src/contracts/operation.ts'
import type { Seq } from '../../src/contracts/position.ts'
import type { ColumnSchema, TableSchema } from '../../src/contracts/schema.ts'
import type { Value } from '../../src/contracts/values.ts'
import { fold, unproven } from '../../src/reads/fold.ts'
import { Queries } from '../../src/stores/sqlite/queries.ts'
import { readSchema } from '../../src/stores/sqlite/schema.ts'
import { PendingBatch } from '../../src/writes/batch.ts'
import { PendingOperation } from '../../src/writes/pending-table.ts'
import { rowForm } from '../../src/writes/row-key.ts'
import { storedValue } from '../../src/writes/stored-value.ts'
import { encodeValue } from '../../src/writes/values.ts'

const loose = [
  'INTEGER',
  'BIGINT',
  'REAL',
  'DOUBLE',
  'FLOATING POINT',
  'NUMERIC',
  'DECIMAL(10,5)',
  'BOOLEAN',
  'DATETIME',
  'TEXT',
  'VARCHAR(9)',
  'TEXT COLLATE NOCASE',
  'TEXT COLLATE RTRIM',
  'CLOB',
  'BLOB',
  '',
  'ANY',
  'STRING',
]
const strict = ['INT', 'INTEGER', 'REAL', 'TEXT', 'BLOB', 'ANY']
const declarations = [
  ...loose.map((type) => ({ type, options: '' })),
  ...loose.map((type) => ({ type, options: 'WITHOUT ROWID' })),
  ...strict.map((type) => ({ type, options: 'STRICT' })),
  ...strict.map((type) => ({ type, options: 'STRICT, WITHOUT ROWID' })),
]

/** Texts made of what numbers are written with, and of what comes close. */
const numberLike = fc
  .array(
    fc.constantFrom(
      ...'0123456789'.split(''),
      '.',
      '-',
      '+',
      'e',
      'E',
      'x',
      '_',
      ' ',
      '\t',
      '\n',
      '\v',
      '\0',
      '\u00a0',
      'a',
    ),
    {
      maxLength: 6,
    },
  )
  .map((characters) => characters.join(''))
const texts = fc.oneof(
  numberLike,
  fc.constantFrom(
    '',
    'a',
    'A',
    'a ',
    'é',
    'É',
    'ß',
    '\ufeffa',
    '1_0',
    '1-2',
    '0x1F',
    'inf',
    'nan',
    'NULL',
    'true',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }).filter((text) => text.isWellFormed()),
)
const integers = fc.oneof(
  fc.constantFrom(
    0,
    1,
    -1,
    2 ** 47,
    2 ** 53 - 1,
    -(2 ** 53 - 1),
    2 ** 53,
    2 ** 60,
    -(2 ** 63),
    2 ** 63,
    1e300,
  ),
  fc.maxSafeInteger(),
  fc.integer({ min: -3, max: 3 }),
)
const values: fc.Arbitrary<unknown> = fc.oneof(
  texts,
  integers,
  integers.map((value) => (Number.isSafeInteger(value) ? BigInt(value) : String(value))),
  fc.constantFrom(2n ** 53n, 2n ** 60n, -(2n ** 63n), 2n ** 63n - 1n, 0n, 1n),
  fc.double({ noNaN: true }),
  fc.constantFrom(-0, 0.5, 1.5, 5e-324, Number.MAX_VALUE, Infinity, -Infinity),
  fc.boolean(),
  fc.uint8Array({ maxLength: 4 }),
  fc.constantFrom(null),
)

/** Nobody shares these tables: each question puts in a row and takes it out again. */
function tableOf({ type, options }: { type: string; options: string }) {
  const database = new DatabaseSync(':memory:')
  database.exec(`CREATE TABLE plain (id INTEGER PRIMARY KEY, c ${type}) ${options};
    CREATE TABLE keyed (k ${type}, PRIMARY KEY (k)) ${options};
    CREATE TABLE pairs (a ${type}, b ${type}, PRIMARY KEY (a, b)) ${options};`)
  const queries = new Queries((sql) => database.prepare(sql))
  const schema = readSchema(database)
  const table = (name: string): TableSchema => schema.tables.get(name) as TableSchema
  const run = (sql: string, ...parameters: Value[]) => queries.run({ sql, parameters }).rows
  /** What `ask` sees with this row there; undefined when the row is refused. */
  const having = <T>(sql: string, row: Value[], ask: () => T): T | undefined => {
    database.exec('BEGIN')
    try {
      run(sql, ...row)
    } catch {
      database.exec('ROLLBACK')
      return undefined
    }
    const answer = ask()
    database.exec('ROLLBACK')
    return answer
  }
  return { table, run, having }
}

function columnOf(table: TableSchema, name: string): ColumnSchema {
  return table.columns.get(name) as ColumnSchema
}

/** As a write encodes it; undefined for what is refused at the call. */
function encoded(column: ColumnSchema, value: unknown): Value | undefined {
  try {
    return encodeValue(value, column.wholeNumbers, () => 'it')
  } catch {
    return undefined
  }
}

describe.each(declarations)('a column $type of a table $options', (declaration) => {
  const { table, run, having } = tableOf(declaration)

  test('law 6 · a value shown before its commit is what a read gives after it', () => {
    const column = columnOf(table('plain'), 'c')
    fc.assert(
      fc.property(values, (value) => {
        const given = encoded(column, value)
        const shown = given === undefined ? undefined : storedValue(column, given)
        if (given === undefined || shown === undefined) return
        const rows = having('INSERT INTO plain VALUES (1, ?)', [given], () => run('SELECT c FROM plain'))
        // Object.is tells 0 from -0, and a number from a bigint.
        if (rows) expect(rows).toStrictEqual([{ c: shown }])
      }),
      { numRuns: 3_000 },
    )
  })

  test('law 6 · two keys have one form if and only if they name one row', () => {
    const { primaryKey } = table('keyed')
    const columns = primaryKey.map((name) => columnOf(table('keyed'), name))
    const column = columns[0] as ColumnSchema
    fc.assert(
      fc.property(values, values, (one, other) => {
        const [a, b] = [encoded(column, one), encoded(column, other)]
        if (a === undefined || b === undefined) return
        const [formOfA, formOfB] = [rowForm(columns, [a], 0, [0]), rowForm(columns, [b], 0, [0])]
        if (formOfA === undefined || formOfB === undefined || formOfA === null || formOfB === null) return
        const found = having('INSERT INTO keyed VALUES (?)', [a], () =>
          run('SELECT count(*) AS n FROM keyed WHERE k = ?', b),
        )
        if (found) expect([one, other, found[0]?.['n']]).toEqual([one, other, formOfA === formOfB ? 1 : 0])
      }),
      { numRuns: 3_000 },
    )
  })

  test('law 6 · two keys of two columns have one form if and only if they name one row', () => {
    const columns = ['a', 'b'].map((name) => columnOf(table('pairs'), name))
    const pair = fc.tuple(values, values)
    const near = fc.oneof(
      fc.tuple(pair, pair),
      pair.map((same) => [same, same] as const),
      pair.map(
        ([a, b]) =>
          [
            [a, b],
            [b, a],
          ] as const,
      ),
      // Where one part ends and the next begins must not be lost.
      fc.tuple(texts, texts, texts).map(
        ([x, y, z]) =>
          [
            [x + y, z],
            [x, y + z],
          ] as const,
      ),
    )
    fc.assert(
      fc.property(near, ([one, other]) => {
        const encodedPairs = [one, other].map((both) =>
          both.map((value, index) => encoded(columns[index] as ColumnSchema, value)),
        )
        const [a, b] = encodedPairs as [Value[], Value[]]
        if ([...a, ...b].includes(undefined as never)) return
        const [formOfA, formOfB] = [rowForm(columns, a, 0, [0, 1]), rowForm(columns, b, 0, [0, 1])]
        if (formOfA === undefined || formOfB === undefined || formOfA === null || formOfB === null) return
        const found = having('INSERT INTO pairs VALUES (?, ?)', a, () =>
          run('SELECT count(*) AS n FROM pairs WHERE a = ? AND b = ?', ...b),
        )
        if (found) expect([one, other, found[0]?.['n']]).toEqual([one, other, formOfA === formOfB ? 1 : 0])
      }),
      { numRuns: 1_000 },
    )
  })

  test('law 6 · a condition beyond the key holds in the overlay if and only if it holds in the database', () => {
    const plain = table('plain')
    const column = columnOf(plain, 'c')
    const shape: UpdateShape = {
      kind: 'update',
      table: 'plain',
      key: 'update',
      width: 3,
      set: ['c'],
      where: ['id', 'c'],
      expect: undefined,
    }
    fc.assert(
      fc.property(values, values, fc.boolean(), (there, other, isSame) => {
        const held = encoded(column, there)
        const wanted = isSame ? held : encoded(column, other)
        if (held === undefined || wanted === undefined) return
        const batch = new PendingBatch(0 as Seq, 0)
        const operation = batch.runFor(shape)
        operation.values.push(null, 1, wanted)
        const seq = batch.extend(operation, 0)
        const answer = having('INSERT INTO plain VALUES (1, ?)', [held], () => {
          const row = run('SELECT * FROM plain')[0]
          const request = {
            table: plain,
            operations: [new PendingOperation(batch, operation, 0, seq)],
            makesKeysUpTo: 0 as Seq,
          }
          const folded = fold(request, row, 0 as Seq)
          run('UPDATE plain SET c = ? WHERE id IS ? AND c IS ?', null, 1, wanted)
          return { folded, committed: run('SELECT * FROM plain')[0] }
        })
        // A column that cannot be NULL refuses the update; nothing but STRICT tables without rowid has one here.
        if (answer && answer.folded !== unproven) expect(answer.folded).toStrictEqual(answer.committed)
      }),
      { numRuns: 2_000 },
    )
  })
})

test('law 6 · what people write is proven: the overlay does not refuse everything', () => {
  const ordinary: Record<string, unknown[]> = {
    INTEGER: [0, 1, -5, 1.5, true, 2n ** 60n, 'draft', null, new Uint8Array([1])],
    REAL: [0, 1, 1.5, 2 ** 60, 'draft', null],
    NUMERIC: [3, 0.1, '2026-08-01', null],
    TEXT: ['', '5', 'a b', 5, 5n, true, null, '2026-08-01T00:00:00.000Z'],
    BLOB: ['5', 5, 1.5, new Uint8Array([0, 1]), null],
  }
  const waits: Record<string, unknown[]> = {
    INTEGER: ['5', ' 5 ', '1e3', '', '-', '12\0x', -0, 2 ** 53, 1e300],
    REAL: ['5', -0, 2n ** 60n],
    NUMERIC: ['0.10', '1E2'],
    TEXT: [1.5, 2 ** 60, Infinity],
    BLOB: [2 ** 60],
  }
  const provenIn = (cases: Record<string, unknown[]>) =>
    Object.entries(cases).flatMap(([type, list]) => {
      const column = columnOf(tableOf({ type, options: '' }).table('plain'), 'c')
      return list.map((value) => [
        type,
        value,
        storedValue(column, encoded(column, value) as Value) !== undefined,
      ])
    })
  expect(provenIn(ordinary).filter(([, , isProven]) => !isProven)).toEqual([])
  expect(provenIn(waits).filter(([, , isProven]) => isProven)).toEqual([])
})
