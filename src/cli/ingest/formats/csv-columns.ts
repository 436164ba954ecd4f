/** The columns of a CSV file: their names from the header, their types from a sample of the rows. */
import { InputError } from '../input-error.ts'
import type { Column, ColumnType, Row, Value } from './columns.ts'

/** What reading a CSV file needs to go on later with the same columns. Plain JSON. */
export interface CsvState {
  readonly delimiter: string
  /** The header as it stands in the file. */
  readonly header: readonly string[]
  readonly types: readonly ColumnType[]
  readonly isHeaderRead: boolean
}

const TYPES: readonly unknown[] = ['INTEGER', 'REAL', 'TEXT'] satisfies ColumnType[]

export function isColumnType(value: unknown): value is ColumnType {
  return TYPES.includes(value)
}

/**
 * No leading zeros and no plus sign: 007 and +49 are not numbers but codes, and must come back as they
 * were.
 */
const INTEGER = /^-?(?:0|[1-9]\d{0,18})$/
const REAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/
const MIN_INTEGER = -(2n ** 63n)
const MAX_INTEGER = 2n ** 63n - 1n

/** The narrowest type that holds every value of a column; empty fields say nothing. */
export function inferTypes(width: number, records: readonly (readonly string[])[]): ColumnType[] {
  return Array.from({ length: width }, (_, index) => {
    let type: ColumnType | undefined
    for (const record of records) {
      const text = record.length === width ? record[index] : undefined
      if (text === undefined || text === '') continue
      const own = typeOf(text)
      if (type === undefined || own === 'TEXT') type = own
      else if (type !== own) type = type === 'TEXT' ? 'TEXT' : 'REAL'
      if (type === 'TEXT') break
    }
    return type ?? 'TEXT'
  })
}

function typeOf(text: string): ColumnType {
  if (integerOf(text) !== undefined) return 'INTEGER'
  return realOf(text) === undefined ? 'TEXT' : 'REAL'
}

function integerOf(text: string): number | bigint | undefined {
  if (!INTEGER.test(text) || text === '-0') return undefined
  const number = Number(text)
  if (Number.isSafeInteger(number)) return number
  const exact = BigInt(text)
  return exact >= MIN_INTEGER && exact <= MAX_INTEGER ? exact : undefined
}

function realOf(text: string): number | undefined {
  if (!REAL.test(text)) return undefined
  const number = Number(text)
  // An integer too long for a double is a number of an account or the like: its digits matter.
  const isShortened = !Number.isSafeInteger(number) && /^-?\d+$/.test(text)
  return Number.isFinite(number) && !isShortened ? number : undefined
}

/**
 * Names for the columns of a table: trimmed, none empty, no two the same but for case.
 *
 * @throws InputError `CSV_HEADER_INVALID` when there is nothing to name columns by.
 */
export function columnNames(header: readonly string[], source: string): string[] {
  if (header.every((name) => name.trim() === '')) {
    throw new InputError(
      'CSV_HEADER_INVALID',
      `${source} has no header row`,
      'the first row must name the columns; if it is a log, say --format plain',
    )
  }
  const taken = new Set<string>()
  return header.map((raw, index) => {
    const base = raw.trim() === '' ? `column_${index + 1}` : raw.trim()
    let name = base
    for (let copy = 2; taken.has(name.toLowerCase()); copy++) name = `${base}_${copy}`
    taken.add(name.toLowerCase())
    return name
  })
}

/** Turns the fields of one record into a row, or says which field does not fit its column. */
export function rowOf(fields: readonly string[], columns: readonly Column[]): Row | string {
  if (fields.length !== columns.length) {
    return `${fields.length} fields where the header has ${columns.length}`
  }
  const row: Row = {}
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]
    const text = fields[index]
    if (column === undefined || text === undefined) continue
    const value = valueOf(text, column.type)
    if (value === undefined)
      return `${column.name} is ${column.type}, and this is not: ${JSON.stringify(text)}`
    // Defined rather than assigned, since a column may be called __proto__.
    if (column.name === '__proto__') Object.defineProperty(row, column.name, { value, enumerable: true })
    else row[column.name] = value
  }
  return row
}

/** An empty field is NULL where the column holds numbers, and an empty text where it holds text. */
function valueOf(text: string, type: ColumnType): Value | undefined {
  switch (type) {
    case 'TEXT':
      return text
    case 'INTEGER':
      return text === '' ? null : integerOf(text)
    case 'REAL':
      return text === '' ? null : realOf(text)
  }
}
