/**
 * Columns of many rows in PostgreSQL's binary form of an array, for the types in which that is simple: no number is
 * written as text and read again, no quote escaped. The format stands beside each parameter, so a column that holds
 * what its type has no such form for, such as a fraction for a whole number, travels as text, and is refused by the
 * server in its own words.
 *
 * Hot: runs once for every value that is written; `npm run bench -- postgres --sections inserts,wide-rows`.
 */
import type { Value } from '../../contracts/values.ts'
import { textOf } from './values.ts'

/** Of a value that takes as many bytes as any other. */
interface Fixed {
  readonly oid: number
  readonly bytes: number
  /** @returns false when the type cannot hold it */
  put(buffer: Buffer, value: Value, at: number): boolean
}

/** Of texts, behind one byte that tells their version where there is one. */
interface Texts {
  readonly oid: number
  readonly version: number | undefined
}

const wholeNumber = (oid: number, bytes: 2 | 4): Fixed => {
  const limit = 2 ** (8 * bytes - 1)
  return {
    oid,
    bytes,
    put: (buffer, value, at) => {
      if (!Number.isInteger(value) || (value as number) < -limit || (value as number) >= limit) return false
      buffer.writeIntBE(value as number, at, bytes)
      return true
    },
  }
}

/** Numbers of the types as PostgreSQL's catalog has them, by the names that casts use. */
const fixed: ReadonlyMap<string, Fixed> = new Map([
  ['smallint', wholeNumber(21, 2)],
  ['integer', wholeNumber(23, 4)],
  [
    'bigint',
    {
      oid: 20,
      bytes: 8,
      put: (buffer, value, at) => {
        if (Number.isSafeInteger(value)) {
          buffer.writeInt32BE(Math.floor((value as number) / 2 ** 32), at)
          buffer.writeUInt32BE((value as number) >>> 0, at + 4)
          return true
        }
        if (typeof value !== 'bigint') return false
        buffer.writeBigInt64BE(value, at)
        return true
      },
    },
  ],
  [
    'double precision',
    {
      oid: 701,
      bytes: 8,
      put: (buffer, value, at) => {
        if (typeof value !== 'number') return false
        buffer.writeDoubleBE(value, at)
        return true
      },
    },
  ],
])

const texts: ReadonlyMap<string, Texts> = new Map([
  ['text', { oid: 25, version: undefined }],
  ['character varying', { oid: 1043, version: undefined }],
  ['json', { oid: 114, version: undefined }],
  ['jsonb', { oid: 3802, version: 1 }],
])

/**
 * Values `place`, `place + width`, … of a flat list.
 *
 * @param type of the array's elements, as a cast names it
 * @returns undefined when they have to travel as text
 */
export function packedColumn(
  values: readonly Value[],
  place: number,
  width: number,
  type: string,
): Buffer | undefined {
  const numbers = fixed.get(type)
  if (numbers) return packNumbers(values, place, width, numbers)
  const strings = texts.get(type)
  return strings && packTexts(values, place, width, strings)
}

/** Dimensions, whether there are nulls, the elements' type, how many, the first one's number. */
const headerBytes = 20

function packNumbers(
  values: readonly Value[],
  place: number,
  width: number,
  type: Fixed,
): Buffer | undefined {
  const count = values.length / width
  const buffer = Buffer.allocUnsafe(headerBytes + count * (4 + type.bytes))
  let end = headerBytes
  for (let at = place; at < values.length; at += width) {
    const value = values[at] as Value
    if (value === null) {
      end = buffer.writeInt32BE(-1, end)
      continue
    }
    end = buffer.writeInt32BE(type.bytes, end)
    if (!type.put(buffer, value, end)) return undefined
    end += type.bytes
  }
  return withHeader(buffer, end, type.oid, count)
}

function packTexts(values: readonly Value[], place: number, width: number, { oid, version }: Texts): Buffer {
  const count = values.length / width
  const before = version === undefined ? 0 : 1
  let bytes = headerBytes + count * (4 + before)
  for (let at = place; at < values.length; at += width) {
    const text = textOf(values[at] as Value)
    if (text !== null) bytes += Buffer.byteLength(text)
  }
  const buffer = Buffer.allocUnsafe(bytes)
  let end = headerBytes
  for (let at = place; at < values.length; at += width) {
    const text = textOf(values[at] as Value)
    if (text === null) {
      end = buffer.writeInt32BE(-1, end)
      continue
    }
    if (version !== undefined) buffer[end + 4] = version
    const written = before + buffer.write(text, end + 4 + before)
    end = buffer.writeInt32BE(written, end) + written
  }
  return withHeader(buffer, end, oid, count)
}

function withHeader(buffer: Buffer, end: number, oid: number, count: number): Buffer {
  buffer.writeInt32BE(1, 0)
  // The server counts the nulls itself; it allows either word.
  buffer.writeInt32BE(0, 4)
  buffer.writeInt32BE(oid, 8)
  buffer.writeInt32BE(count, 12)
  buffer.writeInt32BE(1, 16)
  return buffer.subarray(0, end)
}
