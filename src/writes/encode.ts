/**
 * Writes rows into the flat value arrays that travel to the store.
 *
 * Keeps: law 1 (a snapshot, refused whole or taken whole: a caller truncates what a throw left behind).
 *
 * Hot: `encodeRow` runs once a row on the main thread. It trusts that the row's columns are those of the row
 * before, in the same order, and says so by -1 when they are not. Measured with `npm run bench -- writes`.
 */
import type { InsertShape, UpsertShape } from '../contracts/operation.ts'
import type { ColumnSchema } from '../contracts/schema.ts'
import type { Value } from '../contracts/values.ts'
import { InvalidOperationError } from '../errors.ts'
import type { Layout, TableShapes } from './shapes.ts'
import { encodeForColumn, sizeOf } from './values.ts'

export type Row = Readonly<Record<string, unknown>>

/** @returns the row's size in bytes, as `sizeOf` counts, or -1 when its columns are not the layout's. */
export function encodeRow(layout: Layout, row: Row, values: Value[]): number {
  const { names, columns } = layout
  let index = 0
  let bytes = 0
  for (const name in row) {
    const value = row[name]
    if (value === undefined) continue
    if (name !== names[index]) return -1
    if (typeof value === 'string' && value.isWellFormed()) {
      bytes += 2 * value.length
      values.push(value)
    } else if (value === null) {
      bytes += 8
      values.push(null)
    } else {
      bytes += encodeColumn(layout, columns[index] as ColumnSchema, value, values)
    }
    index++
  }
  return index === names.length ? bytes : -1
}

/** The layout of a row that is not like the one before it. */
export function layoutOf<S extends InsertShape | UpsertShape>(
  shapes: TableShapes,
  row: Row,
  make: (names: readonly string[]) => Layout<S>,
): Layout<S> {
  const names = definedNames(row, `a row for table "${shapes.table.name}"`)
  if (names.length === 0) {
    throw new InvalidOperationError(
      'EMPTY_OPERATION',
      `a row for table "${shapes.table.name}" has no columns.`,
    )
  }
  return make(names)
}

/** Encodes the columns `names` of `row`, in this order. */
export function encodeColumns(
  layout: Layout,
  from: number,
  row: Row,
  names: readonly string[],
  values: Value[],
): number {
  let bytes = 0
  for (const [offset, name] of names.entries()) {
    bytes += encodeColumn(layout, layout.columns[from + offset] as ColumnSchema, row[name], values)
  }
  return bytes
}

/** The columns that an object names; undefined counts as not named. */
export function definedNames(row: unknown, what: string): string[] {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    throw new InvalidOperationError(
      'INVALID_CALL',
      `${what} must be an object of columns, not ${describe(row)}.`,
    )
  }
  const names: string[] = []
  for (const name in row) if ((row as Row)[name] !== undefined) names.push(name)
  return names
}

function encodeColumn(layout: Layout, column: ColumnSchema, value: unknown, values: Value[]): number {
  if (typeof value === 'number' && column.wholeNumbers === 'number' && !Number.isNaN(value)) {
    values.push(value)
    return 8
  }
  return encodeOther(layout, column, value, values)
}

/** By itself: a function that makes another makes room for what that one sees whenever it is called. */
function encodeOther(layout: Layout, column: ColumnSchema, value: unknown, values: Value[]): number {
  const encoded = encodeForColumn(
    value,
    column,
    () => `column "${column.name}" of table "${tableOf(layout)}"`,
  )
  values.push(encoded)
  return sizeOf(encoded)
}

function tableOf(layout: Layout): string {
  return layout.shape.kind === 'statement' ? '' : layout.shape.table
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  return value === null ? 'null' : `a ${typeof value}`
}
