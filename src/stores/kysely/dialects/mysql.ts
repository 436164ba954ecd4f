/**
 * MySQL 8 and MariaDB 10.6 by mysql2. Only InnoDB's tables are known: the others have no transactions, so nothing
 * could be promised of them. CREATE, ALTER and DROP commit what was before them, so a transaction with rows refuses them.
 */
import type { ColumnSchema, TableSchema } from '../../../contracts/schema.ts'
import type { Value } from '../../../contracts/values.ts'
import { NotSupportedError, StoreError } from '../../../errors.ts'
import { isInternalTable } from '../../../sql/bookkeeping.ts'
import type { DatabaseSchema, SqlDialect, TableTraits } from '../dialect.ts'
import { placeholdersIn } from '../../../sql/guard.ts'
import type { Session } from '../session.ts'
import { asBuffer, isInstant } from '../values.ts'
import { versionOf } from '../../../sql/version.ts'
import { classifyMysql } from './mysql-errors.ts'

// By bytes: two writers whose names differ in case only are two.
const options = 'ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'

export const mysqlDialect: SqlDialect = {
  name: 'mysql',
  codes: {
    denied: 'ER_TABLEACCESS_DENIED_ERROR',
    syntax: 'ER_PARSE_ERROR',
    readOnly: 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
  },
  exactHint:
    'Give the mysql2 pool `supportBigNumbers: true`, and a `typeCast` that makes bigints of LONGLONG.',
  // The driver writes them into the text.
  maxParameters: 65_535,
  setsApplyInOrder: true,
  schemaChangesCommit: true,
  isolation: 'read committed',
  tables: [
    `CREATE TABLE IF NOT EXISTS tidemark_database (
       id varchar(200) PRIMARY KEY, secret varchar(200) NOT NULL, format int NOT NULL, last_epoch bigint NOT NULL,
       forgotten_epoch bigint NOT NULL
     ) ${options}`,
    `CREATE TABLE IF NOT EXISTS tidemark_writers (
       epoch bigint PRIMARY KEY, writer varchar(200) NOT NULL, watermark bigint NOT NULL, closed int NOT NULL,
       lease_ms bigint NOT NULL, opened_at bigint NOT NULL
     ) ${options}`,
    `CREATE TABLE IF NOT EXISTS tidemark_dead_letters (
       id bigint AUTO_INCREMENT PRIMARY KEY, writer varchar(200) NOT NULL, epoch bigint NOT NULL, seq bigint NOT NULL,
       table_name varchar(200), code varchar(200) NOT NULL, message longtext NOT NULL, content longtext NOT NULL,
       attempts int NOT NULL, rejected_at bigint NOT NULL,
       INDEX tidemark_dead_letters_by_position (writer, epoch, seq)
     ) ${options}`,
    `CREATE TABLE IF NOT EXISTS tidemark_checkpoints (
       source varchar(700) PRIMARY KEY, value longtext NOT NULL, updated_at bigint NOT NULL
     ) ${options}`,
  ],

  quote,
  parameter: () => '?',
  bind,
  /** The driver writes them into the text, and would overlook those for which there is no place. */
  statement(sql, values) {
    const places = placeholdersIn(mysqlDialect, sql)
    if (places !== values.length)
      throw new StoreError(
        'rejected',
        `the statement takes ${places} parameters and was given ${values.length}`,
        {
          storeCode: 'ER_WRONG_ARGUMENTS',
        },
      )
    return { sql, parameters: values.map((value) => bind(value)) }
  },
  /** The clause takes a row that any unique key meets for the one meant; where there are others, it is not used. */
  upsertClause({ columns, keyColumns }, traits) {
    if (traits?.hasOtherKeys !== false) return undefined
    const rest = columns.filter((column) => !keyColumns.includes(column))
    const set = (rest.length === 0 ? keyColumns.slice(0, 1) : rest).map(
      (column) => `${quote(column)} = VALUES(${quote(column)})`,
    )
    return ` ON DUPLICATE KEY UPDATE ${set.join(', ')}`
  },
  /** Without this mode a given 0 means "make one up". */
  keepsZero: {
    begin: `SET @tidemark_sql_mode = @@SESSION.sql_mode,
      SESSION sql_mode = CONCAT_WS(',', NULLIF(@@SESSION.sql_mode, ''), 'NO_AUTO_VALUE_ON_ZERO')`,
    end: 'SET SESSION sql_mode = @tidemark_sql_mode',
  },
  returning: () => '',
  /** InnoDB numbers the rows of one INSERT without gaps: their number is known when it begins. */
  idsOf({ changes, insertId }, _id, rows) {
    if (changes !== rows || insertId === undefined) return []
    return Array.from({ length: rows }, (_, index) => insertId + BigInt(index))
  },

  classify: classifyMysql,
  hasTable: async (session, name) =>
    (
      await session.own(
        'SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?',
        [name],
      )
    ).rows.length > 0,
  readSchema,
  schemaVersion: async () => undefined,
  checkDriver,

  async whileMakingTables(pinned, work) {
    await pinned.run("SELECT GET_LOCK(CONCAT('tidemark ', DATABASE()), 60)")
    try {
      await work(pinned)
    } finally {
      await pinned.run("SELECT RELEASE_LOCK(CONCAT('tidemark ', DATABASE()))")
    }
  },
  async lockEpoch(session, epoch) {
    await session.own('SELECT 1 FROM tidemark_writers WHERE epoch = ? FOR UPDATE', [epoch])
  },
  lockEpochAtOnce: (pinned, epoch, locked) =>
    pinned
      .transact(async (session) => {
        await session.own('SELECT 1 FROM tidemark_writers WHERE epoch = ? FOR UPDATE NOWAIT', [epoch])
        await locked(session)
        return true
      })
      .catch((error: unknown) => {
        if (['ER_LOCK_NOWAIT', 'ER_LOCK_WAIT_TIMEOUT'].includes(classifyMysql(error).code)) return false
        throw error
      }),
  async readOnly(pinned, read) {
    await pinned.run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ')
    await pinned.run('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY')
    try {
      return await read(pinned)
    } finally {
      await pinned.run('ROLLBACK').catch(() => undefined)
    }
  },
  async sync(pinned) {
    const [row] = (
      await pinned.run(
        'SELECT @@innodb_flush_log_at_trx_commit AS redo, @@log_bin AS has_binlog, @@sync_binlog AS binlog',
      )
    ).rows
    const isSynced =
      Number(row?.['redo']) === 1 && (Number(row?.['has_binlog']) === 0 || Number(row?.['binlog']) === 1)
    if (!isSynced)
      throw new NotSupportedError(
        'this server syncs its commits later, and no session can ask for more.',
        'Set `innodb_flush_log_at_trx_commit = 1` and `sync_binlog = 1` on the server: every commit is durable then.',
      )
  },
  violators: async () => [],
  /**
   * MySQL refuses a subquery whose columns share a name, and one that is read from loses its order. But Kysely hands
   * on to mysql2 what it is given as SQL, and mysql2 takes options in its place.
   */
  async namedApart(_session, { sql, parameters }) {
    const asked = { sql, rowsAsArray: true }
    return { sql: asked as unknown as string, parameters }
  },
}

