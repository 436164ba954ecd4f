/** The user's own tables: what will stop a write, lose it, or make it slow. */
import { counted, fail, ok, warn, type Finding } from '../finding.ts'
import type { Check, Row } from './examine.ts'

const users = `n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
  AND n.nspname NOT LIKE 'pg\\_temp%'`

export const tableChecks: readonly Check[] = [
  {
    name: 'indexes',
    find: async (ask) =>
      judgeIndexes(
        await ask(
          `SELECT i.indexrelid::regclass::text AS name, i.indisunique AS is_unique FROM pg_index i
             JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE NOT i.indisvalid AND c.relkind = 'i' AND ${users} ORDER BY 1`,
        ),
      ),
  },
  {
    name: 'sequences',
    find: async (ask) =>
      judgeSequences(
        await ask(
          `SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename) AS name, cycle AS cycles,
             (coalesce(last_value, start_value)::float8 / max_value)::float8 AS share,
             -- A column of 32 bits ends before a sequence of 64.
             (SELECT coalesce(last_value, start_value)::float8 / CASE a.atttypid WHEN 'int2'::regtype THEN 32767 ELSE 2147483647 END
              FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
              WHERE d.objid = (quote_ident(schemaname) || '.' || quote_ident(sequencename))::regclass
                AND d.deptype IN ('a', 'i') AND a.atttypid IN ('int2'::regtype, 'int4'::regtype) LIMIT 1) AS share_of_column
           FROM pg_sequences WHERE increment_by > 0 ORDER BY 1`,
        ),
      ),
  },
  {
    name: 'primary keys',
    find: async (ask) =>
      judgeKeys(
        await ask(
          `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND ${users}
             AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) ORDER BY 1`,
        ),
      ),
  },
  {
    name: 'unlogged tables',
    find: async (ask) =>
      judgeUnlogged(
        await ask(
          `SELECT c.oid::regclass::text AS name, coalesce(s.n_tup_ins + s.n_tup_upd, 0)::float8 AS written
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
           WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND ${users} ORDER BY 1`,
        ),
      ),
  },
]

export function judgeIndexes(rows: readonly Row[]): Finding {
  const name = 'indexes'
  if (rows.length === 0) return ok(name, 'all are valid')
  return warn(
    name,
    `${named(rows)} cannot be used: making ${rows.length === 1 ? 'it' : 'them'} failed; each write pays for it all the same`,
    'Make it again: REINDEX INDEX CONCURRENTLY NAME, or drop it. An upsert needs a valid unique index.',
  )
}

const nearEnd = 0.75

export function judgeSequences(rows: readonly Row[]): Finding {
  const name = 'sequences'
  const shares = rows
    .filter(({ cycles }) => cycles !== true)
    .map((row) => ({
      name: String(row['name']),
      share: Math.max(Number(row['share']), Number(row['share_of_column'] ?? 0)),
    }))
  const ending = shares.filter(({ share }) => share >= nearEnd)
  if (ending.length === 0) return ok(name, `${counted(rows.length, 'sequence')}, none near its end`)
  const listed = ending.map(({ name: each, share }) => `${each} (${Math.floor(share * 100)}%)`).join(', ')
  const advice =
    'At the end every insert is refused. Make column and sequence 64 bits wide: ALTER TABLE T ALTER COLUMN id TYPE bigint, ALTER SEQUENCE S AS bigint'
  return ending.some(({ share }) => share >= 0.95)
    ? fail(name, `close to the end: ${listed}`, advice)
    : warn(name, `close to the end: ${listed}`, advice)
}

export function judgeKeys(rows: readonly Row[]): Finding {
  const name = 'primary keys'
  if (rows.length === 0) return ok(name, 'every table has one')
  return warn(
    name,
    `${named(rows)} ${rows.length === 1 ? 'has' : 'have'} none`,
    'Inserts work. `upsert`, `update`, `delete` and `get` find a row by its primary key: ALTER TABLE T ADD PRIMARY KEY (…)',
  )
}

export function judgeUnlogged(rows: readonly Row[]): Finding {
  const name = 'unlogged tables'
  const written = rows.filter((row) => Number(row['written']) > 0)
  if (written.length === 0)
    return ok(name, rows.length === 0 ? 'none' : `${counted(rows.length, 'table')}, none written to`)
  return warn(
    name,
    `${named(written)} ${written.length === 1 ? 'is' : 'are'} written to, and emptied by a crash of the server`,
    'What is acknowledged there is lost then, and no standby has it: ALTER TABLE T SET LOGGED',
  )
}

function named(rows: readonly Row[]): string {
  const names = rows.slice(0, 5).map((row) => String(row['name']))
  return rows.length > names.length
    ? `${names.join(', ')} and ${rows.length - names.length} more`
    : names.join(', ')
}
