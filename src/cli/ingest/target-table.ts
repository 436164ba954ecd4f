/** The table that an ingest writes to: made where it is missing, checked where it exists. */
import { DatabaseSync } from 'node:sqlite'
import { CommandError, EXIT } from '../failure.ts'
import type { Column, ColumnType } from './formats/format.ts'

/** The log table; later versions add to it by migration. */
function logTableSql(table: string): string {
  return `CREATE TABLE ${quote(table)} (
    id INTEGER PRIMARY KEY, ts INTEGER, level TEXT, service TEXT, message TEXT, attributes TEXT
  )`
}

/** The columns of the table, or undefined when there is none. */
export function findColumns(databasePath: string, table: string): readonly Column[] | undefined {
  return withDatabase(databasePath, (database) => {
    const columns = database.prepare('SELECT name, type FROM pragma_table_info(?)').all(table)
    if (columns.length === 0) return undefined
    return columns.map(({ name, type }) => ({ name: String(name), type: affinity(String(type)) }))
  })
}

/**
 * Makes the table if it is missing.
 *
 * @throws CommandError when it exists and lacks a column that the rows have
 */
export function prepareTable(
  databasePath: string,
  table: string,
  columns: readonly Column[],
  isLog: boolean,
): void {
  const existing = findColumns(databasePath, table)
  if (!existing) {
    const sql = isLog
      ? logTableSql(table)
      : `CREATE TABLE ${quote(table)} (${columns.map(({ name, type }) => `${quote(name)} ${type}`).join(', ')})`
    withDatabase(databasePath, (database) => database.exec(sql))
    return
  }
  const missing = columns.filter(({ name }) => !existing.some((column) => column.name === name))
  if (missing.length === 0) return
  throw new CommandError(
    EXIT.failed,
    `table "${table}" of ${databasePath} has other columns: it lacks ${missing.map(({ name }) => `"${name}"`).join(', ')} (it has ${existing.map(({ name }) => name).join(', ')}). Nothing was written.`,
    'Choose another table with --table NAME, or another database with --db FILE.',
  )
}

function withDatabase<T>(path: string, use: (database: DatabaseSync) => T): T {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 5_000 })
    return use(database)
  } catch (error) {
    throw new CommandError(
      EXIT.failed,
      `the database ${path} cannot be used: ${error instanceof Error ? error.message : String(error)}.`,
      'Check the path given with --db, and that its folder exists and may be written to.',
    )
  } finally {
    database?.close()
  }
}

function affinity(type: string): ColumnType {
  if (/INT/i.test(type)) return 'INTEGER'
  return /REAL|FLOA|DOUB/i.test(type) ? 'REAL' : 'TEXT'
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