/** With `-FOUND_ROWS` the driver counts rows whose values changed; guards and the fence count rows that were found. */
async function checkDriver(session: Session): Promise<void> {
  const { changes } = await session.run('UPDATE tidemark_database SET format = format')
  if (changes !== 1)
    throw new NotSupportedError(
      'the driver counts changed rows where found rows are meant.',
      'Remove `-FOUND_ROWS` from the flags of the mysql2 pool.',
    )
  const [row] = (await session.run('SELECT @@SESSION.sql_mode AS mode')).rows
  if (!/STRICT_(?:TRANS|ALL)_TABLES/.test(String(row?.['mode'])))
    throw new NotSupportedError(
      'outside of strict mode the server changes values that do not fit, and tells nobody.',
      'Add `STRICT_TRANS_TABLES` to `sql_mode`.',
    )
}

function quote(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

const text = /char|text|enum|set/i

/**
 * A Date goes to a column of dates as a Date: which zone it is written in is the driver's to say. A number goes to a
 * column of text as text: compared with a number, MySQL finds `'5 apples'` equal to 5.
 */
function bind(value: Value, column?: ColumnSchema): unknown {
  if (column && isInstant(value) && /^(?:datetime|timestamp|date)/.test(column.type)) return new Date(value)
  if (column && (typeof value === 'number' || typeof value === 'bigint') && text.test(column.type))
    return String(value)
  return asBuffer(value)
}

const columnsSql = `
  SELECT c.table_name AS table_name, c.column_name AS name, c.column_type AS type, c.extra AS extra,
    c.generation_expression AS expression
  FROM information_schema.columns c JOIN information_schema.tables t
    ON t.table_schema = c.table_schema AND t.table_name = c.table_name
  WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' AND t.engine = 'InnoDB'
  ORDER BY c.table_name, c.ordinal_position`
const keysSql = `
  SELECT table_name AS table_name, index_name AS index_name, column_name AS name
  FROM information_schema.statistics WHERE table_schema = DATABASE() AND non_unique = 0
  ORDER BY table_name, index_name, seq_in_index`
const triggersSql = `
  SELECT DISTINCT event_object_table AS table_name FROM information_schema.triggers
  WHERE event_object_schema = DATABASE() ORDER BY 1`

async function readSchema(session: Session): Promise<DatabaseSchema> {
  const { rows: columns } = await session.run(columnsSql)
  const { rows: keys } = await session.run(keysSql)
  // In a cluster the rows of one statement get ids with gaps: then each tells its own.
  const [step] = (await session.run('SELECT @@auto_increment_increment AS step')).rows
  const hasGaps = Number(step?.['step']) !== 1
  const { rows: triggers } = await session.run(triggersSql)
  const triggered = new Set(triggers.map((row) => String(row['table_name'])))
  const tables = new Map<string, TableSchema>()
  const traits = new Map<string, TableTraits>()
  for (const [name, found] of Map.groupBy(columns, (row) => String(row['table_name']))) {
    if (isInternalTable(name)) continue
    const ofTable = keys.filter((row) => String(row['table_name']) === name)
    const isPrimary = (row: Record<string, unknown>) => String(row['index_name']) === 'PRIMARY'
    tables.set(
      name,
      tableOf(
        name,
        found,
        ofTable.filter(isPrimary).map((row) => String(row['name'])),
      ),
    )
    traits.set(name, {
      isPlain: !triggered.has(name) && !(hasGaps && tables.get(name)?.generatedId !== undefined),
      isDeferred: false,
      hasOtherKeys: ofTable.some((row) => !isPrimary(row)),
    })
  }
  return { version: versionOf([columns, keys, triggers]), tables, traits, deferred: 'none' }
}

function tableOf(
  name: string,
  found: readonly Record<string, unknown>[],
  primaryKey: readonly string[],
): TableSchema {
  const generated = found.find((row) => /auto_increment/i.test(String(row['extra'])))
  const generatedName = generated && String(generated['name'])
  return {
    name,
    columns: new Map(
      found.map((row) => [
        String(row['name']),
        {
          name: String(row['name']),
          type: String(row['type']),
          wholeNumbers: 'number',
          isComputed: Boolean(row['expression']),
        },
      ]),
    ),
    primaryKey,
    generatedId: primaryKey.length === 1 && primaryKey[0] === generatedName ? generatedName : undefined,
  }
}
