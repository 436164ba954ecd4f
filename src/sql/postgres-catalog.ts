/** What PostgreSQL's catalog tells of the tables, and how the bookkeeping is made and locked there. */
import type { SharedDialect, SqlSession } from './dialect.ts'
import { isInternalTable } from './bookkeeping.ts'

export interface CatalogTable {
  /** As a statement names it: without its schema where the search path finds it. */
  readonly name: string
  /** Another one when the table was made anew, however alike. */
  readonly id: string
  /** By which transaction it was last changed: one that was renamed and named back is not what it was. */
  readonly changedBy: string
  readonly isVisible: boolean
  /** The same, quoted. */
  readonly quoted: string
  readonly columns: readonly CatalogColumn[]
  readonly primaryKey: readonly string[]
  /**
   * One statement of many rows does what as many statements do: no triggers, rules or policies, and nothing is judged
   * at its end that one row could satisfy for another (a reference to itself, or to a key that rows may exchange; a
   * key that is checked late).
   */
  readonly isPlain: boolean
  /** Deleted rows take others with them, or change them. */
  readonly cascades: boolean
  /** A constraint that waits for COMMIT is on it or refers to it, or its rows take others with them. */
  readonly isDeferred: boolean
  /** A row may meet another by a unique key that is not the primary one. */
  readonly hasOtherKeys: boolean
  /** Only writes that name a row change it: there are no triggers or rules anywhere, and nothing cascades to it. */
  readonly standsAlone: boolean
}

export interface CatalogColumn {
  readonly name: string
  /** As declared, such as `character varying(20)`. */
  readonly type: string
  /** The type without its length or precision, as a cast names it: of a domain of what is no element, what it is made of. */
  readonly baseType: string
  /** It holds arrays: how their text is written. */
  readonly array: ArrayForm | undefined
  readonly isJson: boolean
  /** `unnest` of an array of it gives it back: not so for arrays and composites, which it takes apart, nor for `box`, whose array has no commas. */
  readonly isElement: boolean
  readonly isComputed: boolean
  readonly hasDefault: boolean
  /**
   * What is known of how values of it compare: `padded` as texts without the blanks at their end, `instant` as times of
   * which one in the form of `toISOString` equals no other in that form. Undefined: nothing.
   */
  readonly comparesAs: (typeof comparisons)[number] | undefined
  /** The database makes its value up, by a sequence, when an insert leaves it out. */
  readonly isGenerated: boolean
  /** The sequence behind its default or identity, quoted; undefined: there is none. */
  readonly sequence: string | undefined
  /** The table, as a statement names it, and the column of it that this one alone must find a row by. */
  readonly references: { readonly table: string; readonly column: string } | undefined
  /** GENERATED ALWAYS: a value of one's own needs OVERRIDING SYSTEM VALUE. */
  readonly isAlwaysGenerated: boolean
  /** By which transaction it was last changed: what was changed and changed back is not what it was. */
  readonly changedBy: string
}

export interface ArrayForm {
  readonly delimiter: string
  readonly holdsJson: boolean
}

export interface Catalog {
  readonly tables: readonly CatalogTable[]
  /** Those that are ours. */
  readonly bookkeeping: readonly CatalogTable[]
  /** Constraints that wait for COMMIT, quoted and with their schemas; empty: none. */
  readonly deferred: string
}

/** The tables that somebody may write to. */
const ours = `
  c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'`

/** On the table itself, or on a part of it. */
const hasTriggers = `EXISTS (SELECT 1 FROM pg_trigger g WHERE NOT g.tgisinternal
  AND (g.tgrelid = c.oid OR g.tgrelid IN (SELECT relid FROM pg_partition_tree(c.oid))))`

