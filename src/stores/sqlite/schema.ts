/** Reads the tables of a database: what the engine checks writes against, and what the executor must know. */
import type { DatabaseSync } from 'node:sqlite'
import type { ColumnSchema, Schema, TableSchema } from '../../contracts/schema.ts'
import { isInternalTable } from './bookkeeping.ts'

/** What the executor must know of a table beyond its columns. */
export interface TableTraits {
  /**
   * No trigger, no `ON CONFLICT FAIL`: a statement that fails leaves nothing behind, and one insert of many rows
   * gives consecutive ids. Otherwise each operation needs a savepoint, and its own id.
   */
  readonly isPlain: boolean
  /** A constraint that is checked at COMMIT may be at stake: each operation needs a transaction of its own. */
  readonly isDeferred: boolean
}

export interface DatabaseSchema extends Schema {
  readonly traits: ReadonlyMap<string, TableTraits>
  /** Some constraint of the database is checked at COMMIT only. */
  readonly hasDeferred: boolean
}

export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA schema_version').get()?.['schema_version'])
}

export function readSchema(database: DatabaseSync): DatabaseSchema {
  const version = String(schemaVersion(database))
  const entries = database
    .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN ('table', 'trigger')")
    .all()
  const triggered = new Set(
    entries.filter(({ type }) => type === 'trigger').map(({ tbl_name: table }) => String(table)),
  )
  const declared = entries.filter(({ type, name }) => type === 'table' && !isInternalTable(String(name)))
  const hasDeferred = declared.some(({ sql }) => /\bDEFERRABLE\s+INITIALLY\s+DEFERRED\b/i.test(String(sql)))
  const related = hasDeferred
    ? relatedTables(
        database,
        declared.map(({ name }) => String(name)),
      )
    : new Set<string>()

  const tables = new Map<string, TableSchema>()
  const traits = new Map<string, TableTraits>()
  for (const { name: anyName, sql } of declared) {
    const name = String(anyName)
    tables.set(name, readTable(database, name, String(sql)))
    const hasTriggers = triggered.has(name)
    // Without following what each trigger or cascade touches, whatever could reach a deferred constraint counts.
    const isPlain = !hasTriggers && !/\bON\s+CONFLICT\s+FAIL\b/i.test(String(sql))
    traits.set(name, { isPlain, isDeferred: hasDeferred && (hasTriggers || related.has(name)) })
  }
  return { version, tables, traits, hasDeferred }
}

/** Tables on either end of a foreign key. */
function relatedTables(database: DatabaseSync, names: readonly string[]): Set<string> {
  const related = new Set<string>()
  for (const name of names) {
    for (const { table } of database.prepare('SELECT "table" FROM pragma_foreign_key_list(?)').all(name)) {
      related.add(name).add(String(table))
    }
  }
  return related
}

function readTable(database: DatabaseSync, name: string, sql: string): TableSchema {
  const columns = new Map<string, ColumnSchema>()
  const key: { name: string; rank: number; type: string }[] = []
  // hidden: 1 is a hidden column of a virtual table, 2 and 3 are generated columns.
  for (const column of database
    .prepare('SELECT name, type, pk, hidden FROM pragma_table_xinfo(?)')
    .all(name)) {
    if (column['hidden'] === 1) continue
    const columnName = String(column['name'])
    const type = String(column['type'])
    const isComputed = column['hidden'] !== 0
    columns.set(columnName, {
      name: columnName,
      type,
      wholeNumbers: keepsFloats(type) ? 'bigint' : 'number',
      isComputed,
    })
    if (Number(column['pk']) > 0) key.push({ name: columnName, rank: Number(column['pk']), type })
  }
  key.sort((a, b) => a.rank - b.rank)
  const first = key[0]
  const isRowid =
    key.length === 1 && first?.type.toUpperCase() === 'INTEGER' && !/\bWITHOUT\s+ROWID\b/i.test(sql)
  return {
    name,
    columns,
    primaryKey: key.map((column) => column.name),
    generatedId: isRowid ? first?.name : undefined,
  }
}

/** Columns of TEXT or BLOB affinity keep a float as it is: https://www.sqlite.org/datatype3.html section 3.1 */
function keepsFloats(type: string): boolean {
  const upper = type.toUpperCase()
  if (upper.includes('INT')) return false
  return /CHAR|CLOB|TEXT|BLOB|^ANY$|^$/.test(upper)
}
