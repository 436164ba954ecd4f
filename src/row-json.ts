/**
 * Rows as JSON for clients, and back. What JSON has no word for is said in a way that loses nothing: an integer
 * beyond 2^53 is a text of its digits, an infinity the text "Infinity", a time its text in UTC, and a blob
 * `{"base64":"…"}`. Lists and objects, as PostgreSQL has them in columns, are what they are.
 */
import type { Json } from './contracts/values.ts'

export function jsonOf(value: unknown): Json {
  switch (typeof value) {
    case 'bigint':
      return isSafe(value) ? Number(value) : value.toString()
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'string':
    case 'boolean':
      return value
    case 'object':
      return value === null ? null : objectJson(value)
    default:
      return null
  }
}

function objectJson(value: object): Json {
  if (value instanceof Uint8Array)
    return { base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(jsonOf)
  // An interval, as `pg` has it.
  if ('toPostgres' in value && typeof value.toPostgres === 'function') return String(value.toPostgres())
  return rowJson(value as Record<string, unknown>)
}

export function rowJson(row: Readonly<Record<string, unknown>>): Record<string, Json> {
  // `fromEntries` defines properties, so that a column called __proto__ is one like any other.
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, jsonOf(value)]))
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The bytes of `{"base64":"…"}`; undefined for any other value. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const [first, ...others] = Object.entries(value)
  if (first?.[0] !== 'base64' || others.length > 0) return undefined
  const text: unknown = first[1]
  return typeof text === 'string' && base64.test(text)
    ? new Uint8Array(Buffer.from(text, 'base64'))
    : undefined
}

function isSafe(value: bigint): boolean {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
}
