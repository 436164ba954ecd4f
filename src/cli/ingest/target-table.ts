/** The table that an ingest writes to: made where it is missing, checked where it exists. */
import { needingPg, type Database } from '../database.ts'
import { CommandError, EXIT } from '../failure.ts'
import type { Column, Row } from './formats/columns.ts'
import { sqliteTables } from './sqlite-tables.ts'

export interface Table {
  /** As the database has it: SQL names may not tell capitals apart, and the engine takes them literally. */
  readonly name: string
  readonly columns: readonly Column[]
  /** Makes of a row what its columns take; undefined: they take it as it is. */
  readonly fit?: (row: Row) => Row
}

/** What each database has its own words for. */
export interface Tables {
  /** Undefined: there is none. @throws CommandError when rows cannot be written to what has this name */
  find(name: string): Promise<Table | undefined>
  /** Unless it is there. @throws CommandError */
  make(name: string, columns: readonly Column[], isLog: boolean): Promise<void>
}

/**
 * The table of this name, or undefined when there is none.
 *
 * @throws CommandError when rows cannot be written to what has this name
 */
export async function findTable(database: Database, name: string): Promise<Table | undefined> {
  if (name === '' || /^(tidemark|sqlite)_/i.test(name))
    throw new CommandError(EXIT.usage, `a table cannot be named "${name}".`, 'Name one with --table.')
  return await (await tablesOf(database)).find(name)
}

/**
 * Makes the table if it is missing.
 *
 * @throws CommandError when it exists and lacks a column that the rows have
 */
export async function prepareTable(
  database: Database,
  name: string,
  columns: readonly Column[],
  isLog: boolean,
): Promise<Table> {
  const table = (await findTable(database, name)) ?? (await makeTable(database, name, columns, isLog))
  const missing = columns.filter((column) => !table.columns.some((other) => other.name === column.name))
  if (missing.length === 0) return table
  throw new CommandError(
    EXIT.failed,
    `table "${table.name}" of ${database.name} has other columns: it lacks ${namesOf(missing)} (it has ${namesOf(table.columns)}). Nothing was written.`,
    'Choose another table with --table NAME, or another database with --db FILE.',
  )
}

/** Another ingest may have made it meanwhile, so it is looked at once more. */
async function makeTable(
  database: Database,
  name: string,
  columns: readonly Column[],
  isLog: boolean,
): Promise<Table> {
  const tables = await tablesOf(database)
  await tables.make(name, columns, isLog)
  const table = await tables.find(name)
  if (!table)
    throw new CommandError(EXIT.failed, `table "${name}" of ${database.name} was dropped by another process.`)
  return table
}

async function tablesOf(database: Database): Promise<Tables> {
  if (database.kind === 'sqlite') return sqliteTables(database)
  const { postgresTables } = await needingPg(() => import('../postgres/tables.ts'))
  return postgresTables(database)
}

function namesOf(columns: readonly Column[]): string {
  return columns.map(({ name }) => `"${name}"`).join(', ')
}
