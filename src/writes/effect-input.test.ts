/** What is read of an effect is what JSON makes of its payload, however it is kept in between. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Seq } from '../contracts/position.ts'
import { decodeSegment } from '../segments.ts'
import { EffectBuffer } from './effect-buffer.ts'
import { encodeEffects, type EffectRequest } from './effect-input.ts'

/** Each is the only effect of its operation. */
function readBack(requests: readonly EffectRequest[]): { key: string | null; payload: unknown }[] {
  const buffer = new EffectBuffer()
  for (const [at, request] of requests.entries()) buffer.add((at + 1) as Seq, encodeEffects([request]))
  return buffer.segments
    .flatMap(({ content }) => decodeSegment(content))
    .map(({ key, payload }) => ({ key, payload }))
}

const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(-0, Number.NaN, Infinity, 2 ** 52, -(2 ** 52), 2 ** 52 + 1, 2 ** 53, 1e300, 0.1),
)
const value = fc.oneof(
  { weight: 4, arbitrary: number },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 5 }) },
  fc.constantFrom(null, true, undefined, [1], { deep: [{}] }, new Date(0), '\ud800', Symbol('s'), () => 0),
)
const name = fc.constantFrom('id', 'text', '7', '__proto__', 'constructor', 'toJSON', 'kind')
const object = fc
  .array(fc.tuple(name, value), { maxLength: 3 })
  // As JSON.parse does it: a name is a name, whatever it is.
  .map((entries) => Object.fromEntries(entries))
/** Many of one kind of object behind each other, as programs have them; and anything else. */
const payloads = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.array(fc.record({ id: number, text: fc.string() }), { maxLength: 6 }) },
    { weight: 2, arbitrary: fc.array(object, { maxLength: 3 }) },
    fc.array(fc.anything({ withNullPrototype: true }), { maxLength: 2 }),
  ),
  { maxLength: 6 },
)

test('law 8 · a payload is read as what JSON makes of it, whatever stands before and behind it', () => {
  fc.assert(
    fc.property(payloads, (some) => {
      const given = some.flat().filter((payload) => jsonOf(payload) !== undefined)
      const read = readBack(given.map((payload) => ({ kind: 'embed', payload })))
      expect(read.map(({ payload }) => JSON.stringify(payload))).toEqual(given.map(jsonOf))
      for (const { payload } of read)
        if (isPlain(payload)) expect(Object.getPrototypeOf(payload)).toBe(Object.prototype)
    }),
    { numRuns: 2_000 },
  )
})

test('law 8 · numbers are read as they were given, as payloads and as keys, rising or not', () => {
  fc.assert(
    fc.property(fc.array(number, { maxLength: 8 }), (numbers) => {
      const read = readBack(numbers.map((id) => ({ kind: 'embed', key: id, payload: { id } })))
      expect(read.map(({ key }) => key)).toEqual(numbers.map(String))
      expect(read.map(({ payload }) => JSON.stringify(payload))).toEqual(
        numbers.map((id) => JSON.stringify({ id })),
      )
    }),
  )
})

test('law 8 · numbers that rise evenly for a while, and then do not, are read as they were given', () => {
  const rise = fc.record({
    from: number,
    step: fc.integer({ min: -3, max: 3 }),
    times: fc.integer({ min: 1, max: 40 }),
  })
  const even = rise.map(({ from, step, times }) => Array.from({ length: times }, (_, at) => from + at * step))
  fc.assert(
    fc.property(
      fc.array(fc.oneof(even, fc.array(fc.string(), { maxLength: 2 })), { maxLength: 5 }),
      (given) => {
        const ids = given.flat()
        const read = readBack(ids.map((id) => ({ kind: 'embed', key: null, payload: { id } })))
        expect(read.map(({ payload }) => JSON.stringify(payload))).toEqual(
          ids.map((id) => JSON.stringify({ id })),
        )
      },
    ),
  )
})

test('law 7 · a thousand ids that count up take hardly any room, as keys and as payloads', () => {
  const buffer = new EffectBuffer()
  for (let id = 1; id <= 1_000; id++)
    buffer.add(id as Seq, encodeEffects([{ kind: 'embed', key: id, payload: { id } }]))
  expect(buffer.segments.map(({ content }) => content)).toEqual([
    '[[1,0,1000],[[1],[1000]],[[["id"],[[1],[1000]]]],[]]',
  ])
})

test('law 1 · what its caller does to a payload afterwards changes nothing', () => {
  const payload = { id: 1, of: { at: 1 } as object | number }
  const buffer = new EffectBuffer()
  const add = (seq: number): void => buffer.add(seq as Seq, encodeEffects([{ kind: 'embed', payload }]))
  add(1)
  payload.of = 2
  add(2)
  payload.id = 3
  add(3)
  Object.assign(payload, { more: true })
  add(4)
  Object.assign(payload, { id: 0 })
  const read = buffer.segments.flatMap(({ content }) => decodeSegment(content))
  expect(read.map((item) => item.payload)).toEqual([
    { id: 1, of: { at: 1 } },
    { id: 1, of: 2 },
    { id: 3, of: 2 },
    { id: 3, of: 2, more: true },
  ])
})

test('law 8 · engines of one process keep payloads of one kind apart, also where their names differ', () => {
  const buffers = [new EffectBuffer(), new EffectBuffer()] as const
  const given = [{ a: 1 }, { a: 2 }, { b: 3 }, { b: 4 }, { b: 5, c: 6 }, { b: 7, c: 8 }]
  // Each names what the other was first to name.
  for (const [at, payload] of given.entries())
    for (const buffer of at % 2 === 0 ? buffers : buffers.toReversed())
      buffer.add((at + 1) as Seq, encodeEffects([{ kind: 'embed', payload }]))
  for (const buffer of buffers) {
    const read = buffer.segments.flatMap(({ content }) => decodeSegment(content))
    expect(read.map(({ payload }) => payload)).toEqual(given)
  }
})

/** @returns undefined for what is refused */
function jsonOf(payload: unknown): string | undefined {
  try {
    return JSON.stringify(payload)
  } catch {
    return undefined
  }
}

function isPlain(payload: unknown): payload is object {
  return typeof payload === 'object' && payload !== null && !Array.isArray(payload)
}