const tablesSql = `
  SELECT c.oid::text AS id, c.xmin::text AS changed_by, n.nspname AS schema_name, c.relname AS table_name,
    pg_table_is_visible(c.oid)::int AS is_visible,
    (c.relhasrules OR c.relrowsecurity OR ${hasTriggers}
      OR EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid AND c.relkind = 'r')
      OR EXISTS (SELECT 1 FROM pg_constraint f WHERE f.conrelid = c.oid AND f.condeferrable AND f.contype <> 'f')
      OR EXISTS (SELECT 1 FROM pg_constraint f WHERE f.confrelid = c.oid
        AND (f.conrelid = c.oid OR f.conindid IS DISTINCT FROM k.indexrelid)))::int AS is_special,
    EXISTS (SELECT 1 FROM pg_constraint f WHERE f.confrelid = c.oid AND f.confdeltype IN ('c', 'n', 'd'))::int
      AS cascades,
    (c.relhasrules OR ${hasTriggers}
      OR EXISTS (SELECT 1 FROM pg_constraint f WHERE f.condeferred AND c.oid IN (f.conrelid, f.confrelid))
      OR EXISTS (SELECT 1 FROM pg_constraint f WHERE f.confrelid = c.oid
        AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))))::int AS may_meet_deferred,
    EXISTS (SELECT 1 FROM pg_index u WHERE u.indrelid = c.oid AND (u.indisunique OR u.indisexclusion)
      AND NOT u.indisprimary)::int AS has_other_keys,
    (NOT EXISTS (SELECT 1 FROM pg_trigger g WHERE NOT g.tgisinternal)
      AND NOT EXISTS (SELECT 1 FROM pg_class x JOIN pg_namespace y ON y.oid = x.relnamespace
        WHERE x.relhasrules AND x.relkind IN ('r', 'p') AND y.nspname NOT IN ('pg_catalog', 'information_schema'))
      AND NOT EXISTS (SELECT 1 FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent))
      AND NOT EXISTS (SELECT 1 FROM pg_constraint f WHERE f.conrelid = c.oid
        AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))))::int AS stands_alone
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_index k ON k.indrelid = c.oid AND k.indisprimary
  WHERE ${ours} ORDER BY n.nspname, c.relname`

/** `b` is the type without the domains around it, `e` that of its elements. */
const columnsSql = `
  SELECT c.oid::text AS table_id, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    format_type(CASE WHEN s.is_element THEN a.atttypid ELSE b.oid END, -1) AS base_type,
    s.is_element::int AS is_element, (b.oid IN ('json'::regtype, 'jsonb'::regtype))::int AS is_json,
    CASE WHEN b.typcategory = 'A' THEN e.typdelim::text END AS array_delimiter,
    coalesce('json'::regtype IN (e.oid, e.typbasetype) OR 'jsonb'::regtype IN (e.oid, e.typbasetype), false)::int
      AS holds_json,
    (a.attgenerated <> '')::int AS is_computed, (a.atthasdef OR a.attidentity <> '')::int AS has_default,
    CASE WHEN t.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 'integer'
      WHEN t.oid = 'uuid'::regtype THEN 'uuid'
      WHEN t.oid IN ('timestamptz'::regtype, 'timestamp'::regtype) AND a.atttypmod = -1 THEN 'instant'
      WHEN t.oid IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
        AND (SELECT l.collisdeterministic FROM pg_collation l WHERE l.oid = a.attcollation)
        THEN CASE WHEN t.oid = 'bpchar'::regtype THEN 'padded' ELSE 'text' END END AS compares_as,
    (a.attidentity = 'a')::int AS is_always_generated,
    CASE WHEN a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%'
      THEN (SELECT format('%I.%I', y.nspname, x.relname)
        FROM pg_depend p JOIN pg_class x ON x.oid = p.objid AND x.relkind = 'S'
          JOIN pg_namespace y ON y.oid = x.relnamespace
        WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass
          AND p.refobjid = c.oid AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i') LIMIT 1) END AS sequence,
    (a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false))::int AS is_generated,
    array_position((k.indkey::int2[])[0:k.indnkeyatts - 1], a.attnum) AS key_rank, a.xmin::text AS changed_by,
    CASE WHEN pg_table_is_visible(r.confrelid) THEN rc.relname ELSE rn.nspname || '.' || rc.relname END AS refers_to,
    ra.attname AS refers_to_column
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN (
      WITH RECURSIVE made AS (
        SELECT t.oid, t.typbasetype AS of
        UNION ALL SELECT o.oid, o.typbasetype FROM made JOIN pg_type o ON o.oid = made.of)
      SELECT oid FROM made WHERE of = 0) ELSE t.oid END
    CROSS JOIN LATERAL (SELECT b.typcategory NOT IN ('A', 'C') AND t.typdelim = ',' AS is_element) s
    LEFT JOIN pg_type e ON e.oid = b.typelem AND b.typcategory = 'A'
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN (SELECT DISTINCT ON (f.conrelid, f.conkey) f.conrelid, f.conkey, f.confrelid, f.confkey
      FROM pg_constraint f WHERE f.contype = 'f' ORDER BY f.conrelid, f.conkey, f.oid) r
      ON r.conrelid = c.oid AND r.conkey = ARRAY[a.attnum]
    LEFT JOIN pg_class rc ON rc.oid = r.confrelid
    LEFT JOIN pg_namespace rn ON rn.oid = rc.relnamespace
    LEFT JOIN pg_attribute ra ON ra.attrelid = r.confrelid AND ra.attnum = r.confkey[1]
    LEFT JOIN pg_index k ON k.indrelid = c.oid AND k.indisprimary
  WHERE ${ours} ORDER BY c.oid, a.attnum`

