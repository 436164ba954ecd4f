/** Random programs of writes on tables of every kind that the overlay must tell apart, on a few rows. */
import * as fc from 'fast-check'
import type { Operations } from '../../src/writes/operations.ts'

type Row = Record<string, unknown>

interface TableOfKind {
  /** For each row its key, in all the ways in which a caller may write it. */
  readonly rows: readonly (readonly Row[])[]
  readonly columns: readonly string[]
  /** It can be inserted without its key. */
  readonly makesKeys: boolean
}

const numbers: readonly (readonly Row[])[] = [1, 2, 3].map((id) => [
  { id },
  { id: BigInt(id) },
  { id: String(id) },
])
const texts = ['a', 'b', '5'].map((id) => [{ id }])

export const tables: Record<string, TableOfKind> = {
  plain: { rows: numbers, columns: ['a', 'b', 'c'], makesKeys: true },
  defaulted: { rows: texts, columns: ['a', 'b'], makesKeys: true },
  triggered: { rows: numbers, columns: ['a'], makesKeys: true },
  touched: { rows: numbers, columns: ['n'], makesKeys: true },
  folding: {
    rows: [
      [{ id: 'a' }, { id: 'A' }],
      [{ id: 'b' }, { id: 'B' }],
    ],
    columns: ['a', 'b'],
    makesKeys: false,
  },
  partly: { rows: texts, columns: ['a', 'b'], makesKeys: false },
  pairs: {
    rows: [
      [
        { x: 1, y: 'a' },
        { y: 'a', x: 1n },
      ],
      [{ x: 1, y: 'b' }],
      [{ x: 2, y: '' }],
    ],
    columns: ['a'],
    makesKeys: false,
  },
  strict: { rows: [1, 2].map((id) => [{ id }, { id: BigInt(id) }]), columns: ['a', 'b'], makesKeys: false },
  parents: { rows: numbers, columns: ['a'], makesKeys: true },
  children: { rows: numbers, columns: ['parent'], makesKeys: true },
  replacing: { rows: numbers, columns: ['u'], makesKeys: true },
  computing: { rows: numbers, columns: ['a'], makesKeys: true },
}

export const schema = [
  'CREATE TABLE plain (id INTEGER PRIMARY KEY, a TEXT, b INTEGER CHECK (b < 100), c BLOB)',
  "CREATE TABLE defaulted (id TEXT PRIMARY KEY DEFAULT 'a', a TEXT DEFAULT 'x', b REAL)",
  'CREATE TABLE triggered (id INTEGER PRIMARY KEY, a)',
  'CREATE TABLE touched (id INTEGER PRIMARY KEY, n)',
  `CREATE TRIGGER touching AFTER UPDATE ON triggered BEGIN
     UPDATE triggered SET a = 'by a trigger' WHERE id = 3; INSERT OR REPLACE INTO TOUCHED VALUES (new.id, new.a); END`,
  'CREATE TABLE folding (id TEXT COLLATE NOCASE PRIMARY KEY, a TEXT COLLATE NOCASE, b) WITHOUT ROWID',
  'CREATE TABLE partly (id TEXT PRIMARY KEY, a TEXT COLLATE NOCASE, b NUMERIC)',
  'CREATE TABLE pairs (x INTEGER, y TEXT, a NUMERIC, PRIMARY KEY (y, x)) WITHOUT ROWID',
  'CREATE TABLE strict (id INT PRIMARY KEY, a ANY, b TEXT NOT NULL) STRICT',
  'CREATE TABLE parents (id INTEGER PRIMARY KEY, a)',
  'CREATE TABLE children (id INTEGER PRIMARY KEY, parent REFERENCES parents (id) ON DELETE CASCADE)',
  'CREATE TABLE replacing (id INTEGER PRIMARY KEY, u UNIQUE ON CONFLICT REPLACE)',
  'CREATE TABLE computing (id INTEGER PRIMARY KEY, a, b AS (a || id))',
  // Where one write has to find another's rows, some are there already.
  "INSERT INTO triggered VALUES (1, 'x'), (3, 'x')",
  'INSERT INTO parents VALUES (1, 0), (2, 0)',
  'INSERT INTO children VALUES (1, 1), (2, 2), (3, 1)',
  "INSERT INTO replacing VALUES (1, 5), (2, 'word')",
].join(';')

/** Which row of which table, and in which words. */
export interface Place {
  readonly table: string
  readonly row: number
  readonly words: number
}

type Part =
  | { readonly kind: 'insert' | 'upsert'; readonly at: Place; readonly given: Row }
  | { readonly kind: 'append'; readonly at: Place; readonly given: Row }
  | {
      readonly kind: 'update' | 'delete'
      readonly at: Place
      readonly given: Row
      readonly where: Row
      readonly expect: number | undefined
    }
  | { readonly kind: 'move'; readonly at: Place; readonly to: number }
  | { readonly kind: 'statement'; readonly orFail: boolean }

