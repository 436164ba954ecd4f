import { expect, test } from 'vitest'
import type { ColumnSchema, ColumnStorage } from '../contracts/schema.ts'
import type { Value } from '../contracts/values.ts'
import { rowForm } from './row-key.ts'

function column(affinity: ColumnStorage['affinity'], comparesExactly = true): ColumnSchema {
  const storage = { affinity, comparesExactly, hasDefault: false }
  return { name: affinity, type: affinity, wholeNumbers: 'number', isComputed: false, storage }
}

function form(columns: readonly ColumnSchema[], ...values: Value[]) {
  return rowForm(
    columns,
    values,
    0,
    columns.map((_, index) => index),
  )
}

test('law 6 · the same row has one form, however its key was written', () => {
  const integer = [column('numeric')]
  expect(form(integer, 1)).toBe(form(integer, 1n))
  expect(form(integer, 2n ** 60n)).toBe(2n ** 60n)
  expect(form([column('text')], 5n)).toBe(form([column('text')], '5'))
  expect(form([column('real')], 2n)).toBe(form([column('real')], 2))
})

test('law 6 · other rows have other forms: by type, and by where one part ends', () => {
  const any = [column('none')]
  expect(form(any, '1')).not.toBe(form(any, 1))
  expect(form(any, new Uint8Array([49]))).not.toBe(form(any, '1'))
  const pair = [column('text'), column('text')]
  expect(form(pair, 'ab', 'c')).not.toBe(form(pair, 'a', 'bc'))
  expect(form(pair, 'a', '')).not.toBe(form(pair, '', 'a'))
  expect(form([...any, ...any], 1, '1')).not.toBe(form([...any, ...any], '1', 1))
})

test('law 6 · what is not proven has no form, and a NULL names no row', () => {
  expect(form([column('numeric')], '1')).toBeUndefined()
  expect(form([column('text', false)], 'a')).toBeUndefined()
  // No collation makes two numbers of one.
  expect(form([column('numeric', false)], 1)).toBe(1)
  expect(form([column('text'), column('text', false)], 'a', 'a')).toBeUndefined()
  expect(form([{ ...column('text'), storage: undefined } as unknown as ColumnSchema], 'a')).toBeUndefined()
  expect(form([column('text')], null)).toBeNull()
  expect(form([column('text'), column('text')], 'a', null)).toBeNull()
})
