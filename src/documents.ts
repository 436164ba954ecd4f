/**
 * Values that are no text, number or bytes, on their way to a store of documents, which holds them as they are.
 *
 * A `Value` has no place for them, so they travel as a text that no caller can write: it begins with half of a surrogate
 * pair, which is refused in every text of a caller's. What follows is JSON, in which `{"$": [type, text]}` stands for
 * what JSON lacks. It is a snapshot, as every value is that was accepted.
 */
import type { Json, Value } from './contracts/values.ts'

const mark = '\uDC00'

/** Classes of database clients whose text says all of them, by name: one client may be installed twice. */
const named = new Set(['RecordId', 'StringRecordId', 'DateTime', 'Uuid', 'Decimal', 'Duration', 'Table'])

/** @throws TypeError for what cannot be held; its message says what that is */
export function encodeDocument(value: unknown): Value {
  return mark + JSON.stringify(toJson(value, []))
}

/** @param revive makes the value of a class by the name of that and its text */
export function decodeDocument(value: Value, revive: (type: string, text: string) => unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith(mark)) return value
  return fromJson(JSON.parse(value.slice(1)) as Json, revive)
}

function toJson(value: unknown, around: readonly object[]): Json {
  switch (typeof value) {
    case 'boolean':
      return value
    case 'string':
      if (!value.isWellFormed()) throw new TypeError('half a surrogate pair; use `toWellFormed()` on it')
      return value
    case 'number':
      if (Number.isNaN(value)) throw new TypeError('NaN; write null if that is meant')
      return Number.isFinite(value) && !Object.is(value, -0) ? value : tagged('number', numberText(value))
    case 'bigint':
      return tagged('bigint', String(value))
    case 'object':
      return value === null ? null : objectJson(value, around)
    default:
      throw new TypeError(`a value of type ${typeof value}`)
  }
}

function objectJson(value: object, around: readonly object[]): Json {
  if (around.includes(value)) throw new TypeError('an object that contains itself')
  const inside = [...around, value]
  if (Array.isArray(value)) return value.map((item) => toJson(item ?? null, inside))
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TypeError('an invalid Date')
    return tagged('DateTime', value.toISOString())
  }
  if (ArrayBuffer.isView(value))
    return tagged('bytes', Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'))
  // Bundlers number what they rename.
  const name = (value.constructor?.name ?? '').replace(/\$\d+$/, '')
  // oxlint-disable-next-line typescript/no-base-to-string -- these classes have a text of their own
  if (named.has(name)) return tagged(name, String(value))
  if (value instanceof Map || value instanceof Set || 'then' in value) throw new TypeError(`a ${name}`)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  const plain = Object.fromEntries(entries.map(([key, item]) => [key, toJson(item, inside)]))
  return '$' in plain ? { $: ['object', plain] } : plain
}

function tagged(type: string, text: string): Json {
  return { $: [type, text] }
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function fromJson(json: Json, revive: (type: string, text: string) => unknown): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (isList(json)) return json.map((item) => fromJson(item, revive))
  const tag = json['$']
  if (tag === undefined) return entriesOf(json, revive)
  const [type, content] = tag as readonly [string, Json]
  if (type === 'object') return entriesOf(content as Record<string, Json>, revive)
  const text = content as string
  if (type === 'number') return Number(text)
  if (type === 'bigint') return BigInt(text)
  return type === 'bytes' ? new Uint8Array(Buffer.from(text, 'base64')) : revive(type, text)
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json)
}

function entriesOf(
  json: { readonly [name: string]: Json },
  revive: (type: string, text: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, fromJson(item, revive)]))
}