const deferredSql = `
  SELECT DISTINCT n.nspname AS schema_name, o.conname AS name FROM pg_constraint o
    JOIN pg_namespace n ON n.oid = o.connamespace
  WHERE o.condeferred ORDER BY 1, 2`

/** In one statement, which sees all of it as of one moment: of several, the later see what the earlier did not. */
const catalogSql = `
  SELECT (SELECT json_agg(t) FROM (${tablesSql}) t)::text AS tables,
    (SELECT json_agg(c) FROM (${columnsSql}) c)::text AS columns,
    (SELECT json_agg(d) FROM (${deferredSql}) d)::text AS deferred`

type CatalogRow = Readonly<Record<string, unknown>>

export async function readCatalog(session: SqlSession): Promise<Catalog> {
  const [answer] = (await session.run(catalogSql)).rows
  const listOf = (name: string): CatalogRow[] => {
    const text = answer?.[name]
    return typeof text === 'string' ? (JSON.parse(text) as CatalogRow[]) : []
  }
  const found = listOf('tables')
  // What the server's functions say is not as of that moment, but as of now: they know nothing of what is gone since.
  if (found.some((row) => row['is_visible'] === null)) return readCatalog(session)
  const columns = listOf('columns')
  const constraints = listOf('deferred')
  const deferred = constraints
    .map((row) => `${quote(String(row['schema_name']))}.${quote(String(row['name']))}`)
    .join(', ')
  const byTable = Map.groupBy(columns, (row) => String(row['table_id']))
  const tables = found.map((row) => tableOf(row, byTable.get(String(row['id'])) ?? [], deferred !== ''))
  const isOurs = ({ name }: CatalogTable): boolean => isInternalTable(name.replace(/^.*\./, ''))
  return {
    tables: tables.filter((table) => !isOurs(table)),
    bookkeeping: tables.filter((table) => isOurs(table)),
    deferred,
  }
}