export type Operation = Part | { readonly kind: 'group'; readonly parts: readonly Part[] }

/** The key of a row of `parents`. */
const parent = fc.constantFrom<unknown>(1, 2, 3)
/** Mostly what is proven everywhere; else the rest would be seldom seen behind it. */
const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>(null, 5, 5n, 'word', 'WORD', new Uint8Array([1, 2])) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      0,
      1,
      1.5,
      -0,
      2 ** 53,
      2n ** 60n,
      200,
      true,
      '5',
      '5.0',
      '',
      '2026-08-01',
    ),
  },
)
const placeIn = (among: readonly string[]): fc.Arbitrary<Place> =>
  fc.constantFrom(...among).chain((table) =>
    fc.record({
      table: fc.constant(table),
      row: fc.nat((tables[table] as TableOfKind).rows.length - 1),
      words: fc.nat(2),
    }),
  )
const givenFor = ({ table }: Place, min: number): fc.Arbitrary<Row> =>
  fc
    .subarray([...(tables[table] as TableOfKind).columns], { minLength: min })
    .chain((chosen) =>
      fc.tuple(
        ...chosen.map((name) => (name === 'parent' ? parent : value).map((one) => [name, one] as const)),
      ),
    )
    .map((entries) => Object.fromEntries(entries))

/** A write to a place. */
const partAt = (at: Place): fc.Arbitrary<Part> => {
  const change = (kind: 'update' | 'delete') =>
    fc.record({
      kind: fc.constant(kind),
      at: fc.constant(at),
      given: givenFor(at, 1),
      where: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, givenFor(at, 1)),
      expect: fc.constantFrom(undefined, undefined, 0, 1),
    })
  const here = fc.constant(at)
  const put: fc.Arbitrary<Part> = fc.record({
    kind: fc.constantFrom('insert', 'upsert'),
    at: here,
    given: givenFor(at, 0),
  })
  const append = fc.record({ kind: fc.constant('append' as const), at: here, given: givenFor(at, 1) })
  const move = fc.record({ kind: fc.constant('move' as const), at: here, to: fc.nat(2) })
  const statement = fc.record({ kind: fc.constant('statement' as const), orFail: fc.boolean() })
  return fc.oneof<fc.WeightedArbitrary<Part>[]>(
    { weight: 12, arbitrary: put },
    { weight: 10, arbitrary: change('update') },
    { weight: 5, arbitrary: change('delete') },
    { weight: 2, arbitrary: append },
    { weight: 1, arbitrary: move },
    { weight: 1, arbitrary: statement },
  )
}

/** Writes to these tables; one that is named twice is met twice as often. */
export function operationsOn(among: readonly string[]): fc.Arbitrary<Operation> {
  const part = placeIn(among).chain(partAt)
  const parts = fc.array(part, { minLength: 1, maxLength: 4 })
  return fc.oneof(
    { weight: 8, arbitrary: part },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('group' as const), parts }) },
  )
}

export function keyOf({ table, row, words }: Place): Row {
  const all = (tables[table] as TableOfKind).rows[row] ?? []
  return all[words % all.length] as Row
}

/** Makes the call, on whatever takes it. May throw, as calls with what cannot be stored do. */
export function call<R>(operations: Operations<R>, one: Part): R {
  switch (one.kind) {
    case 'insert':
    case 'upsert':
      return operations[one.kind](one.at.table, { ...keyOf(one.at), ...one.given })
    case 'append':
      return operations.insert(one.at.table, one.given)
    case 'update': {
      const where = { ...keyOf(one.at), ...one.where }
      return operations.update(one.at.table, where, one.given, guardOf(one))
    }
    case 'delete':
      return operations.delete(one.at.table, { ...keyOf(one.at), ...one.where }, guardOf(one))
    case 'move': {
      const { rows } = tables[one.at.table] as TableOfKind
      return operations.update(one.at.table, keyOf(one.at), rows[one.to % rows.length]?.[0] as Row)
    }
    case 'statement':
      return operations.write({
        sql: `UPDATE ${one.orFail ? 'OR FAIL ' : ''}plain SET b = coalesce(b, 0) + 50`,
        parameters: [],
      })
  }
}

function guardOf({ expect }: { readonly expect: number | undefined }): { expect?: number } {
  return expect === undefined ? {} : { expect }
}

/** Whether the row could show something of the operation while that is pending. */
export function names(one: Operation, { table, row }: Place): boolean {
  if (one.kind === 'group') return one.parts.some((each) => names(each, { table, row, words: 0 }))
  if (one.kind === 'statement') return false
  return one.at.table === table && (one.at.row === row || one.kind === 'append' || one.kind === 'move')
}

/** Every row of these tables, each in some words. */
export function places(among: readonly string[], words: number): Place[] {
  return [...new Set(among)].flatMap((table) =>
    (tables[table] as TableOfKind).rows.map((_, row) => ({ table, row, words })),
  )
}
