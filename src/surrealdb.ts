/** `tidemark/surrealdb`: the store on SurrealDB, and the way to it for code that has a client already. */
import { RecordId, type Surreal, type Table } from 'surrealdb'
import type { ReadReport } from './reads/reader.ts'
import type { Consistency, ReadOptions } from './reads/read-options.ts'
import { InvalidOperationError } from './errors.ts'
import { parameterOf, placedPieces } from './sql/text.ts'
import { surrealdb, type SurrealOptions } from './stores/surrealdb/index.ts'
import { open, type Tidemark } from './tidemark.ts'
import type { OpenOptions } from './writes/options.ts'
import type { Receipt } from './writes/receipt.ts'

export { SURREAL_DEFAULTS, surrealdb, type SurrealOptions } from './stores/surrealdb/index.ts'

type Fields = Readonly<Record<string, unknown>>
type Rows = Record<string, unknown>[]
type AnyTables = Record<string, Record<string, unknown>>

/** The client as it was, and beside its own calls those that are batched and those that say how fresh they must be. */
export interface BatchAwareSurreal {
  /** Every call of the client's own does what it did. What it writes goes past the line. */
  readonly client: Surreal
  readonly batched: BatchedWrites
  /** Reads with the engine's default level: `eventual`, unless `reads.consistency` says otherwise. */
  readonly read: (level?: Consistency | ReadOptions) => LeveledReads
  /** The engine behind it, for everything else: sessions, effects, live scopes, dead letters. */
  readonly tidemark: Tidemark<AnyTables>
  /** Commits what was accepted and closes the engine; the client stays open. */
  close(): Promise<void>
}

/** Writes that return at once and are committed in groups, in the order of their calls. `await` one to know it committed. */
export interface BatchedWrites {
  /** A record that must not be there yet. In a table without a key, SurrealDB makes one up. */
  create(what: RecordId | Table | string, fields: Fields): Receipt
  /** Several such, together or not at all. Give each an `id` to know it. */
  insert(table: Table | string, rows: readonly Fields[]): Receipt
  /** Makes the record, or changes the fields given and no others. */
  upsert(record: RecordId, fields: Fields): Receipt
  /** Changes the fields given of a record, if there is one. */
  merge(record: RecordId, fields: Fields): Receipt
  delete(record: RecordId): Receipt
}

/** Reads that see what their level says, and tell what they saw. In their rows `id` is the key, without the table's name. */
export interface LeveledReads {
  /** One record, or none; `pending` tells what is under way for it, by the engine and by processors. */
  select(record: RecordId): Promise<ReadReport<Record<string, unknown>>>
  /** SurrealQL that reads, one statement, with the names of its bindings. */
  query(text: string, bindings?: Fields): Promise<ReadReport<Record<string, unknown>>>
}

/**
 * Opens an engine on a client that is connected and uses a namespace and a database. Code that has the client goes on
 * as it is; one call after another can be given its batched form, or a level.
 *
 * @throws TidemarkError `INVALID_OPTIONS`; as `open`
 */
export async function batchAware(
  client: Surreal,
  options: OpenOptions & Pick<SurrealOptions, 'numbered'> = {},
): Promise<BatchAwareSurreal> {
  const { numbered, ...rest } = options
  const store = surrealdb(client, numbered === undefined ? {} : { numbered })
  const tidemark = await open<AnyTables>(store, rest)
  return {
    client,
    tidemark,
    batched: batchedOn(tidemark),
    read: (level) => readsOn(tidemark, level),
    close: () => tidemark.close(),
  }
}

function batchedOn(tidemark: Tidemark<AnyTables>): BatchedWrites {
  return {
    create: (what, fields) =>
      what instanceof RecordId
        ? tidemark.insert(tableOf(what), { ...fields, id: what.id })
        : tidemark.insert(String(what), fields),
    insert: (table, rows) => tidemark.insertMany(String(table), rows as Rows),
    upsert: (record, fields) => tidemark.upsert(tableOf(record), { ...fields, id: record.id }),
    merge: (record, fields) => tidemark.update(tableOf(record), { id: record.id }, fields),
    delete: (record) => tidemark.delete(tableOf(record), { id: record.id }),
  }
}

function readsOn(tidemark: Tidemark<AnyTables>, level?: Consistency | ReadOptions): LeveledReads {
  const options: ReadOptions = typeof level === 'string' ? { consistency: level } : (level ?? {})
  return {
    select: (record) => {
      const table = tableOf(record)
      const query = { sql: 'SELECT * FROM type::record($p1, $p2)', parameters: [table, record.id] }
      return tidemark.query(query, { ...options, keys: [[table, { id: record.id }]] })
    },
    query: (text, bindings = {}) => tidemark.query(positional(text, bindings), options),
  }
}

function tableOf(record: RecordId): string {
  if (record instanceof RecordId) return String(record.table)
  throw new InvalidOperationError('INVALID_CALL', 'a record is named by a RecordId of the client.')
}

/** The engine numbers parameters: `$name` becomes `$p1`. A name that is not bound is SurrealQL's own, such as `$parent`. */
function positional(text: string, bindings: Fields): { sql: string; parameters: unknown[] } {
  const names: string[] = []
  let sql = ''
  let from = 0
  for (const { piece, at } of placedPieces(text, 'surrealql')) {
    const name = piece.slice(1)
    if (!piece.startsWith('$') || !Object.hasOwn(bindings, name)) continue
    if (!names.includes(name)) names.push(name)
    sql += text.slice(from, at) + parameterOf(names.indexOf(name) + 1, 'surrealql')
    from = at + piece.length
  }
  return { sql: sql + text.slice(from), parameters: names.map((name) => bindings[name]) }
}
