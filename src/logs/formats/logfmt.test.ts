import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LogRow } from './format.ts'
import { parseLogfmt } from './logfmt.ts'

function parse(line: string): LogRow {
  const entry = parseLogfmt(line, { lastTs: Number.NaN, referenceMs: 0 })
  if (typeof entry === 'string') throw new Error(entry)
  return entry
}

function attributes(line: string): unknown {
  const text = parse(line).attributes
  return text === null ? null : JSON.parse(text)
}

test('pairs, quotes, flags and numbers', () => {
  const line =
    'ts=2024-05-01T12:00:00Z level=warn service=api msg="slow \\"query\\"\\n" ms=12.5 retry code=007 ok=true'
  expect(parse(line)).toMatchObject({
    ts: Date.UTC(2024, 4, 1, 12),
    level: 'warn',
    service: 'api',
    message: 'slow "query"\n',
  })
  expect(attributes(line)).toEqual({ ms: 12.5, retry: true, code: '007', ok: 'true' })
})

describe('values', () => {
  test.each([
    ['a=', { a: '' }],
    ['a=""', { a: '' }],
    ['a=b=c', { a: 'b=c' }],
    ['  a=1   b=2  ', { a: 1, b: 2 }],
    ['a=1e3', { a: '1e3' }],
    ['a=-0', { a: '-0' }],
    ['a=1.10', { a: '1.10' }],
    ['a=12345678901234567890', { a: '12345678901234567890' }],
    ['a="\\\\"', { a: '\\' }],
    ['a="\\x"', { a: '\\x' }],
    ['a="x"b=2', { a: 'x', b: 2 }],
    ['__proto__=x b=1', { ['__proto__']: 'x', b: 1 }],
  ])('%s', (line, expected) => {
    expect(attributes(line)).toEqual(expected)
  })
})

test.each([
  ['msg="half', 'the quote opened at column 5 is not closed'],
  ['msg="half\\"', 'the quote opened at column 5 is not closed'],
  ['just some words', 'no key=value pair'],
  ['=x', 'no key before = at column 1'],
  ['a=1 "b"', 'a quote outside a value at column 5'],
  ['a="\\ud83d" msg="\\ud83d"', 'msg holds half a surrogate pair'],
  ['ts=now msg=x', 'ts is not a time: "now"'],
])('%s is bad', (line, expected) => {
  expect(parseLogfmt(line, { lastTs: Number.NaN, referenceMs: 0 })).toBe(expected)
})

test('any text, quoted as JSON quotes it, comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(parse(`a=1 msg=${JSON.stringify(text)} b=2`).message).toBe(text)
    }),
  )
})

test('no line makes it throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '=', '"', '\\', ' ', '1') }), (line) => {
      parseLogfmt(line, { lastTs: Number.NaN, referenceMs: 0 })
    }),
  )
})
