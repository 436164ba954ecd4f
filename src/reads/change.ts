/**
 * What a subscriber is told of one operation, and how it is read from the flat values of a run.
 *
 * Keeps: law 1's other half (binary values are copied, so nobody can change what is still to be committed).
 */
import type { Run, Shape } from '../contracts/operation.ts'
import type { Position } from '../contracts/position.ts'
import type { RowKey } from '../contracts/processor.ts'
import type { TableSchema } from '../contracts/schema.ts'
import type { Value } from '../contracts/values.ts'

/** Columns with their values. */
export type ChangedValues = Readonly<Record<string, Value>>

/** An operation, or a gap where some were left out. */
export type Change = OperationChange | Gap

/** Those of an atomic group follow each other and have the group's position. */
export type OperationChange = InsertChange | UpsertChange | UpdateChange | DeleteChange | StatementChange

/** Stands where changes were left out because the buffer was full: what they changed must be read again. */
export interface Gap {
  readonly kind: 'gap'
  /** How many changes. */
  readonly missed: number
  /** Of the last of them. */
  readonly position: Position
}

interface TableChange {
  readonly table: string
  readonly position: Position
}

export interface InsertChange extends TableChange {
  readonly kind: 'insert'
  /** The columns given, as a read gives them; what defaults and triggers add is not known here. */
  readonly values: ChangedValues
  /** The primary key, if the insert names it. */
  readonly key?: RowKey
  /** The generated id, once committed, where the store told it. It tells none in a group or after a lost reply. */
  readonly id?: number
}

export interface UpsertChange extends TableChange {
  readonly kind: 'upsert'
  readonly values: ChangedValues
  readonly key: RowKey
}

/** What an update and a delete have in common. */
interface KeyedChange extends TableChange {
  readonly key: RowKey
  /** What else the row had to be to be found. Committed, it may have found none: see `changes`. */
  readonly where?: ChangedValues
  /** The rows changed, once committed, where the store told it: not in a group or after a lost reply. */
  readonly changes?: number
}

export interface UpdateChange extends KeyedChange {
  readonly kind: 'update'
  /** What it sets. */
  readonly values: ChangedValues
}

export interface DeleteChange extends KeyedChange {
  readonly kind: 'delete'
}

/** SQL of the caller's own. Nobody can say which tables it touches. */
export interface StatementChange {
  readonly kind: 'statement'
  readonly position: Position
  readonly sql: string
  readonly parameters: readonly Value[]
  readonly changes?: number
}

/** What the store told of one operation. */
export interface Told {
  readonly id?: number
  readonly changes?: number
}

/** @param table as the schema has it now, if it still does */
export function changeAt(
  { shape, values }: Run,
  index: number,
  position: Position,
  table: TableSchema | undefined,
  { id, changes }: Told,
): OperationChange {
  const at = index * shape.width
  switch (shape.kind) {
    case 'insert': {
      const row = columnsAt(values, at, shape.columns)
      const change: InsertChange = { kind: 'insert', table: shape.table, position, values: row }
      const key = table && keyNamed(table, row)
      return { ...change, ...(key && { key }), ...(id !== undefined && { id }) }
    }
    case 'upsert': {
      const row = columnsAt(values, at, shape.columns)
      return { kind: 'upsert', table: shape.table, position, values: row, key: pick(row, shape.keyColumns) }
    }
    case 'update': {
      const row = columnsAt(values, at, shape.set)
      const found = columnsAt(values, at + shape.set.length, shape.where)
      const change = { kind: 'update' as const, table: shape.table, position, values: row }
      return { ...change, ...keyAndRest(found, table), ...(changes !== undefined && { changes }) }
    }
    case 'delete': {
      const found = columnsAt(values, at, shape.where)
      const change = { kind: 'delete' as const, table: shape.table, position }
      return { ...change, ...keyAndRest(found, table), ...(changes !== undefined && { changes }) }
    }
    case 'statement': {
      const parameters = values.slice(at, at + shape.width).map(asRead)
      const change: StatementChange = { kind: 'statement', position, sql: shape.sql, parameters }
      return changes === undefined ? change : { ...change, changes }
    }
  }
}

/** The table that an operation of this shape is known to touch. */
export function tableOf(shape: Shape): string | undefined {
  return shape.kind === 'statement' ? undefined : shape.table
}

function columnsAt(values: readonly Value[], at: number, columns: readonly string[]): Record<string, Value> {
  const row: Record<string, Value> = {}
  for (let index = 0; index < columns.length; index++)
    row[columns[index] as string] = asRead(values[at + index] as Value)
  return row
}

/** A whole number may have travelled as bigint; a read gives it as a number where that is exact. */
function asRead(value: Value): Value {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }
  return value instanceof Uint8Array ? value.slice() : value
}

function keyNamed({ primaryKey, generatedId }: TableSchema, row: ChangedValues): RowKey | undefined {
  if (primaryKey.length === 0) return undefined
  for (const name of primaryKey) {
    // Given as null, the store makes it up all the same.
    if (!Object.hasOwn(row, name) || (name === generatedId && row[name] === null)) return undefined
  }
  return pick(row, primaryKey)
}

function keyAndRest(
  found: ChangedValues,
  table: TableSchema | undefined,
): { readonly key: RowKey; readonly where?: ChangedValues } {
  const names = Object.keys(found)
  // The table may have been made anew meanwhile, with another key: then it is not known which columns are its.
  if (!table?.primaryKey.every((name) => names.includes(name))) return { key: found }
  const rest = names.filter((name) => !table.primaryKey.includes(name))
  return rest.length === 0 ? { key: found } : { key: pick(found, table.primaryKey), where: pick(found, rest) }
}

function pick(row: ChangedValues, names: readonly string[]): Record<string, Value> {
  const picked: Record<string, Value> = {}
  for (const name of names) picked[name] = row[name] as Value
  return picked
}
