/**
 * What a row will be once the pending operations on it are committed.
 *
 * Keeps: law 6 (it says what the commit gives, or that it cannot tell; an operation that is going to be rejected may
 * be shown until it is). It breaks when an operation changes a row in a way that its values do not say: the table's
 * `isFoldable` and its columns' `storage` promise that there is none.
 */
import type { Run } from '../contracts/operation.ts'
import type { Seq } from '../contracts/position.ts'
import type { ColumnSchema, TableSchema } from '../contracts/schema.ts'
import type { Value } from '../contracts/values.ts'
import type { PendingOperation } from '../writes/pending-table.ts'
import { storedValue } from '../writes/stored-value.ts'

export type Row = Record<string, unknown>

/** Nobody can say before the commit. */
export const unproven: unique symbol = Symbol('unproven')

export interface FoldRequest {
  readonly table: TableSchema
  /** The row's pending operations when the read was asked for, oldest first. */
  readonly operations: readonly PendingOperation[]
  /** Operations up to here make rows with keys that nobody knows. */
  readonly makesKeysUpTo: Seq
}

/** @param row as it is committed at `tidemark`; it is changed */
export function fold(
  { table, operations, makesKeysUpTo }: FoldRequest,
  row: Row | undefined,
  tidemark: Seq,
): Row | undefined | typeof unproven {
  // Where no row is, one of those could have come to be, before or behind any of the operations.
  const mayAppear = makesKeysUpTo > tidemark
  let folded: Row | undefined | typeof unproven = row
  if (row === undefined && mayAppear) return unproven
  for (const at of operations) {
    // What the row shows already must not be done to it once more.
    if (at.seq <= tidemark) continue
    folded = apply(table, folded, at)
    if (folded === unproven || (folded === undefined && mayAppear)) return unproven
  }
  return folded
}

/** One operation of a run. @param row is changed */
export function apply(
  table: TableSchema,
  row: Row | undefined,
  { run, index }: Pick<PendingOperation, 'run' | 'index'>,
): Row | undefined | typeof unproven {
  const { shape } = run
  const base = index * shape.width
  switch (shape.kind) {
    case 'insert':
      // Over a row that is there it is rejected.
      return row ?? make(table, shape.columns, run, base)
    case 'upsert':
      return row === undefined
        ? make(table, shape.columns, run, base)
        : assign(table, row, shape.columns, run, base)
    case 'update':
    case 'delete': {
      const skipped = shape.kind === 'update' ? shape.set.length : 0
      const isFound = row !== undefined && isMatch(table, row, shape.where, run, base + skipped)
      if (isFound === unproven) return unproven
      // A guard that does not hold rejects it.
      const isRefused = shape.expect !== undefined && shape.expect !== (isFound ? 1 : 0)
      if (!isFound || isRefused) return row
      return shape.kind === 'delete' ? undefined : assign(table, row, shape.set, run, base)
    }
    case 'statement':
      return unproven
  }
}

/** A new row, its columns in the table's order. */
function make(
  { columns }: TableSchema,
  given: readonly string[],
  { values }: Run,
  base: number,
): Row | typeof unproven {
  const row: Row = {}
  for (const [name, column] of columns) {
    const offset = given.indexOf(name)
    if (offset >= 0) {
      const value = valueOf(column, values[base + offset] as Value)
      if (value === undefined) return unproven
      row[name] = value
    } else {
      if (column.storage?.hasDefault !== false) return unproven
      row[name] = null
    }
  }
  return row
}

function assign(
  { columns, primaryKey }: TableSchema,
  row: Row,
  given: readonly string[],
  { values }: Run,
  base: number,
): Row | typeof unproven {
  for (const [offset, name] of given.entries()) {
    // The key stays what it is: an upsert does not set it, and an update that does is not folded.
    if (primaryKey.includes(name)) continue
    const value = valueOf(columns.get(name), values[base + offset] as Value)
    if (value === undefined) return unproven
    row[name] = value
  }
  return row
}

/** A copy of its own where whoever gets it could change it. */
function valueOf(column: ColumnSchema | undefined, value: Value): Value | undefined {
  const stored = column && storedValue(column, value)
  return stored instanceof Uint8Array ? stored.slice() : stored
}

/** Whether the row has these values too, beyond those of its key. */
function isMatch(
  { columns, primaryKey }: TableSchema,
  row: Row,
  where: readonly string[],
  { values }: Run,
  base: number,
): boolean | typeof unproven {
  for (const [offset, name] of where.entries()) {
    if (primaryKey.includes(name)) continue
    const column = columns.get(name)
    const wanted = column && storedValue(column, values[base + offset] as Value)
    if (!column || wanted === undefined) return unproven
    const found = isEqual(column, row[name], wanted)
    if (found !== true) return found
  }
  return true
}

function isEqual({ storage }: ColumnSchema, found: unknown, wanted: Value): boolean | typeof unproven {
  if (found === wanted) return true
  if (found instanceof Uint8Array && wanted instanceof Uint8Array) return Buffer.compare(found, wanted) === 0
  if (typeof found === 'string' && typeof wanted === 'string')
    return storage?.comparesExactly === true ? false : unproven
  // A float and an integer past 2^53 may be equal to the database, digit by digit.
  if (typeof found === 'bigint' && typeof wanted === 'number') return unproven
  if (typeof found === 'number' && typeof wanted === 'bigint') return unproven
  return false
}
