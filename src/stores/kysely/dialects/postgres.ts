/**
 * PostgreSQL, by `pg` or as PGlite. An error spoils the whole transaction,
 * so everything that may fail stands in a savepoint; shared code does that everywhere.
 */
import type { ColumnSchema, TableSchema } from '../../../contracts/schema.ts'
import type { Value } from '../../../contracts/values.ts'
import type { SqlSession } from '../../../sql/dialect.ts'
import { withoutEnd } from '../../../sql/guard.ts'
import { postgresBookkeeping, quote, readCatalog, type CatalogTable } from '../../../sql/postgres-catalog.ts'
import { classifyPostgres } from '../../../sql/postgres-codes.ts'
import { versionOf } from '../../../sql/version.ts'
import type { DatabaseSchema, SqlDialect } from '../dialect.ts'
import { asBuffer, isInstant } from '../values.ts'

export const postgresDialect: SqlDialect = {
  name: 'postgres',
  ...postgresBookkeeping,
  exactHint: 'Have the driver read int8 exactly: `types.setTypeParser(20, BigInt)` of pg.',
  maxParameters: 65_535,
  setsApplyInOrder: false,
  schemaChangesCommit: false,
  isolation: 'read committed',
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

  classify: classifyPostgres,
  readSchema,
  schemaVersion: async () => undefined,
  checkDriver: async () => undefined,

  async lockEpoch(session, epoch) {
    await session.own('SELECT 1 FROM tidemark_writers WHERE epoch = ? FOR UPDATE', [epoch])
  },
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

/** A Date goes to a column of dates as a Date: how one without a zone is meant is the driver's to say. */
function bind(value: Value, column?: ColumnSchema): unknown {
  if (column && isInstant(value) && /^(?:timestamp|date)/.test(column.type)) return new Date(value)
  // PGlite writes no bigint where a boolean is meant; as text it is read as whatever is meant.
  return typeof value === 'bigint' ? String(value) : asBuffer(value)
}

/** The tables that a name without a schema can mean. */
async function readSchema(session: SqlSession): Promise<DatabaseSchema> {
  const catalog = await readCatalog(session)
  const found = catalog.tables.filter(({ isVisible }) => isVisible)
  return {
    version: versionOf(catalog),
    tables: new Map(found.map((table) => [table.name, tableOf(table)])),
    traits: new Map(
      found.map(({ name, isPlain, isDeferred, hasOtherKeys }) => [
        name,
        { isPlain, isDeferred, hasOtherKeys },
      ]),
    ),
    // By name: ALL would make those wait, from then on, that are checked at once unless told otherwise.
    deferred:
      catalog.deferred === ''
        ? 'none'
        : {
            judge: `SET CONSTRAINTS ${catalog.deferred} IMMEDIATE`,
            wait: `SET CONSTRAINTS ${catalog.deferred} DEFERRED`,
          },
  }
}

function tableOf({ name, columns, primaryKey }: CatalogTable): TableSchema {
  const id = columns.find((column) => column.name === primaryKey[0])
  return {
    name,
    columns: new Map(
      columns.map(({ name: column, type, isComputed, isJson }) => [
        column,
        { name: column, type, wholeNumbers: 'number', isComputed, isJson },
      ]),
    ),
    primaryKey,
    generatedId: primaryKey.length === 1 && id?.isGenerated && /int/.test(id.type) ? id.name : undefined,
  }
}
