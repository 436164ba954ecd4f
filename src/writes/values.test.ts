import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeForColumn, encodeJson, encodeParameter, encodeValue, sizeOf } from './values.ts'

const where = () => 'column "a" of table "t"'
const encode = (value: unknown, wholeNumbers: 'number' | 'bigint' = 'number') =>
  encodeValue(value, wholeNumbers, where)

test('whole numbers travel as the column wants them, others as they are', () => {
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true })), (value) => {
      expect(encode(value)).toBe(value)
      expect(encode(value, 'bigint')).toBe(Number.isSafeInteger(value) ? BigInt(value) : value)
    }),
  )
  expect([encode(true), encode(false, 'bigint')]).toEqual([1, 0n])
})

test('law 1 · bytes are copied, whatever view they come in, and into a buffer of their own', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), (bytes, from) => {
      const start = from % bytes.length
      for (const view of [bytes.subarray(start), new DataView(bytes.buffer, bytes.byteOffset + start)]) {
        const encoded = encode(view)
        expect(encoded).toEqual(bytes.slice(start))
        const { buffer } = encoded as Uint8Array
        expect([buffer === bytes.buffer, buffer.byteLength]).toEqual([false, bytes.length - start])
      }
    }),
  )
  const shared = new SharedArrayBuffer(2)
  expect((encode(shared) as Uint8Array).buffer).toBeInstanceOf(ArrayBuffer)
  expect((encode(new Uint8Array(shared)) as Uint8Array).buffer).toBeInstanceOf(ArrayBuffer)
})

test('plain data becomes JSON that reads back as it was', () => {
  fc.assert(
    fc.property(fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue())), (value) => {
      expect(JSON.parse(encode(value) as string)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
  expect(encode(new Date(5))).toBe('1970-01-01T00:00:00.005Z')
})

test('law 1 · text that is half a character is refused, all other text is taken as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }), (text) => {
      if (text.isWellFormed()) expect(encode(text)).toBe(text)
      else expect(() => encode(text)).toThrow(/half a surrogate pair/)
    }),
  )
})

test('what would be changed silently is refused, with the place and what to do', () => {
  const refused: [unknown, RegExp][] = [
    [Number.NaN, /NaN/],
    [2n ** 63n, /the bigint 9223372036854775808/],
    [-(2n ** 63n) - 1n, /the bigint/],
    [() => 1, /type function/],
    [Symbol('a'), /type symbol/],
    [undefined, /type undefined/],
    [new Date(Number.NaN), /an invalid Date/],
    [{ toJSON: () => undefined }, /not JSON/],
    [{ a: 1n }, /not JSON/],
    [new Map(), /a Map/],
    [new Set(), /a Set/],
    [Promise.resolve(), /a promise/],
  ]
  for (const [value, message] of refused) {
    expect(() => encode(value)).toThrow(
      expect.objectContaining({
        code: 'UNBINDABLE_VALUE',
        message: expect.stringMatching(
          /^tidemark: column "a" of table "t" cannot hold .* Nothing was queued\.$/s,
        ) as string,
        hint: expect.stringMatching(/\S/) as string,
      }),
    )
    expect(() => encode(value)).toThrow(message)
  }
  expect(() => encodeJson(undefined, where)).toThrow(/not JSON/)
})

test('law 1 · what JSON would change in an array is refused, since it may be meant for a column of arrays', () => {
  const refused: [unknown[], RegExp][] = [
    [[1, Number.NaN], /NaN in an array/],
    [[[Number.POSITIVE_INFINITY]], /Infinity in an array/],
    [['\ud800'], /half a surrogate pair in an array/],
    [[new Uint8Array([1])], /bytes in an array/],
  ]
  for (const [value, message] of refused) {
    expect(() => encode(value)).toThrow(expect.objectContaining({ code: 'UNBINDABLE_VALUE' }))
    expect(() => encode(value)).toThrow(message)
  }
})

test('law 1 · a boolean is one of JSON where a column holds that, and a number elsewhere', () => {
  const forColumn = (isJson: boolean, value: unknown) =>
    encodeForColumn(value, { wholeNumbers: 'number', isJson }, where)
  expect([forColumn(true, true), forColumn(true, false), forColumn(false, true)]).toEqual([
    'true',
    'false',
    1,
  ])
  expect([forColumn(true, 1), forColumn(true, '"a"'), forColumn(true, null)]).toEqual([1, '"a"', null])
})

test('law 7 · a size is two bytes a character, the bytes of a binary, 8 for the rest', () => {
  expect(['', 'ab', '🌊', new Uint8Array(3), null, 5, 5n].map(sizeOf)).toEqual([0, 4, 4, 3, 8, 8, 8])
})

test('law 1 · a parameter that its database would take for something else is refused', () => {
  const parameter = (value: unknown, dialect: 'sqlite' | 'postgres' | 'mysql') =>
    encodeParameter(value, dialect, () => 'it')
  const date = new Date(0)
  expect(parameter(date, 'sqlite')).toBe('1970-01-01T00:00:00.000Z')
  expect(parameter(date, 'postgres')).toBe('1970-01-01T00:00:00.000Z')
  expect(() => parameter(date, 'mysql')).toThrow('it cannot hold a Date on MySQL')
  expect(parameter([1], 'sqlite')).toBe('[1]')
  expect(parameter([1], 'mysql')).toBe('[1]')
  expect(() => parameter([1], 'postgres')).toThrow('it cannot hold an array on PostgreSQL')
  expect(parameter({ a: 1 }, 'postgres')).toBe('{"a":1}')
  expect(parameter(5, 'mysql')).toBe(5n)
})
