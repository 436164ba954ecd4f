/** The tables of a scope: as they are asked for, and as they are after the schema has changed. */
import type { TableSchema } from '../contracts/schema.ts'
import { NotSupportedError, TidemarkError } from '../errors.ts'
import type { Scope } from './scope.ts'

/** Which column, or columns, of a child table hold the key of the scope's row, in the key's order. */
export type ChildColumns = Readonly<Record<string, string | readonly string[]>>

/** @throws TidemarkError `UNKNOWN_TABLE`, `MISSING_KEY` */
export type TableOf = (name: string) => TableSchema

export interface PlannedTable {
  readonly table: TableSchema
  readonly parentColumns: readonly string[]
}

/** The scope's own table first. @throws TidemarkError `UNKNOWN_TABLE`, `UNKNOWN_COLUMN`, `INVALID_CALL`; NotSupportedError */
export function planTables(tableOf: TableOf, name: string, children: ChildColumns): PlannedTable[] {
  const table = holdable(tableOf(name))
  const planned = [{ table, parentColumns: [] as readonly string[] }]
  for (const [child, given] of Object.entries(children)) {
    const parentColumns = typeof given === 'string' ? [given] : [...given]
    const childTable = holdable(tableOf(child))
    if (childTable === table) throw invalid(`table "${child}" cannot be a child of itself.`)
    for (const column of parentColumns)
      if (!childTable.columns.has(column)) {
        const known = [...childTable.columns.keys()].join(', ')
        throw new TidemarkError(
          'UNKNOWN_COLUMN',
          `no column "${column}" in table "${child}" (columns: ${known}).`,
        )
      }
    if (parentColumns.length !== table.primaryKey.length)
      throw invalid(
        `the columns of "${child}" that hold the key of "${name}" must be as many as that has, ${table.primaryKey.length}: ${table.primaryKey.join(', ')}.`,
      )
    planned.push({ table: childTable, parentColumns })
  }
  return planned
}

/** @throws TidemarkError `INVALID_CALL` when the open scope lacks a table that is asked for */
export function withTables(scope: Scope, asked: Scope): Scope {
  const missing = [...asked.children.keys()].filter((table) => !scope.children.has(table))
  if (missing.length === 0) return scope
  throw new TidemarkError(
    'INVALID_CALL',
    `the live scope of ${scope.name} is open without ${missing.map((table) => `"${table}"`).join(', ')}.`,
    { hint: 'Open it with the same `children` everywhere, or close it first.' },
  )
}

/** @returns undefined when its rows cannot be held as they are */
export function replanned(tableOf: TableOf, { root, children }: Scope): PlannedTable[] | undefined {
  try {
    const named = [...children].map(([table, set]) => [table, set.parentColumns] as const)
    const [own, ...others] = planTables(tableOf, root.table.name, Object.fromEntries(named))
    const isSame = [own, ...others].every((planned, index) => {
      const known = index === 0 ? root : [...children.values()][index - 1]
      return planned?.table.primaryKey.join() === known?.table.primaryKey.join()
    })
    return own && isSame ? [own, ...others] : undefined
  } catch (error) {
    if (error instanceof TidemarkError) return undefined
    throw error
  }
}

function holdable(table: TableSchema): TableSchema {
  if (table.standsAlone !== true)
    throw new NotSupportedError(
      `rows of table "${table.name}" cannot be held in memory: a trigger, a cascade or a conflict clause may change them in passing, and memory would not know.`,
      'Let the job write what the trigger would.',
    )
  return table
}

function invalid(message: string): TidemarkError {
  return new TidemarkError('INVALID_CALL', message)
}
