/** Reads the tables of a database: what the engine checks writes against, and what the executor must know. */
import type { DatabaseSync } from 'node:sqlite'
import type { ColumnSchema, Schema, TableSchema } from '../../contracts/schema.ts'
import { piecesOf } from '../../sql/text.ts'
import { isInternalTable } from './bookkeeping.ts'
import { Foresight, storageOf, type KeyCollation } from './foresight.ts'

/** What the executor must know of a table beyond its columns. */
export interface TableTraits {
  /**
   * No trigger, no `ON CONFLICT FAIL`: a statement that fails leaves nothing behind. Otherwise each operation needs a
   * savepoint.
   */
  readonly isPlain: boolean
  /** The same of an insert alone, so that one of many rows gives consecutive ids. Triggers on other writes are no matter. */
  readonly insertsPlainly: boolean
  /** A row may need another of its own table, which one statement of both would let come later. */
  readonly refersToItself: boolean
  /** A row that is updated or deleted may take rows of other tables with it, whose triggers may stop half-way. */
  readonly cascadesToTriggers: boolean
  /** A constraint that is checked at COMMIT may be at stake: each operation needs a transaction of its own. */
  readonly isDeferred: boolean
  /** The database gives no id twice, nor one below the highest that was noted. */
  readonly isAutoincrement: boolean
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
    entries.filter(({ type }) => type === 'trigger').map(({ tbl_name: table }) => sameName(table)),
  )
  const insertTriggered = new Set(
    entries
      .filter(({ type, sql }) => type === 'trigger' && mayFireOnInsert(String(sql)))
      .map(({ tbl_name: table }) => sameName(table)),
  )
  const declared = entries.filter(({ type, name }) => type === 'table' && !isInternalTable(String(name)))
  const hasDeferred = declared.some(({ sql }) => /\bDEFERRABLE\s+INITIALLY\s+DEFERRED\b/i.test(String(sql)))
  const references = foreignKeys(
    database,
    declared.map(({ name }) => String(name)),
  )
  const parents = new Set(references.map(({ parent }) => parent))
  const related = new Set(references.flatMap(({ child, parent }) => [child, parent]))

  const foresight = new Foresight(
    database,
    entries.flatMap(({ type, sql }) => (type === 'trigger' ? [String(sql)] : [])),
    new Set(references.filter(({ isCascading }) => isCascading).map(({ child }) => child)),
  )

  const tables = new Map<string, TableSchema>()
  const traits = new Map<string, TableTraits>()
  for (const { name: anyName, sql } of declared) {
    const name = String(anyName)
    tables.set(name, readTable(database, name, String(sql), foresight))
    const hasTriggers = triggered.has(sameName(name))
    const hasInsertTriggers = insertTriggered.has(sameName(name))
    // Without following what each trigger or cascade touches, whatever could reach a deferred constraint counts.
    const failsHalfWay = /\bON\s+CONFLICT\s+FAIL\b/i.test(String(sql))
    const refersToItself = references.some(
      ({ child, parent }) => child === parent && child === sameName(name),
    )
    traits.set(name, {
      isPlain: !hasTriggers && !failsHalfWay && !refersToItself,
      insertsPlainly: !hasInsertTriggers && !failsHalfWay && !refersToItself,
      refersToItself,
      cascadesToTriggers: triggered.size > 0 && parents.has(sameName(name)),
      isDeferred: hasDeferred && (hasTriggers || related.has(sameName(name))),
      isAutoincrement: isAutoincrement(String(sql)),
    })
  }
  linkParents(tables, references)
  return { version, tables, traits, hasDeferred }
}

/** Whether it is not plainly a trigger on UPDATE or DELETE. SQLite keeps its text from the name on as it was written. */
function mayFireOnInsert(sql: string): boolean {
  const name = String.raw`(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|\[[^\]]*\]|\x60(?:[^\x60]|\x60\x60)*\x60|\w+)`
  const other = new RegExp(
    String.raw`^CREATE\s+TRIGGER\s+${name}\s+(?:BEFORE\s+|AFTER\s+)?(?:UPDATE|DELETE)\b`,
    'i',
  )
  return !other.test(sql)
}

