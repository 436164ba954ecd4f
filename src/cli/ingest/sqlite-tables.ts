/** Tables of an SQLite file, as an ingest finds and makes them. */
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { isLogIndex, logTable } from '../../logs/table.ts'
import { databaseError } from '../database-error.ts'
import type { DatabaseFile } from '../database.ts'
import { CommandError, EXIT } from '../failure.ts'
import type { Column, ColumnType } from './formats/columns.ts'
import type { Table, Tables } from './target-table.ts'

export function sqliteTables(file: DatabaseFile): Tables {
  return {
    find: async (name) => withDatabase(file, (database) => findIn(database, file.path, name)),
    async make(name, columns, isLog) {
      const id = isLog ? 'id INTEGER PRIMARY KEY, ' : ''
      const sql = `CREATE TABLE IF NOT EXISTS ${quote(name)} (${id}${columns.map(definition).join(', ')})`
      withDatabase(file, (database) => database.exec(sql))
    },
  }
}

function findIn(database: DatabaseSync, path: string, name: string): Table | undefined {
  const entry = database
    .prepare(
      "SELECT name, type FROM sqlite_schema WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')",
    )
    .get(name)
  if (!entry) return undefined
  if (entry['type'] === 'view')
    throw new CommandError(EXIT.failed, `"${name}" of ${path} is a view.`, 'Name a table with --table.')
  const columns = database.prepare('SELECT name, type FROM pragma_table_info(?)').all(name)
  return {
    name: String(entry['name']),
    columns: columns.map((column) => ({
      name: String(column['name']),
      type: affinity(String(column['type'])),
    })),
  }
}

/** The log tables that have a full-text index, which is to be written with their rows. */
export function indexedLogTables(file: DatabaseFile): string[] {
  if (!existsSync(file.path)) return []
  return withDatabase(file, (database) =>
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

function withDatabase<T>(file: DatabaseFile, use: (database: DatabaseSync) => T): T {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file.path, { timeout: 5_000 })
    return use(database)
  } catch (error) {
    throw error instanceof CommandError ? error : databaseError(file, error)
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

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
