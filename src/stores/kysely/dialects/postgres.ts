/**
 * PostgreSQL, by `pg` or as PGlite. An error spoils the whole transaction,
 * so everything that may fail stands in a savepoint; shared code does that everywhere.
 */
import type { ColumnSchema, TableSchema } from '../../../contracts/schema.ts'
import type { Value } from '../../../contracts/values.ts'
import { isInternalTable } from '../bookkeeping.ts'
import type { DatabaseSchema, SqlDialect, TableTraits } from '../dialect.ts'
import { withoutEnd } from '../guard.ts'
import type { Session } from '../session.ts'
import { asBuffer, isInstant } from '../values.ts'
import { versionOf } from '../version.ts'
import { classifyPostgres } from './postgres-errors.ts'

/** Any number that nobody else locks by: "tidemark" in ASCII, as far as it goes. */
const makingTables = '8388350783863419'

export const postgresDialect: SqlDialect = {
  name: 'postgres',
  codes: { denied: '42501', syntax: '42601', readOnly: '25006' },
  exactHint: 'Have the driver read int8 exactly: `types.setTypeParser(20, BigInt)` of pg.',
  maxParameters: 65_535,
  setsApplyInOrder: false,
  schemaChangesCommit: false,
  isolation: 'read committed',
  tables: [
    `CREATE TABLE IF NOT EXISTS tidemark_database (
       id text PRIMARY KEY, secret text NOT NULL, format integer NOT NULL, last_epoch bigint NOT NULL,
       forgotten_epoch bigint NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS tidemark_writers (
       epoch bigint PRIMARY KEY, writer text NOT NULL, watermark bigint NOT NULL, closed integer NOT NULL,
       lease_ms bigint NOT NULL, opened_at bigint NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS tidemark_dead_letters (
       id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, writer text NOT NULL, epoch bigint NOT NULL,
       seq bigint NOT NULL, table_name text, code text NOT NULL, message text NOT NULL, content text NOT NULL,
       attempts integer NOT NULL, rejected_at bigint NOT NULL)`,
    `CREATE INDEX IF NOT EXISTS tidemark_dead_letters_by_position
       ON tidemark_dead_letters (writer, epoch, seq)`,
    `CREATE TABLE IF NOT EXISTS tidemark_checkpoints (
       source text PRIMARY KEY, value text NOT NULL, updated_at bigint NOT NULL)`,
  ],

  quote,
  parameter: (index) => `$${index}`,
  bind,
  statement: (sql, values) => ({ sql, parameters: values.map((value) => bind(value)) }),
  upsertClause({ columns, keyColumns }) {
    const rest = columns.filter((column) => !keyColumns.includes(column))
    const set = rest.map((column) => `${quote(column)} = excluded.${quote(column)}`).join(', ')
    const action = rest.length === 0 ? 'NOTHING' : `UPDATE SET ${set}`
    return ` ON CONFLICT (${keyColumns.map(quote).join(', ')}) DO ${action}`
  },
  keepsZero: undefined,
  returning: (id) => ` RETURNING ${quote(id)}`,
  idsOf({ rows }, id, expected) {
    return rows.length === expected ? rows.map((row) => BigInt(row[id] as string | number | bigint)) : []
  },

  classify: classifyPostgres,
  hasTable: async (session, name) =>
    (await session.own('SELECT 1 WHERE to_regclass(?) IS NOT NULL', [name])).rows.length > 0,
  readSchema,
  schemaVersion: async () => undefined,
  checkDriver: async () => undefined,

  // CREATE TABLE IF NOT EXISTS fails when two do it at once.
  whileMakingTables: (pinned, work) =>
    pinned.transact(async (session) => {
      await session.run(`SELECT pg_advisory_xact_lock(${makingTables})`)
      await work(session)
    }),
  async lockEpoch(session, epoch) {
    await session.own('SELECT 1 FROM tidemark_writers WHERE epoch = ? FOR UPDATE', [epoch])
  },
  lockEpochAtOnce: (pinned, epoch, locked) =>
    pinned.transact(async (session) => {
      const { rows } = await session.own(
        'SELECT 1 FROM tidemark_writers WHERE epoch = ? FOR UPDATE SKIP LOCKED',
        [epoch],
      )
      if (rows.length > 0) await locked(session)
      return rows.length > 0
    }),
  async readOnly(pinned, read) {
    const transaction = await pinned.begin()
    try {
      await transaction.session.run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
      return await read(transaction.session)
    } finally {
      await transaction.rollback()
    }
  },
  // One commit that waits for the disk: the log's one sync covers every commit before it.
  sync: (pinned, touch) =>
    pinned.transact(async (session) => {
      await session.run('SET LOCAL synchronous_commit = on')
      await touch(session)
    }),
  violators: async () => [],
  async namedApart(session, { sql, parameters }) {
    const inside = withoutEnd(sql)
    // Kysely's rows tell no columns: the keys of one row as JSON text, which keeps those of one name, are counted.
    const { rows } = await session.run(
      `SELECT count(*) AS count FROM json_object_keys((SELECT row_to_json(r) FROM (${inside}\n) AS r LIMIT 1))`,
      parameters,
    )
    const names = Array.from({ length: Number(rows[0]?.['count']) }, (_, index) => `column_${index + 1}`)
    if (names.length === 0) return { sql, parameters }
    return { sql: `SELECT * FROM (${inside}\n) AS r (${names.join(', ')})`, parameters }
  },
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A Date goes to a column of dates as a Date: how one without a zone is meant is the driver's to say. */
function bind(value: Value, column?: ColumnSchema): unknown {
  if (column && isInstant(value) && /^(?:timestamp|date)/.test(column.type)) return new Date(value)
  // PGlite writes no bigint where a boolean is meant; as text it is read as whatever is meant.
  return typeof value === 'bigint' ? String(value) : asBuffer(value)
}

/** The tables that a name without a schema can mean. */
const columnsSql = `
  SELECT c.relname AS table_name, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    CASE WHEN a.attgenerated <> '' THEN 1 ELSE 0 END AS is_computed,
    CASE WHEN a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%' THEN 1 ELSE 0 END AS is_generated,
    array_position(k.indkey::int2[], a.attnum) AS key_rank,
    CASE WHEN c.relhasrules OR EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
      OR EXISTS (SELECT 1 FROM pg_constraint f WHERE f.conrelid = c.oid AND f.confrelid = c.oid)
      THEN 1 ELSE 0 END AS is_special,
    CASE WHEN EXISTS (SELECT 1 FROM pg_index u WHERE u.indrelid = c.oid AND u.indisunique AND NOT u.indisprimary)
      THEN 1 ELSE 0 END AS has_other_keys
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN pg_index k ON k.indrelid = c.oid AND k.indisprimary
  WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  ORDER BY c.relname, a.attnum`

const deferredSql = `
  SELECT DISTINCT n.nspname AS schema_name, o.conname AS name FROM pg_constraint o
    JOIN pg_namespace n ON n.oid = o.connamespace
  WHERE o.condeferred ORDER BY 1, 2`

async function readSchema(session: Session): Promise<DatabaseSchema> {
  const { rows: columns } = await session.run(columnsSql)
  const { rows: deferred } = await session.run(deferredSql)
  const names = deferred
    .map((row) => `${quote(String(row['schema_name']))}.${quote(String(row['name']))}`)
    .join(', ')
  const tables = new Map<string, TableSchema>()
  const traits = new Map<string, TableTraits>()
  for (const [name, found] of Map.groupBy(columns, (row) => String(row['table_name']))) {
    if (isInternalTable(name)) continue
    tables.set(name, tableOf(name, found))
    traits.set(name, {
      isPlain: Number(found[0]?.['is_special']) === 0,
      isDeferred: names !== '',
      hasOtherKeys: Number(found[0]?.['has_other_keys']) === 1,
    })
  }
  return {
    version: versionOf([columns, names]),
    tables,
    traits,
    // By name: ALL would make those wait, from then on, that are checked at once unless told otherwise.
    deferred:
      names === ''
        ? 'none'
        : { judge: `SET CONSTRAINTS ${names} IMMEDIATE`, wait: `SET CONSTRAINTS ${names} DEFERRED` },
  }
}

function tableOf(name: string, found: readonly Record<string, unknown>[]): TableSchema {
  const key = found
    .filter((row) => row['key_rank'] !== null)
    .toSorted((a, b) => Number(a['key_rank']) - Number(b['key_rank']))
  const [first] = key
  const isGenerated =
    key.length === 1 && Number(first?.['is_generated']) === 1 && /int/.test(String(first?.['type']))
  return {
    name,
    columns: new Map(
      found.map((row) => [
        String(row['name']),
        {
          name: String(row['name']),
          type: String(row['type']),
          wholeNumbers: 'number',
          isComputed: Number(row['is_computed']) === 1,
        },
      ]),
    ),
    primaryKey: key.map((row) => String(row['name'])),
    generatedId: isGenerated ? String(first?.['name']) : undefined,
  }
}