interface Reference {
  readonly child: string
  readonly parent: string
  readonly column: string
  /** As it was written; the key where nothing was. */
  readonly parentColumn: string | undefined
  /** One column of several that name the parent together. */
  readonly isPart: boolean
  /** A change of the parent's row changes the child's. */
  readonly isCascading: boolean
}

/** Both ends of every foreign key. */
function foreignKeys(database: DatabaseSync, names: readonly string[]): Reference[] {
  const list = database.prepare(
    `SELECT "table" AS parent, "from" AS child_column, "to" AS parent_column,
       count(*) OVER (PARTITION BY id) AS columns, on_update || on_delete AS actions FROM pragma_foreign_key_list(?)`,
  )
  return names.flatMap((name) =>
    list.all(name).map(({ parent, child_column: column, parent_column: parentColumn, columns, actions }) => ({
      child: sameName(name),
      parent: sameName(parent),
      column: String(column),
      parentColumn: parentColumn === null ? undefined : String(parentColumn),
      isPart: columns !== 1,
      isCascading: /CASCADE|SET/.test(String(actions)),
    })),
  )
}

/** Tells each table which of its columns name the generated id of a row. */
function linkParents(tables: Map<string, TableSchema>, references: readonly Reference[]): void {
  const names = new Map([...tables.keys()].map((name) => [sameName(name), name]))
  for (const { child, parent, column, parentColumn, isPart } of references) {
    const table = tables.get(names.get(child) ?? '')
    const { name, generatedId } = tables.get(names.get(parent) ?? '') ?? {}
    if (!table || isPart || name === undefined || generatedId === undefined) continue
    if (sameName(parentColumn ?? generatedId) !== sameName(generatedId)) continue
    tables.set(table.name, { ...table, parents: new Map([...(table.parents ?? []), [column, name]]) })
  }
}

/** The word is reserved: where it stands without quotes, it means this. */
function isAutoincrement(sql: string): boolean {
  return [...piecesOf(sql, 'sqlite')].some((piece) => piece.toUpperCase() === 'AUTOINCREMENT')
}

/** A trigger or a foreign key names its table as it was written, in upper or lower case. */
function sameName(name: unknown): string {
  return String(name).toLowerCase()
}

function readTable(database: DatabaseSync, name: string, sql: string, foresight: Foresight): TableSchema {
  // A key that has an index of its own is not the rowid: in a table without one, and with `PRIMARY KEY DESC`.
  const keyIndex = database
    .prepare(
      `SELECT x.name, x.coll FROM pragma_index_list(?) AS i, pragma_index_xinfo(i.name) AS x
       WHERE i.origin = 'pk' AND x.key = 1`,
    )
    .all(name)
    .map((column): KeyCollation => ({ name: String(column['name']), collation: String(column['coll']) }))
  const columns = new Map<string, ColumnSchema>()
  const key: { name: string; rank: number; type: string }[] = []
  // hidden: 1 is a hidden column of a virtual table, 2 and 3 are generated columns.
  for (const column of database
    .prepare('SELECT name, type, dflt_value, pk, hidden FROM pragma_table_xinfo(?)')
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
      storage: storageOf(
        { name: columnName, type, default: column['dflt_value'] },
        { isStrict: foresight.isStrict(name), sql, keyIndex },
      ),
    })
    if (Number(column['pk']) > 0) key.push({ name: columnName, rank: Number(column['pk']), type })
  }
  key.sort((a, b) => a.rank - b.rank)
  const first = key[0]
  const isRowid = key.length === 1 && first?.type.toUpperCase() === 'INTEGER' && keyIndex.length === 0
  const standsAlone = foresight.standsAlone(name, sql)
  return {
    name,
    columns,
    primaryKey: key.map((column) => column.name),
    generatedId: isRowid ? first?.name : undefined,
    standsAlone,
    isFoldable:
      standsAlone && foresight.isUtf8 && [...columns.values()].every(({ isComputed }) => !isComputed),
  }
}

/** Columns of TEXT or BLOB affinity keep a float as it is: https://www.sqlite.org/datatype3.html section 3.1 */
function keepsFloats(type: string): boolean {
  const upper = type.toUpperCase()
  if (upper.includes('INT')) return false
  return /CHAR|CLOB|TEXT|BLOB|^ANY$|^$/.test(upper)
}
