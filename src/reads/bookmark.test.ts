import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Epoch, Mark, Seq } from '../contracts/position.ts'
import { Bookmarks } from './bookmark.ts'

const identity = { id: '0123456789abcdef', secret: 'a'.repeat(64) }
const bookmarks = new Bookmarks(identity)
const mark = (epoch: number, seq: number): Mark => ({ epoch: epoch as Epoch, seq: seq as Seq })
const refused = (why: RegExp) =>
  expect.objectContaining({ code: 'INVALID_BOOKMARK', message: expect.stringMatching(why) })

const marks = fc
  .uniqueArray(
    fc.record({
      epoch: fc.integer({ min: 1, max: 2 ** 40 }),
      seq: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    }),
    { selector: ({ epoch }) => epoch, maxLength: 50 },
  )
  .map((list) => list.map(({ epoch, seq }) => mark(epoch, seq)))

const seen = fc.option(fc.record({ timeline: fc.integer({ min: 1, max: 2 ** 31 }), lsn: fc.maxSafeNat() }), {
  nil: undefined,
})

test('law 6 · a bookmark is read as it was written, and is safe in a URL', () => {
  fc.assert(
    fc.property(marks, seen, (given, place) => {
      const text = bookmarks.write(given, place)
      expect(text).toMatch(/^[A-Za-z0-9_-]+$/)
      expect(bookmarks.read(text)).toEqual({
        marks: given.toSorted((a, b) => a.epoch - b.epoch),
        seen: place,
      })
    }),
  )
})

test('law 6 · a bookmark that was changed anywhere is refused', () => {
  fc.assert(
    fc.property(marks, seen, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, place, at, change) => {
      const bytes = Buffer.from(bookmarks.write(given, place), 'base64url')
      const index = at % bytes.length
      bytes[index] = (bytes[index] ?? 0) ^ change
      expect(() => bookmarks.read(bytes.toString('base64url'))).toThrow(refused(/./))
    }),
  )
})

test('law 6 · whatever text comes in, it is refused and nothing else', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String(), fc.anything()), (text) => {
      expect(() => bookmarks.read(text as string)).toThrow(refused(/./))
    }),
  )
})

test('law 6 · what is wrong with a bookmark is told', () => {
  const text = bookmarks.write([mark(1, 5)])
  const foreign = new Bookmarks({ ...identity, id: 'fedcba9876543210' }).write([mark(1, 5)])
  const otherSecret = new Bookmarks({ ...identity, secret: 'b'.repeat(64) }).write([mark(1, 5)])
  expect(() => bookmarks.read(foreign)).toThrow(refused(/another database/))
  expect(() => bookmarks.read(otherSecret)).toThrow(refused(/changed, or made by somebody else/))
  expect(() => bookmarks.read(`${text}=`)).toThrow(refused(/not the text of one/))
  expect(() => bookmarks.read('x'.repeat(30_000))).toThrow(refused(/30000 characters/))
  const later = Buffer.from(text, 'base64url')
  later[0] = 3
  expect(() => bookmarks.read(later.toString('base64url'))).toThrow(
    refused(/version 3, and this knows versions 1 and 2/),
  )
})

test('a bookmark is small: one writer takes 30 characters at most, every other up to 10 more', () => {
  expect(bookmarks.write([mark(100, 1_000_000)]).length).toBeLessThanOrEqual(30)
  const many = Array.from({ length: 10 }, (_, index) => mark(1_000 + index, 100_000_000))
  expect(bookmarks.write(many).length).toBeLessThanOrEqual(30 + 9 * 10)
})

test('the signature is HMAC-SHA-256 of all before it, cut to eight bytes', () => {
  const bytes = Buffer.from(bookmarks.write([mark(300, 5)]), 'base64url')
  expect([...bytes.subarray(0, 12)]).toEqual([1, ...Buffer.from(identity.id, 'hex'), 0xac, 0x02, 5])
  const signature = createHmac('sha256', Buffer.from(identity.secret, 'hex'))
    .update(bytes.subarray(0, 12))
    .digest()
  expect(bytes.subarray(12)).toEqual(signature.subarray(0, 8))
})
