/** Rows and keys as clients send them, as the engine takes them; see row-json.ts for what JSON has no word for. */
import { bytesOf } from '../row-json.ts'
import { RequestError } from './request-error.ts'

export type Row = Record<string, unknown>

/** @throws RequestError for what is no object, or has a number that JSON cannot carry */
export function rowOf(given: unknown, what = 'A row'): Row {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new RequestError('INVALID_BODY', `${what} is an object of columns and values.`)
  const entries = Object.entries(given).map(
    ([name, value]: [string, unknown]) => [name, valueOf(value, name)] as const,
  )
  return Object.fromEntries(entries)
}

/** A value for a column, or a parameter. @throws RequestError */
export function valueOf(value: unknown, name: string): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new RequestError(
      'INVALID_BODY',
      `${JSON.stringify(name)} is a number beyond what a double can hold.`,
    )
  if (typeof value !== 'object' || value === null) return value
  const bytes = bytesOf(value)
  if (bytes === undefined && 'base64' in value && Object.keys(value).length === 1)
    throw new RequestError('INVALID_BODY', `${JSON.stringify(name)} is a blob whose base64 is none.`)
  return bytes ?? withDigits(value)
}

interface RawJson {
  rawJSON(text: string): unknown
}

/** What becomes JSON text in its column keeps its long integers as they were written. */
function withDigits(value: unknown): unknown {
  // In every Node that Tidemark runs on; TypeScript does not know it yet.
  if (typeof value === 'bigint') return (JSON as unknown as RawJson).rawJSON(String(value))
  if (Array.isArray(value)) return value.map(withDigits)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withDigits(each)]))
}

const integer = /^(?:0|-?[1-9]\d{0,18})$/

/** A key from a query string, where everything is text: what is written as a whole number is one. */
export function keyOfQuery(query: Readonly<Record<string, unknown>>): Row {
  const entries = Object.entries(query).map(([name, value]) => {
    if (typeof value !== 'string')
      throw new RequestError('BAD_REQUEST', `${JSON.stringify(name)} is given more than once.`)
    return [name, integer.test(value) ? wholeNumber(value) : value] as const
  })
  return Object.fromEntries(entries)
}

function wholeNumber(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}
