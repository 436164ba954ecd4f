/** The table that an ingest writes to: made where it is missing, checked where it exists. */
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { isLogIndex, logTable } from '../../logs/table.ts'
import { CommandError, EXIT } from '../failure.ts'
import { databaseError } from '../sqlite-error.ts'
import type { Column, ColumnType } from './formats/columns.ts'

export interface Table {
  /** As the database has it: SQL names do not tell capitals apart, and the engine takes them literally. */
  readonly name: string
  readonly columns: readonly Column[]
}

/**
 * The table of this name, or undefined when there is none.
 *
 * @throws CommandError when rows cannot be written to what has this name
 */
export function findTable(databasePath: string, name: string): Table | undefined {
  if (name === '' || /^(tidemark|sqlite)_/i.test(name))
    throw new CommandError(EXIT.usage, `a table cannot be named "${name}".`, 'Name one with --table.')
  return withDatabase(databasePath, (database) => {
    const entry = database
      .prepare(
        "SELECT name, type FROM sqlite_schema WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')",
      )
      .get(name)
    if (!entry) return undefined
    if (entry['type'] === 'view')
      throw new CommandError(
        EXIT.failed,
        `"${name}" of ${databasePath} is a view.`,
        'Name a table with --table.',
      )
    const columns = database.prepare('SELECT name, type FROM pragma_table_info(?)').all(name)
    return {
      name: String(entry['name']),
      columns: columns.map((column) => ({
        name: String(column['name']),
        type: affinity(String(column['type'])),
      })),
    }
  })
}

/**
 * Makes the table if it is missing.
 *
 * @returns its name as the database has it
 * @throws CommandError when it exists and lacks a column that the rows have
 */
export function prepareTable(
  databasePath: string,
  name: string,
  columns: readonly Column[],
  isLog: boolean,
): string {
  const id = isLog ? 'id INTEGER PRIMARY KEY, ' : ''
  const sql = `CREATE TABLE IF NOT EXISTS ${quote(name)} (${id}${columns.map(definition).join(', ')})`
  const table = findTable(databasePath, name) ?? createTable(databasePath, name, sql)
  const missing = columns.filter((column) => !table.columns.some((other) => other.name === column.name))
  if (missing.length === 0) return table.name
  throw new CommandError(
    EXIT.failed,
    `table "${table.name}" of ${databasePath} has other columns: it lacks ${namesOf(missing)} (it has ${namesOf(table.columns)}). Nothing was written.`,
    'Choose another table with --table NAME, or another database with --db FILE.',
  )
}

/** Another ingest may have made it meanwhile, so it is looked at once more. */
function createTable(databasePath: string, name: string, sql: string): Table {
  withDatabase(databasePath, (database) => database.exec(sql))
  const table = findTable(databasePath, name)
  if (!table)
    throw new CommandError(EXIT.failed, `table "${name}" of ${databasePath} was dropped by another process.`)
  return table
}

/** The log tables that have a full-text index, which is to be written with their rows. */
export function indexedLogTables(databasePath: string): string[] {
  if (!existsSync(databasePath)) return []
  return withDatabase(databasePath, (database) =>
    database
      .prepare(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name LIKE '%\\_text' ESCAPE '\\'",
      )
      .all()
      .flatMap(({ name, sql }) => {
        const table = String(name).slice(0, -'_text'.length)
        return isLogIndex(logTable(table), String(sql)) ? [table] : []
      }),
  )
}

function withDatabase<T>(path: string, use: (database: DatabaseSync) => T): T {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 5_000 })
    return use(database)
  } catch (error) {
    throw error instanceof CommandError ? error : databaseError(path, error)
  } finally {
    database?.close()
  }
}

function affinity(type: string): ColumnType {
  if (/INT/i.test(type)) return 'INTEGER'
  return /REAL|FLOA|DOUB/i.test(type) ? 'REAL' : 'TEXT'
}

function definition({ name, type }: Column): string {
  return `${quote(name)} ${type}`
}

function namesOf(columns: readonly Column[]): string {
  return columns.map(({ name }) => `"${name}"`).join(', ')
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
