import { expect, test } from 'vitest'
import { RejectedRows } from './causes.ts'
import type { DeadLetterId, Run } from './contracts/operation.ts'
import type { Schema, TableSchema } from './contracts/schema.ts'
import type { Value } from './contracts/values.ts'

const table = (name: string, parents: Record<string, string> = {}): [string, TableSchema] => [
  name,
  {
    name,
    columns: new Map(),
    primaryKey: ['id'],
    generatedId: 'id',
    parents: new Map(Object.entries(parents)),
  },
]
const schema: Schema = {
  version: '1',
  tables: new Map([table('songs'), table('passages', { song: 'songs', before: 'passages' })]),
}
const letter = (id: number) => id as DeadLetterId

function insert(of: string, columns: readonly string[], ...values: Value[]): Run {
  const shape = { kind: 'insert', table: of, key: '', width: columns.length, columns } as const
  return { kind: 'run', shape, count: values.length / columns.length, bytes: 0, values }
}
const songs = (...ids: Value[]) => insert('songs', ['title', 'id'], ...ids.flatMap((id) => ['t', id]))
const passages = (...parents: Value[]) => insert('passages', ['song'], ...parents)

test('law 5 · a row is blamed on the letter that holds its parent, by whichever row, column and kind of number', () => {
  const rejected = new RejectedRows()
  rejected.add(schema, [songs(1, 2)], letter(10))
  rejected.add(schema, [insert('passages', ['id'], 1), songs(3n)], letter(11))
  expect(rejected.causeOf(schema, [passages(9, 2n)])).toBe(10)
  expect(rejected.causeOf(schema, [songs(1), passages(3)])).toBe(11)
  expect(rejected.causeOf(schema, [insert('passages', ['song', 'before'], 9, 1)])).toBe(11)
  const update = {
    kind: 'update',
    table: 'passages',
    key: '',
    width: 2,
    set: ['song'],
    where: ['id'],
  } as const
  const run = { kind: 'run', bytes: 0, count: 1 } as const
  expect(
    rejected.causeOf(schema, [{ ...run, shape: { ...update, expect: undefined }, values: [1, 9] }]),
  ).toBe(10)
  expect(
    rejected.causeOf(schema, [{ ...run, shape: { ...update, expect: undefined }, values: [9, 1] }]),
  ).toBe(undefined)
})

test('law 5 · nothing is blamed that was not rejected, or refers to nothing', () => {
  const rejected = new RejectedRows()
  rejected.add(schema, [passages(1), songs(2), insert('gone', ['id'], 3)], letter(10))
  expect(rejected.causeOf(schema, [passages(1, null, 3)])).toBe(undefined)
  expect(rejected.causeOf(schema, [insert('passages', ['id', 'before'], 2, 2)])).toBe(undefined)
  expect(rejected.causeOf(schema, [insert('gone', ['song'], 2)])).toBe(undefined)
})

test('what a transaction rejected is known outside of it once it is committed', () => {
  const committed = new RejectedRows()
  const rolledBack = new RejectedRows(committed)
  rolledBack.add(schema, [songs(1)], letter(10))
  expect(rolledBack.causeOf(schema, [passages(1)])).toBe(10)
  const next = new RejectedRows(committed)
  expect(next.causeOf(schema, [passages(1)])).toBe(undefined)
  next.add(schema, [songs(1)], letter(10))
  committed.keep(next)
  expect(new RejectedRows(committed).causeOf(schema, [passages(1)])).toBe(10)
})

test('law 7 · of very many rejected rows the newest are known', () => {
  const rejected = new RejectedRows()
  for (let id = 1; id <= 10_001; id++) rejected.add(schema, [songs(id)], letter(id))
  expect([1, 2, 10_001].map((id) => rejected.causeOf(schema, [passages(id)]))).toEqual([undefined, 2, 10_001])
})
