/**
 * What a value will be once it is committed, as a read gives it back; or that nobody can say.
 *
 * Keeps: law 6 (what is shown before a commit is what the commit gives, or it is not shown). It breaks when a store
 * declares an affinity that it does not have, or converts something that is taken here for left alone:
 * `test/conformance/stored-value.test.ts` holds every affinity and kind of value against the database itself.
 */
import type { ColumnSchema, ColumnStorage } from '../contracts/schema.ts'
import type { Value } from '../contracts/values.ts'

const usualUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** @returns undefined when it is not proven; then whoever asks waits for the commit */
export function storedValue({ storage }: ColumnSchema, value: Value): Value | undefined {
  if (storage === undefined) return undefined
  switch (typeof value) {
    case 'string':
      if (storage.affinity === 'uuid') return usualUuid.test(value) ? value : undefined
      return storage.affinity === 'text' || storage.affinity === 'none' || cannotBeNumber(value)
        ? value
        : undefined
    case 'number':
      return storage.affinity === 'text' || storage.affinity === 'uuid'
        ? undefined
        : storedNumber(storage.affinity, value)
    case 'bigint':
      return storedInteger(storage.affinity, value)
    default:
      return value
  }
}

/** Reads give numbers where they are exact, else bigints. */
function storedInteger(affinity: ColumnStorage['affinity'], value: bigint): Value | undefined {
  if (affinity === 'text') return value.toString()
  if (affinity === 'uuid') return undefined
  const isSafe = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
  if (isSafe) return Number(value)
  return affinity === 'real' ? undefined : value
}

function storedNumber(affinity: 'numeric' | 'real' | 'none', value: number): number | undefined {
  if (value === 0) return Object.is(value, -0) ? undefined : value
  // A float past 2^53 may become an integer, which is read as a bigint, and equals one.
  if (affinity !== 'real' && Number.isInteger(value) && !Number.isSafeInteger(value)) return undefined
  return value
}

/**
 * It has a character that no number is written with, or a sign where none can be, as dates have; but behind a NUL
 * SQLite does not look. What looks more like a number than that is not decided here.
 */
function cannotBeNumber(text: string): boolean {
  return /[^\d\s.+\-eE]|\d[+-]/.test(text) && !text.includes('\0')
}
