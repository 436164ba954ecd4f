/**
 * Keys in a form in which two are the same if and only if they name the same row.
 *
 * Keeps: law 6 (a write and a read that mean one row meet; where that is not proven there is no form at all).
 *
 * Hot: runs once for every operation with a key. A key of one text, number or bigint is its own form.
 */
import type { ColumnSchema } from '../contracts/schema.ts'
import type { Value } from '../contracts/values.ts'
import { storedValue } from './stored-value.ts'

export type RowForm = number | bigint | string

/**
 * Half a surrogate pair, which no text that was accepted has: it tells the forms made here from texts, and their
 * parts from each other.
 */
const mark = '\ud800'

/**
 * @param offsets where the key's values stand, counted from `base`
 * @returns null when a part is NULL: no read names that row; undefined when the form is not proven
 */
export function rowForm(
  columns: readonly ColumnSchema[],
  values: readonly Value[],
  base: number,
  offsets: readonly number[],
): RowForm | null | undefined {
  if (columns.length === 1) {
    const part = partForm(columns[0] as ColumnSchema, values[base + (offsets[0] as number)] as Value)
    return part instanceof Uint8Array ? bytesForm(part) : part
  }
  let form = ''
  for (let index = 0; index < columns.length; index++) {
    const part = partForm(columns[index] as ColumnSchema, values[base + (offsets[index] as number)] as Value)
    if (part === undefined || part === null) return part
    if (part instanceof Uint8Array) form += bytesForm(part)
    else form += typeof part === 'string' ? `${mark}t${part}` : `${mark}n${part}`
  }
  return form
}

function partForm(column: ColumnSchema, value: Value): Value | undefined {
  const stored = storedValue(column, value)
  return typeof stored === 'string' && column.storage?.comparesExactly !== true ? undefined : stored
}

function bytesForm(bytes: Uint8Array): string {
  return `${mark}b${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')}`
}
