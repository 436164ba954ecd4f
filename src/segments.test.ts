import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Seq } from './contracts/position.ts'
import type { Json } from './contracts/values.ts'
import { decodeSegment, effectsAt, segmentsOf, type EffectContent, type EncodedEffect } from './segments.ts'
import { EffectBuffer } from './writes/effect-buffer.ts'

const content = fc.record({
  kind: fc.constantFrom('embed', 'cache'),
  key: fc.option(fc.string({ unit: 'grapheme', maxLength: 6 })),
  payload: fc.jsonValue() as fc.Arbitrary<Json>,
  delayMs: fc.constantFrom(0, 5),
  isLatestOnly: fc.boolean(),
})
const encode = ({
  kind,
  key,
  payload,
  delayMs = 0,
  isLatestOnly = false,
}: EffectContent & { kind: string }): EncodedEffect => ({
  kind,
  key,
  payload: JSON.stringify(payload),
  delayMs,
  isLatestOnly,
})

const operations = fc.array(fc.array(content, { maxLength: 3 }), { minLength: 1, maxLength: 12 })

test('law 8 · what a batch keeps of its effects is those of its operations that were not rejected, however it is parted', () => {
  fc.assert(
    fc.property(operations, fc.nat(12), fc.array(fc.nat(12), { maxLength: 4 }), (given, cut, bad) => {
      const buffer = new EffectBuffer()
      const all = given.flatMap((effects, at) => {
        const encoded = effects.map((one) => encode(one))
        buffer.add((at + 1) as Seq, encoded)
        return effects.map((one, n) => ({
          ...one,
          payload: JSON.parse(JSON.stringify(one.payload)) as Json,
          seq: at + 1,
          n,
        }))
      })
      const rejected = bad.map((seq) => ({ seq: seq as Seq }))
      const last = given.length as Seq
      const at = Math.min(cut, last) as Seq
      const parts = [
        ...segmentsOf(buffer.segments, 0 as Seq, at, rejected),
        ...segmentsOf(buffer.segments, at, last, rejected),
      ]
      const kept = parts.flatMap((segment) => {
        const items = decodeSegment(segment.content)
        expect([segment.count, segment.first, segment.last]).toEqual([
          items.length,
          items[0]?.seq,
          items.at(-1)?.seq,
        ])
        return items.map((item) => ({ ...item, kind: segment.kind }))
      })
      const expected = all.filter(({ seq }) => !bad.includes(seq))
      const byPlace = (a: { seq: number; n: number }, b: { seq: number; n: number }) =>
        a.seq - b.seq || a.n - b.n
      expect(kept.toSorted(byPlace)).toEqual(expected)
      for (const { seq } of rejected) {
        const letter = effectsAt(buffer.segments, seq)
        expect(letter).toEqual((given[seq - 1] ?? []).map((one) => encode(one)))
      }
      // What is committed is forgotten, the rest is sent again.
      buffer.forget(at)
      const left = buffer.segments.flatMap(({ content: text }) => decodeSegment(text))
      expect(left.length).toBe(all.filter(({ seq }) => seq > at).length)
    }),
  )
})

test.for([5, -5, -0, 0.1, 1e21, 2 ** 53])('law 8 · the key %f is the text of it', (key) => {
  const buffer = new EffectBuffer()
  buffer.add(1 as Seq, [{ kind: 'embed', key, payload: 'null', delayMs: 0, isLatestOnly: false }])
  const [item] = buffer.segments.flatMap(({ content: text }) => decodeSegment(text))
  expect(item?.key).toBe(String(key))
})
