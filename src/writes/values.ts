/**
 * Turns what a caller gives into what a store can hold, or refuses it.
 *
 * Keeps: law 1 (what is accepted is a snapshot: binaries are copied, objects become JSON text at the call) and
 * never changes a value silently: what SQLite or JSON would alter (NaN, a lone surrogate, a bigint over 64
 * bits) is refused here, before anything is queued.
 *
 * Hot: strings, numbers and null, the values of nearly every row, are decided in `accept.ts` without a call;
 * this file sees the rest. `npm run bench -- writes` measures it as main-thread µs a row.
 */
import type { ColumnSchema } from '../contracts/schema.ts'
import type { Dialect } from '../contracts/store.ts'
import type { Value } from '../contracts/values.ts'
import { encodeDocument } from '../documents.ts'
import { InvalidOperationError } from '../errors.ts'

const minInteger = -(2n ** 63n)
const maxInteger = 2n ** 63n - 1n

/**
 * About what a value takes in memory: two bytes a UTF-16 unit at most. On disk, as UTF-8, it can be one byte or
 * three; exact counts cost many times as much as this.
 */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return 2 * value.length
  return value instanceof Uint8Array ? value.byteLength : 8
}

/**
 * @param wholeNumbers how the column wants whole numbers; raw statements want `bigint`, which every column
 *   converts to what it holds.
 * @param where for the message, such as `column "size" of table "files"`.
 * @throws InvalidOperationError `UNBINDABLE_VALUE`
 */
export function encodeValue(value: unknown, wholeNumbers: 'number' | 'bigint', where: () => string): Value {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed()
        ? value
        : refuse(where, 'a string with half a surrogate pair', 'Use `toWellFormed()` on it first.')
    case 'number':
      if (Number.isNaN(value))
        return refuse(where, 'NaN', 'It would be stored as NULL. Write null if that is meant.')
      return wholeNumbers === 'bigint' && Number.isSafeInteger(value) ? BigInt(value) : value
    case 'boolean':
      return encodeValue(value ? 1 : 0, wholeNumbers, where)
    case 'bigint':
      return value >= minInteger && value <= maxInteger
        ? value
        : refuse(where, `the bigint ${value}`, 'Integers have 64 bits. Write it as a string.')
    case 'object':
      return value === null ? null : encodeObject(value, where)
    default:
      return refuse(
        where,
        `a value of type ${typeof value}`,
        'Write a string, number, bigint, boolean, null, Date, binary value or plain JSON.',
      )
  }
}

/** For a column. @throws InvalidOperationError `UNBINDABLE_VALUE` */
export function encodeForColumn(
  value: unknown,
  { wholeNumbers, isJson, isDocument }: Pick<ColumnSchema, 'wholeNumbers' | 'isJson' | 'isDocument'>,
  where: () => string,
): Value {
  if (isDocument) return encodeForDocument(value, where)
  return typeof value === 'boolean' && isJson ? String(value) : encodeValue(value, wholeNumbers, where)
}

/**
 * A parameter of the caller's own SQL. There is no column to say what it becomes, so what the database would take for
 * something else is refused.
 *
 * @throws InvalidOperationError `UNBINDABLE_VALUE`
 */
export function encodeParameter(value: unknown, dialect: Dialect, where: () => string): Value {
  if (dialect === 'mysql' && value instanceof Date)
    return refuse(where, 'a Date on MySQL', 'Write the text or number that the column holds.')
  if (dialect === 'postgres' && Array.isArray(value)) {
    const hint = 'Write an array literal, or JSON.stringify() it if JSON is meant.'
    return refuse(where, 'an array on PostgreSQL', hint)
  }
  if (dialect === 'surrealql') return encodeForDocument(value, where)
  // As bigint: without a column to convert it, SQLite would keep a float a float.
  return encodeValue(value, 'bigint', where)
}

/** As it is, where whatever a caller has can be held as it is. */
function encodeForDocument(value: unknown, where: () => string): Value {
  const isDocument =
    typeof value === 'boolean' ||
    (typeof value === 'object' &&
      value !== null &&
      !ArrayBuffer.isView(value) &&
      !(value instanceof ArrayBuffer))
  if (!isDocument) return encodeValue(value, 'number', where)
  try {
    return encodeDocument(value)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return refuse(where, error.message, 'Write plain data, or values of the classes of the client.')
  }
}

function encodeObject(value: object, where: () => string): Value {
  // A copy into a buffer of its own: the caller may reuse theirs, and posting a view would ship all that is behind it.
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice()
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return new Uint8Array(value).slice()
  if (value instanceof Date) {
    return Number.isNaN(value.getTime())
      ? refuse(where, 'an invalid Date', 'Check how it was parsed.')
      : value.toISOString()
  }
  // JSON would make `{}` of them, and nobody would see that what they held, or were to hold, is lost.
  if (value instanceof Map || value instanceof Set)
    return refuse(where, `a ${value.constructor.name}`, 'Write an array or a plain object made of it.')
  if ('then' in value && typeof value.then === 'function')
    return refuse(where, 'a promise', 'Await it first.')
  const text = encodeJson(value, where)
  if (Array.isArray(value)) checkElements(value, where)
  return text
}

/** An array may be meant for a column of arrays, and what JSON makes of these would be held without a word. */
function checkElements(elements: readonly unknown[], where: () => string): void {
  for (const element of elements) {
    if (Array.isArray(element)) checkElements(element, where)
    else if (typeof element === 'number' && !Number.isFinite(element))
      refuse(where, `${element} in an array`, 'In JSON it would become null. Write it as a text.')
    else if (typeof element === 'string' && !element.isWellFormed())
      refuse(where, 'half a surrogate pair in an array', 'Use `toWellFormed()` on its strings first.')
    else if (ArrayBuffer.isView(element))
      refuse(where, 'bytes in an array', 'Write each as a text that the database reads as bytes.')
  }
}

/** @throws InvalidOperationError `UNBINDABLE_VALUE` for what JSON does not have: cycles, functions, bigints */
export function encodeJson(value: unknown, where: () => string): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    return refuse(
      where,
      `an object that is not JSON (${cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : ''})`,
      'Write plain data without cycles or bigints.',
    )
  }
  return text ?? refuse(where, 'an object that is not JSON', 'Its toJSON() gives nothing.')
}

function refuse(where: () => string, what: string, hint: string): never {
  throw new InvalidOperationError('UNBINDABLE_VALUE', `${where()} cannot hold ${what}.`, hint)
}
