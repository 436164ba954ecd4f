/** What values become on their way to PostgreSQL, as texts that it casts, and back. */
import { types, type CustomTypesConfig } from 'pg'
import type { Value } from '../../contracts/values.ts'
import type { ArrayForm } from '../../sql/postgres-catalog.ts'

/** A parameter as the server takes it: text of whatever type it is cast to. */
export function textOf(value: Value): string | null {
  if (value === null || typeof value === 'string') return value
  if (value instanceof Uint8Array)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  return Object.is(value, -0) ? '-0' : String(value)
}

const special = /["\\]/
const specials = /["\\]/g

/** How an array given for a column is written; `none`: as the JSON that it was accepted as. */
export type ArrayKind = ArrayForm | 'none'

/**
 * One column of many rows as the text of an array: values `place`, `place + width`, … of a flat list.
 *
 * Hot: runs once for every value that is written.
 */
export function columnOf(values: readonly Value[], place: number, width: number, kind: ArrayKind): string {
  let text = '{'
  for (let at = place; at < values.length; at += width) {
    const value = values[at] as Value
    if (at !== place) text += ','
    if (typeof value === 'number') text += Object.is(value, -0) ? '-0' : String(value)
    else if (value === null) text += 'NULL'
    else text += quoted(kind === 'none' ? (textOf(value) as string) : arrayOf(value, kind))
  }
  return `${text}}`
}

function quoted(text: string): string {
  return special.test(text) ? `"${text.replace(specials, '\\$&')}"` : `"${text}"`
}

/** An array was accepted as JSON: as a column of arrays reads it. What is no JSON is PostgreSQL's own text of one. */
export function arrayOf(value: Value, { delimiter, holdsJson }: ArrayForm): string {
  if (typeof value !== 'string' || !value.startsWith('[')) return textOf(value) as string
  let elements: unknown
  try {
    elements = JSON.parse(value)
  } catch {
    return value
  }
  if (!holdsJson || !Array.isArray(elements)) return literal(elements, delimiter)
  // An array within is JSON here, not a second dimension.
  return `{${elements.map((one) => (one === null ? 'NULL' : quoted(JSON.stringify(one)))).join(delimiter)}}`
}

function literal(value: unknown, delimiter: string): string {
  if (Array.isArray(value)) return `{${value.map((one) => literal(one, delimiter)).join(delimiter)}}`
  if (value === null) return 'NULL'
  return quoted(typeof value === 'string' ? value : JSON.stringify(value))
}

const { builtins } = types
const instant = (text: string): unknown => {
  const parsed: unknown = types.getTypeParser(builtins.TIMESTAMPTZ)(text)
  // The years of PostgreSQL go beyond those of JavaScript.
  return parsed instanceof Date && Number.isNaN(parsed.getTime()) ? text : parsed
}
const inUtc = (text: string): unknown =>
  instant(text.endsWith('infinity') ? text : text.replace(/( BC)?$/, '+00$1'))
const exact = (text: string): number | bigint => {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.slice(2), 'hex'))
// A day is no instant: in another zone it would become the day before.
const asText = (text: string): string => text
/** Types that `pg` has no names for. */
const arrays = {
  bytea: 1001,
  text: 1009,
  int8: 1016,
  timestamp: 1115,
  date: 1182,
  timestamptz: 1185,
  numeric: 1231,
}

const elements =
  (parse: (text: string) => unknown) =>
  (text: string): unknown =>
    each(typeParsers.getTypeParser(arrays.text)(text), parse)
const each = (value: unknown, parse: (text: string) => unknown): unknown => {
  if (Array.isArray(value)) return value.map((one) => each(one, parse))
  return typeof value === 'string' ? parse(value) : value
}

const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, exact],
  [builtins.BYTEA, bytes],
  [builtins.TIMESTAMP, inUtc],
  [builtins.TIMESTAMPTZ, instant],
  [builtins.DATE, asText],
  [arrays.int8, elements(exact)],
  [arrays.bytea, elements(bytes)],
  [arrays.timestamp, elements(inUtc)],
  [arrays.timestamptz, elements(instant)],
  [arrays.date, elements(asText)],
  [arrays.numeric, elements(asText)],
])

/** How the texts of results are read: as `pg` does, but for what it would round, or shift by the zone of this machine. */
export const typeParsers: CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    return (format === 'binary' ? undefined : parsers.get(oid)) ?? types.getTypeParser(oid, format)
  },
}
