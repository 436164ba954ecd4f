/**
 * How far a source was loaded the last time, and into which table. A source that goes to two tables is two loads,
 * each with its own checkpoint, named by both.
 */
import type { Tidemark } from '../../tidemark.ts'
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts'

export interface LastLoad {
  readonly table: string
  readonly checkpoint: Checkpoint
}

/**
 * What a source is called in the database: a file's number is its own on one machine only, and to a server come the
 * files of many. It holds no space.
 */
export function sourceName(machine: string | undefined, sourceKey: string): string {
  return machine === undefined ? sourceKey : `${machine}:${sourceKey}`
}

/** The name that the checkpoints of a load are kept under. Names of sources hold no space, so it can be taken apart. */
export function loadName(source: string, table: string): string {
  return `${source} ${table}`
}

/** The last load of a source into this table; without a table, the last one of all. */
export async function findLastLoad(
  db: Tidemark<Record<string, Record<string, unknown>>>,
  source: string,
  table: string | undefined,
): Promise<LastLoad | undefined> {
  const all = loadName(source, '')
  const loads = db.read().selectFrom('tidemark_checkpoints').select(['source', 'value'])
  const found = await (
    table === undefined
      ? // Not by its place in an order: some collations pass over spaces.
        loads.where((of) => of.fn('substr', ['source', of.val(1), of.val(all.length)]), '=', all)
      : loads.where('source', '=', loadName(source, table))
  )
    .orderBy('updated_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!found) return undefined
  const checkpoint = parseCheckpoint(JSON.parse(String(found['value'])))
  return checkpoint && { table: String(found['source']).slice(all.length), checkpoint }
}
