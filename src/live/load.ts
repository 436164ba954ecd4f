/** Reads a scope's rows, and single rows of it, as they are committed. */
import type { Dialect, OpenedStore } from '../contracts/store.ts'
import type { TableSchema } from '../contracts/schema.ts'
import type { Value } from '../contracts/values.ts'
import { allFieldsOf, parameterOf, quoted, recordOf } from '../sql/text.ts'
import type { Row } from '../reads/fold.ts'

/** The rows of a table in which these columns have these values, in the order of their key. */
export async function readRows(
  store: OpenedStore,
  table: TableSchema,
  columns: readonly string[],
  values: readonly Value[],
): Promise<Row[]> {
  const { sql, names } = selectionFrom(table, columns, store.dialect)
  const asArrays = store.dialect !== 'surrealql'
  const { rows } = await store.query({ sql, parameters: values, asArrays }, undefined, 'here')
  if (!asArrays) return rows.map((row) => ({ ...row }))
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
  const sql = dialect === 'surrealql' ? inSurrealQl(table, columns) : inSql(table, columns, names, dialect)
  return { columns: wanted, sql, names }
}

function inSql(
  table: TableSchema,
  columns: readonly string[],
  names: readonly string[],
  dialect: Dialect,
): string {
  const name = (column: string): string => `t.${quoted(column, dialect)}`
  return [
    `SELECT ${names.map(name).join(', ')} FROM ${table.sqlName ?? quoted(table.name, dialect)} AS t`,
    `WHERE ${columns.map((column, index) => `${name(column)} = ${parameterOf(index + 1, dialect)}`).join(' AND ')}`,
    `ORDER BY ${table.primaryKey.map(name).join(', ')}`,
  ].join(' ')
}

/** A record by its key is found at once; by other fields the table is looked through, or an index of its. */
function inSurrealQl({ name, primaryKey }: TableSchema, columns: readonly string[]): string {
  if (columns.join() === primaryKey.join())
    return `SELECT ${allFieldsOf(primaryKey)} FROM ${recordOf(name, primaryKey.length)}`
  const words = (column: string): string => quoted(column, 'surrealql')
  return [
    `SELECT ${allFieldsOf(primaryKey)} FROM ${words(name)} WHERE ${columns.map((column, index) => `${words(column)} = ${parameterOf(index + 1, 'surrealql')}`).join(' AND ')}`,
    `ORDER BY ${primaryKey.map(words).join(', ')}`,
  ].join(' ')
}
