/**
 * The tables that carry the laws, as SurrealDB has them; and what must be known of every table to find its records.
 *
 * A record is found by its id alone at once, so each row's key is its record's id: the value of one column, or a list of
 * several. Counters stand in `tidemark_ids`: sequences of SurrealDB take a write for each number (1.6 ms measured).
 */
import { quoted } from '../../sql/text.ts'

const ownKeys: Readonly<Record<string, readonly string[]>> = {
  tidemark_writers: ['epoch'],
  tidemark_dead_letters: ['id'],
  tidemark_checkpoints: ['source'],
  tidemark_segments: ['id'],
  tidemark_kinds: ['kind'],
  tidemark_lanes: ['kind', 'lane'],
  tidemark_effects: ['epoch', 'seq', 'n'],
  tidemark_results: ['epoch', 'seq', 'n'],
  tidemark_scopes: ['table_name', 'row_key'],
  tidemark_saved: ['epoch'],
}

export function isInternal(table: string): boolean {
  return /^tidemark_/i.test(table)
}

export function keyOfOwn(table: string): readonly string[] | undefined {
  return ownKeys[table]
}

const indexes = [
  { table: 'tidemark_dead_letters', by: 'position', fields: 'epoch, seq' },
  { table: 'tidemark_segments', by: 'kind', fields: 'kind' },
  { table: 'tidemark_effects', by: 'due', fields: 'kind, lane, state, due_at, version' },
  { table: 'tidemark_effects', by: 'key', fields: 'kind, effect_key, version' },
  { table: 'tidemark_results', by: 'age', fields: 'kind, delivered_at' },
]

/** For whoever inserts rows by other ways, into a table whose ids are whole numbers: `{ id: fn::tidemark_id("songs"), … }`. */
const nextId = `DEFINE FUNCTION IF NOT EXISTS fn::tidemark_id($table: string) {
  LET $top = (SELECT VALUE id FROM type::table($table) ORDER BY id DESC LIMIT 1)[0];
  LET $highest = IF $top = NONE { 0 } ELSE IF type::is_int(record::id($top)) { record::id($top) } ELSE { 0 };
  LET $given = type::record("tidemark_ids", $table).given ?? 0;
  RETURN (UPSERT ONLY type::record("tidemark_ids", $table) SET given = math::max([$given, $highest]) + 1).given
}`

/** Statements that make what is missing of them, and change nothing that is there. */
export const makeOwnTables: readonly string[] = [
  ...['tidemark_database', 'tidemark_ids', ...Object.keys(ownKeys)].map(
    (table) => `DEFINE TABLE IF NOT EXISTS ${table} SCHEMALESS`,
  ),
  nextId,
  ...indexes.map(
    ({ table, by, fields }) => `DEFINE INDEX IF NOT EXISTS ${table}_by_${by} ON ${table} FIELDS ${fields}`,
  ),
]

/**
 * An embedded engine of SurrealDB 3.0 in which an index was made, and not taken away, holds its path and its process for
 * good, also when it was closed: https://github.com/surrealdb/surrealdb.js/issues/673
 */
export const takeIndexesAway: readonly string[] = indexes.map(
  ({ table, by }) => `REMOVE INDEX IF EXISTS ${table}_by_${by} ON ${table}`,
)

export function name(text: string): string {
  return quoted(text, 'surrealql')
}
