/**
 * SQLite, by any driver that a Kysely dialect takes. Such dialects have one connection for all who use the
 * instance, and their `begin` takes no lock: every transaction of ours begins with a write, which does.
 */
import type { ColumnSchema, TableSchema } from '../../../contracts/schema.ts'
import { sqlPieces } from '../../../sql/text.ts'
import { isInternalTable } from '../../../sql/bookkeeping.ts'
import type { Statement } from '../../../sql/dialect.ts'
import type { DatabaseSchema, SqlDialect, TableTraits } from '../dialect.ts'
import { withoutEnd } from '../../../sql/guard.ts'
import type { Session } from '../session.ts'
import { asBuffer } from '../values.ts'
import { classifySqlite } from './sqlite-errors.ts'

const numbered = new RegExp(`\\?\\d+|${sqlPieces.sqlite.source}`, 'g')

export const sqliteDialect: SqlDialect = {
  name: 'sqlite',
  codes: { denied: 'SQLITE_AUTH', syntax: 'SQLITE_ERROR', readOnly: 'SQLITE_READONLY' },
  exactHint: 'Have the driver read integers as bigint: `defaultSafeIntegers(true)` of better-sqlite3.',
  maxParameters: 32_766,
  setsApplyInOrder: true,
  schemaChangesCommit: false,
  isolation: undefined,
  tables: [
    `CREATE TABLE IF NOT EXISTS tidemark_database (
       id TEXT PRIMARY KEY, secret TEXT NOT NULL, format INTEGER NOT NULL, last_epoch INTEGER NOT NULL,
       forgotten_epoch INTEGER NOT NULL
     ) STRICT`,
    `CREATE TABLE IF NOT EXISTS tidemark_writers (
       epoch INTEGER PRIMARY KEY, writer TEXT NOT NULL, watermark INTEGER NOT NULL, closed INTEGER NOT NULL,
       lease_ms INTEGER NOT NULL, opened_at INTEGER NOT NULL
     ) STRICT`,
    `CREATE TABLE IF NOT EXISTS tidemark_dead_letters (
       id INTEGER PRIMARY KEY AUTOINCREMENT, writer TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
       table_name TEXT, code TEXT NOT NULL, message TEXT NOT NULL, content TEXT NOT NULL,
       attempts INTEGER NOT NULL, rejected_at INTEGER NOT NULL
     ) STRICT`,
    `CREATE INDEX IF NOT EXISTS tidemark_dead_letters_by_position
       ON tidemark_dead_letters (writer, epoch, seq)`,
    `CREATE TABLE IF NOT EXISTS tidemark_checkpoints (
       source TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID`,
  ],

  quote,
  parameter: () => '?',
  bind: (value) => asBuffer(value),
  statement: (sql, values) => positional(sql, values.map(asBuffer)),
  upsertClause({ columns, keyColumns }) {
    const rest = columns.filter((column) => !keyColumns.includes(column))
    const set = rest.map((column) => `${quote(column)} = excluded.${quote(column)}`).join(', ')
    const action = rest.length === 0 ? 'NOTHING' : `UPDATE SET ${set}`
    return ` ON CONFLICT (${keyColumns.map(quote).join(', ')}) DO ${action}`
  },
  keepsZero: undefined,
  returning: () => '',
  /** They follow each other: nobody else inserts meanwhile. A constraint may have ignored a row. */
  idsOf({ changes, insertId }, _id, rows) {
    if (changes !== rows || insertId === undefined) return []
    return Array.from({ length: rows }, (_, index) => insertId - BigInt(rows - 1 - index))
  },

  classify: classifySqlite,
  hasTable: async (session, name) =>
    (await session.own('SELECT 1 FROM sqlite_master WHERE name = ?', [name])).rows.length > 0,
  readSchema,
  schemaVersion,
  checkDriver: async () => undefined,

  whileMakingTables: (pinned, work) => work(pinned),
  async lockEpoch(session, epoch) {
    await session.own('UPDATE tidemark_writers SET watermark = watermark WHERE epoch = ?', [epoch])
  },
  async lockEpochAtOnce(pinned, _epoch, locked) {
    const [row] = (await pinned.run('PRAGMA busy_timeout')).rows
    await pinned.run('PRAGMA busy_timeout = 0')
    try {
      await locked(pinned)
      return true
    } catch (error) {
      if (classifySqlite(error).failure !== 'transient') throw error
      return false
    } finally {
      await pinned.run(`PRAGMA busy_timeout = ${Number(Object.values(row ?? {})[0] ?? 0)}`)
    }
  },
  async readOnly(pinned, read) {
    await pinned.run('PRAGMA query_only = ON')
    try {
      await pinned.run('BEGIN')
      return await read(pinned)
    } finally {
      // The order matters: the connection goes back to its other users, who write.
      await pinned.run('ROLLBACK').catch(() => undefined)
      await pinned.run('PRAGMA query_only = OFF')
    }
  },
  async sync(pinned, touch) {
    const [row] = (await pinned.run('PRAGMA synchronous')).rows
    await pinned.run('PRAGMA synchronous = FULL')
    try {
      // A commit that changes no page writes nothing, and what writes nothing is not synced.
      await pinned.transact(touch)
    } finally {
      await pinned.run(`PRAGMA synchronous = ${Number(Object.values(row ?? {})[0] ?? 2)}`)
    }
  },
  async violators(session, table) {
    const { rows } = await session.run(`PRAGMA foreign_key_check(${quote(table)})`)
    return rows.map((row) => Number(row['rowid']))
  },
  /** SQLite names the columns of a subquery apart: `id`, `id:1`. */
  namedApart: async (_session, { sql, parameters }) => ({
    sql: `SELECT * FROM (${withoutEnd(sql)}\n)`,
    parameters,
  }),
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/**
 * `?1` is a parameter's number. Some drivers take it for a name, so that each mention gets a value of its own; a plain
 * `?` stands for the one after the highest so far.
 */
function positional(sql: string, values: readonly unknown[]): Statement {
  if (!/\?\d/.test(sql)) return { sql, parameters: values }
  const parameters: unknown[] = []
  let highest = 0
  const rewritten = sql.replaceAll(numbered, (piece) => {
    if (!piece.startsWith('?')) return piece
    const number = piece === '?' ? highest + 1 : Number(piece.slice(1))
    highest = Math.max(highest, number)
    // One that was not given stays out, so that the driver finds too few.
    if (number <= values.length) parameters.push(values[number - 1])
    return '?'
  })
  // Those that nobody mentions are too many, as they would be without numbers.
  return { sql: rewritten, parameters: [...parameters, ...values.slice(highest)] }
}

async function schemaVersion(session: Session): Promise<string> {
  const [row] = (await session.run('PRAGMA schema_version')).rows
  return String(row?.['schema_version'])
}

async function readSchema(session: Session): Promise<DatabaseSchema> {
  const version = await schemaVersion(session)
  const entries = await rowsOf(
    session,
    "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('table', 'trigger')",
  )
  const columns = await rowsOf(
    session,
    `SELECT m.name AS table_name, x.name, x.type, x.pk, x.hidden FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS x
     WHERE m.type = 'table' ORDER BY m.name, x.cid`,
  )
  const indexes = await rowsOf(
    session,
    `SELECT m.name AS table_name, i.origin FROM sqlite_master AS m, pragma_index_list(m.name) AS i
     WHERE m.type = 'table' AND i."unique" = 1`,
  )
  const references = await rowsOf(
    session,
    `SELECT m.name AS child, f."table" AS parent FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f
     WHERE m.type = 'table'`,
  )
  const triggered = new Set(
    entries.filter(({ type }) => type === 'trigger').map(({ tbl_name: table }) => sameName(table)),
  )
  const declared = entries.filter(({ type, name }) => type === 'table' && !isInternalTable(String(name)))
  const hasDeferred = declared.some(({ sql }) => /\bDEFERRABLE\s+INITIALLY\s+DEFERRED\b/i.test(String(sql)))
  const related = new Set(references.flatMap(({ child, parent }) => [sameName(child), sameName(parent)]))
  const selfish = new Set(
    references
      .filter(({ child, parent }) => sameName(child) === sameName(parent))
      .map(({ child }) => sameName(child)),
  )

  const tables = new Map<string, TableSchema>()
  const traits = new Map<string, TableTraits>()
  for (const { name: anyName } of declared) {
    const name = String(anyName)
    const own = sameName(name)
    const hasTriggers = triggered.has(own)
    tables.set(
      name,
      tableOf(
        name,
        columns.filter((column) => column['table_name'] === name),
        indexes.some((index) => index['table_name'] === name && index['origin'] === 'pk'),
      ),
    )
    traits.set(name, {
      isPlain: !hasTriggers && !selfish.has(own),
      // Without following what each trigger or cascade touches, whatever could reach a deferred constraint counts.
      isDeferred: hasDeferred && (hasTriggers || related.has(own)),
      hasOtherKeys: indexes.some((index) => index['table_name'] === name && index['origin'] !== 'pk'),
    })
  }
  return { version, tables, traits, deferred: hasDeferred ? 'apart' : 'none' }
}

async function rowsOf(session: Session, sql: string): Promise<readonly Record<string, unknown>[]> {
  return (await session.run(sql)).rows
}

/** A trigger or a foreign key names its table as it was written, in upper or lower case. */
function sameName(name: unknown): string {
  return String(name).toLowerCase()
}

function tableOf(name: string, found: readonly Record<string, unknown>[], hasKeyIndex: boolean): TableSchema {
  const columns = new Map<string, ColumnSchema>()
  const key: { name: string; rank: number; type: string }[] = []
  for (const column of found) {
    // hidden: 1 is a hidden column of a virtual table, 2 and 3 are generated columns.
    const hidden = Number(column['hidden'])
    if (hidden === 1) continue
    const columnName = String(column['name'])
    const type = String(column['type'])
    columns.set(columnName, {
      name: columnName,
      type,
      wholeNumbers: keepsFloats(type) ? 'bigint' : 'number',
      isComputed: hidden !== 0,
    })
    if (Number(column['pk']) > 0) key.push({ name: columnName, rank: Number(column['pk']), type })
  }
  key.sort((a, b) => a.rank - b.rank)
  const first = key[0]
  // A key that has an index of its own is not the rowid: in a table without one, and with `PRIMARY KEY DESC`.
  const isRowid = key.length === 1 && first?.type.toUpperCase() === 'INTEGER' && !hasKeyIndex
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