function tableOf(found: CatalogRow, columns: readonly CatalogRow[], someAreDeferred: boolean): CatalogTable {
  const is = (name: string): boolean => Number(found[name]) === 1
  const schema = String(found['schema_name'])
  const table = String(found['table_name'])
  const isVisible = is('is_visible')
  return {
    name: isVisible ? table : `${schema}.${table}`,
    quoted: isVisible ? quote(table) : `${quote(schema)}.${quote(table)}`,
    id: String(found['id']),
    changedBy: String(found['changed_by']),
    isVisible,
    columns: columns.map(columnOf),
    primaryKey: columns
      .filter((row) => row['key_rank'] !== null)
      .toSorted((a, b) => Number(a['key_rank']) - Number(b['key_rank']))
      .map((row) => String(row['name'])),
    isPlain: !is('is_special'),
    cascades: is('cascades'),
    isDeferred: someAreDeferred && is('may_meet_deferred'),
    hasOtherKeys: is('has_other_keys'),
    standsAlone: is('stands_alone'),
  }
}

const comparisons = ['integer', 'text', 'padded', 'uuid', 'instant'] as const

function columnOf(row: CatalogRow): CatalogColumn {
  const is = (name: string): boolean => Number(row[name]) === 1
  const sequence = row['sequence']
  const refersTo = row['refers_to']
  const delimiter = row['array_delimiter']
  return {
    name: String(row['name']),
    type: String(row['type']),
    baseType: String(row['base_type']),
    array: typeof delimiter === 'string' ? { delimiter, holdsJson: is('holds_json') } : undefined,
    isJson: is('is_json'),
    isElement: is('is_element'),
    isComputed: is('is_computed'),
    hasDefault: is('has_default'),
    comparesAs: comparisons.find((one) => one === row['compares_as']),
    sequence: typeof sequence === 'string' ? sequence : undefined,
    isGenerated: is('is_generated'),
    references:
      typeof refersTo === 'string' ? { table: refersTo, column: String(row['refers_to_column']) } : undefined,
    isAlwaysGenerated: is('is_always_generated'),
    changedBy: String(row['changed_by']),
  }
}

export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/**
 * Long texts are compressed as they are written. With LZ4, which not every server was built with, a transaction full of
 * effects takes about half the time.
 */
async function compressFast(session: SqlSession): Promise<void> {
  const { rows } = await session.run(
    "SELECT 1 FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)",
  )
  if (rows.length > 0)
    await session.run('ALTER TABLE tidemark_segments ALTER COLUMN content SET COMPRESSION lz4')
}

/** Any number that nobody else locks by: "tidemark" in ASCII, as far as it goes. */
const makingTables = '8388350783863419'

/** How the bookkeeping is made and locked, whatever driver is used. */
export const postgresBookkeeping: Pick<
  SharedDialect,
  'tables' | 'hasTable' | 'whileMakingTables' | 'lockEpochAtOnce' | 'returning' | 'idsOf' | 'codes'
