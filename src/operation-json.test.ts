import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DeadLetterId, Run } from './contracts/operation.ts'
import type { Value } from './contracts/values.ts'
import { decodeLetter, encodeLetter } from './operation-json.ts'

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.double({ noNaN: true }),
  fc.constantFrom(-0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MIN_VALUE),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('{"$bigint":"1"}', '$number', '\u0000', '\u2028'),
  fc.uint8Array(),
)

function runOf(values: readonly Value[]): Run {
  const shape = { kind: 'insert', table: 't', key: 'k', width: 1, columns: ['a'] } as const
  return { kind: 'run', shape, count: values.length, bytes: 0, values: [...values] }
}

test('law 5 · every value comes back from a letter as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.array(value), { maxLength: 3 }), (lists) => {
      const runs = lists.map(runOf)
      const content = decodeLetter(encodeLetter({ runs }))
      expect(content).toEqual({ runs })
      const found = 'runs' in content ? content.runs.flatMap(({ values }) => values) : []
      // toEqual does not tell -0 from 0.
      expect(
        found.every((one, index) => typeof one !== 'number' || Object.is(one, lists.flat()[index])),
      ).toBe(true)
    }),
  )
})

test('a letter says which one it is owed to', () => {
  const runs = [runOf([1])]
  const causedBy = 7 as DeadLetterId
  expect(decodeLetter(encodeLetter({ runs, causedBy }))).toEqual({ runs, causedBy })
})

test('law 5 · input that could not be read comes back as it was, even where it is no proper text', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', '{"runs":[]}')), (text) => {
      expect(decodeLetter(encodeLetter({ text }))).toEqual({ text })
    }),
  )
})

test('every shape comes back, so that it can be written again', () => {
  const shapes = [
    { kind: 'upsert', table: 't', key: 'k', width: 2, columns: ['a', 'b'], keyColumns: ['a'] },
    { kind: 'update', table: 't', key: 'k', width: 2, set: ['a'], where: ['b'], expect: 1 },
    { kind: 'delete', table: 't', key: 'k', width: 1, where: ['a'], expect: 0 },
    { kind: 'statement', key: 'k', sql: "DELETE FROM t -- '", width: 0, expect: 2 },
  ] as const
  const runs = shapes.map((shape): Run => ({ ...runOf([]), shape }))
  expect(decodeLetter(encodeLetter({ runs }))).toEqual({ runs })
})

test('a letter is JSON that a person can read', () => {
  const runs = [runOf(['text', 5, 7n, new Uint8Array([1]), null])]
  expect(JSON.parse(encodeLetter({ runs }))).toMatchObject({
    runs: [{ shape: { table: 't' }, values: ['text', 5, { $bigint: '7' }, { $bytes: 'AQ==' }, null] }],
  })
})
