/** Reads a scope's rows, and single rows of it, as they are committed. */
import type { Dialect, OpenedStore } from '../contracts/store.ts'
import type { TableSchema } from '../contracts/schema.ts'
import type { Value } from '../contracts/values.ts'
import { quoted } from '../reads/row-query.ts'
import type { Row } from '../reads/fold.ts'

/** The rows of a table in which these columns have these values, in the order of their key. */
export async function readRows(
  store: OpenedStore,
  table: TableSchema,
  columns: readonly string[],
  values: readonly Value[],
): Promise<Row[]> {
  const { sql, names } = selectionFrom(table, columns, store.dialect)
  const { rows } = await store.query({ sql, parameters: values, asArrays: true }, undefined, 'here')
  return rows.map((row) => {
    // As arrays, so that a column of any name is one like any other.
    const found = row as unknown as readonly unknown[]
    const made: Row = {}
    for (const [index, name] of names.entries()) made[name] = found[index]
    return made
  })
}

interface Selection {
  readonly columns: string
  readonly sql: string
  readonly names: readonly string[]
}

/** By the table as the schema has it: a changed one is another object. */
const selections = new WeakMap<TableSchema, Selection[]>()

function selectionFrom(table: TableSchema, columns: readonly string[], dialect: Dialect): Selection {
  let known = selections.get(table)
  if (known === undefined) selections.set(table, (known = []))
  const wanted = columns.join()
  let selection = known.find((one) => one.columns === wanted)
  if (selection === undefined) known.push((selection = select(table, columns, wanted, dialect)))
  return selection
}

function select(table: TableSchema, columns: readonly string[], wanted: string, dialect: Dialect): Selection {
  const names = [...table.columns.keys()]
  const name = (column: string): string => `t.${quoted(column, dialect)}`
  const conditions = columns.map(
    (column, index) => `${name(column)} = ${dialect === 'postgres' ? `$${index + 1}` : '?'}`,
  )
  const sql = [
    `SELECT ${names.map(name).join(', ')} FROM ${table.sqlName ?? quoted(table.name, dialect)} AS t`,
    `WHERE ${conditions.join(' AND ')} ORDER BY ${table.primaryKey.map(name).join(', ')}`,
  ].join(' ')
  return { columns: wanted, sql, names }
}