> = {
  codes: { denied: '42501', syntax: '42601', readOnly: '25006' },
  tables: [
    `CREATE TABLE IF NOT EXISTS tidemark_database (
       id text PRIMARY KEY, secret text NOT NULL, format integer NOT NULL, last_epoch bigint NOT NULL,
       forgotten_epoch bigint NOT NULL)`,
    // Its rows change with every commit: with room beside them, the new one stands on the same page.
    `CREATE TABLE IF NOT EXISTS tidemark_writers (
       epoch bigint PRIMARY KEY, writer text NOT NULL, watermark bigint NOT NULL, closed integer NOT NULL,
       lease_ms bigint NOT NULL, opened_at bigint NOT NULL, holder integer NOT NULL DEFAULT 0)
       WITH (fillfactor = 20)`,
    `CREATE TABLE IF NOT EXISTS tidemark_dead_letters (
       id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, writer text NOT NULL, epoch bigint NOT NULL,
       seq bigint NOT NULL, table_name text, code text NOT NULL, message text NOT NULL, content text NOT NULL,
       attempts integer NOT NULL, rejected_at bigint NOT NULL)`,
    `CREATE INDEX IF NOT EXISTS tidemark_dead_letters_by_position
       ON tidemark_dead_letters (writer, epoch, seq)`,
    `CREATE TABLE IF NOT EXISTS tidemark_checkpoints (
       source text PRIMARY KEY, value text NOT NULL, updated_at bigint NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS tidemark_segments (
       id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, epoch bigint NOT NULL,
       first_seq bigint NOT NULL, last_seq bigint NOT NULL, last_n integer NOT NULL, items integer NOT NULL,
       committed_at bigint NOT NULL, durable integer NOT NULL DEFAULT 0, content text NOT NULL)`,
    `CREATE INDEX IF NOT EXISTS tidemark_segments_by_kind ON tidemark_segments (kind, id)`,
    `CREATE TABLE IF NOT EXISTS tidemark_kinds (
       kind text PRIMARY KEY, lanes integer NOT NULL, paused integer NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS tidemark_lanes (
       kind text NOT NULL, lane integer NOT NULL, owner bigint NOT NULL, token bigint NOT NULL, beat bigint NOT NULL,
       lease_ms bigint NOT NULL, progress text NOT NULL, wanted_by bigint NOT NULL,
       PRIMARY KEY (kind, lane)) WITH (fillfactor = 20)`,
    `CREATE TABLE IF NOT EXISTS tidemark_effects (
       epoch bigint NOT NULL, seq bigint NOT NULL, n integer NOT NULL, kind text NOT NULL, lane integer NOT NULL,
       effect_key text, payload text NOT NULL, version bigint NOT NULL, state text NOT NULL, attempts integer NOT NULL,
       due_at bigint NOT NULL, committed_at bigint NOT NULL, failed_at bigint, error text,
       PRIMARY KEY (epoch, seq, n))`,
    `CREATE INDEX IF NOT EXISTS tidemark_effects_by_due ON tidemark_effects (kind, lane, state, due_at, version)`,
    `CREATE INDEX IF NOT EXISTS tidemark_effects_by_key ON tidemark_effects (kind, effect_key, version)
       WHERE effect_key IS NOT NULL`,
    `CREATE TABLE IF NOT EXISTS tidemark_results (
       epoch bigint NOT NULL, seq bigint NOT NULL, n integer NOT NULL, kind text NOT NULL, result text NOT NULL,
       delivered_at bigint NOT NULL, PRIMARY KEY (epoch, seq, n))`,
    `CREATE INDEX IF NOT EXISTS tidemark_results_by_age ON tidemark_results (kind, delivered_at)`,
    `CREATE TABLE IF NOT EXISTS tidemark_scopes (
       table_name text NOT NULL, row_key text NOT NULL, epoch bigint NOT NULL, PRIMARY KEY (table_name, row_key))`,
    `CREATE TABLE IF NOT EXISTS tidemark_saved (epoch bigint PRIMARY KEY, up_to bigint NOT NULL)`,
  ],
  hasTable: async (session, name) =>
    (await session.own('SELECT 1 WHERE to_regclass(?) IS NOT NULL', [name])).rows.length > 0,
  // CREATE TABLE IF NOT EXISTS fails when two do it at once.
  whileMakingTables: (pinned, work) =>
    pinned.transact(async (session) => {
      await session.run(`SELECT pg_advisory_xact_lock(${makingTables})`)
      await work(session)
      await compressFast(session)
    }),
  lockEpochAtOnce: (pinned, epoch, locked) =>
    pinned.transact(async (session) => {
      const { rows } = await session.own(
        'SELECT 1 FROM tidemark_writers WHERE epoch = ? FOR UPDATE SKIP LOCKED',
        [epoch],
      )
      if (rows.length > 0) await locked(session)
      return rows.length > 0
    }),
  returning: (id) => ` RETURNING ${quote(id)}`,
  idsOf({ rows }, id, expected) {
    return rows.length === expected ? rows.map((row) => BigInt(row[id] as string | number | bigint)) : []
  },
}
