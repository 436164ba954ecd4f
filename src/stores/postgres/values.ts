/** What values become on their way to PostgreSQL, as texts that it casts, and back. */
import { types, type CustomTypesConfig } from 'pg'
import type { Value } from '../../contracts/values.ts'

/** A parameter as the server takes it: text of whatever type it is cast to. */
export function textOf(value: Value): string | null {
  if (value === null || typeof value === 'string') return value
  if (value instanceof Uint8Array)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  return Object.is(value, -0) ? '-0' : String(value)
}

const special = /["\\]/
const specials = /["\\]/g

/** What an array given for a column becomes: its elements are texts of their type, or JSON each. */
export type ArrayKind = 'none' | 'elements' | 'json'

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
export function arrayOf(value: Value, kind: Exclude<ArrayKind, 'none'>): string {
  if (typeof value !== 'string' || !value.startsWith('[')) return textOf(value) as string
  let elements: unknown
  try {
    elements = JSON.parse(value)
  } catch {
    return value
  }
  if (kind === 'elements' || !Array.isArray(elements)) return literal(elements)
  // An array within is JSON here, not a second dimension.
  return `{${elements.map((one) => (one === null ? 'NULL' : quoted(JSON.stringify(one)))).join(',')}}`
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(literal).join(',')}}`
  if (value === null) return 'NULL'
  return quoted(typeof value === 'string' ? value : JSON.stringify(value))
}

const { builtins } = types
const inUtc = (text: string): Date | string => {
  // Years before 1 or after 9999, and infinity, are no dates of JavaScript's.
  const date = new Date(`${text.replace(' ', 'T')}Z`)
  return Number.isNaN(date.getTime()) ? text : date
}
const exact = (text: string): number | bigint => {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.slice(2), 'hex'))

// A day is no instant: in another zone it would become the day before.
const asItIs = (text: string): string => text

type Parser = (text: string) => unknown

/** Arrays of these types, by their own numbers: `SELECT oid FROM pg_type WHERE typname = '_int8'`. */
const arrays: readonly (readonly [oid: number, element: Parser])[] = [
  [1016, exact],
  [1001, bytes],
  [1115, inUtc],
  [1182, asItIs],
]
/** `pg` knows more types than its own list of names has. */
const parserOf: (oid: number) => Parser = types.getTypeParser as never
const ofTexts = parserOf(1009)

function ofElements(element: Parser): Parser {
  const each = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(each)
    return typeof value === 'string' ? element(value) : value
  }
  return (text) => each(ofTexts(text))
}

const parsers = new Map<number, Parser>([
  [builtins.INT8, exact],
  [builtins.BYTEA, bytes],
  [builtins.TIMESTAMP, inUtc],
  [builtins.DATE, asItIs],
  ...arrays.map(([oid, element]) => [oid, ofElements(element)] as const),
])

/** How the texts of results are read: as `pg` does, but for what it would round, or shift by the zone of this machine. */
export const typeParsers: CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    return (format === 'binary' ? undefined : parsers.get(oid)) ?? types.getTypeParser(oid, format)
  },
}
