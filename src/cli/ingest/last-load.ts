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

/** The name that the checkpoints of a load are kept under. Source keys hold no space, so it can be taken apart. */
export function loadName(sourceKey: string, table: string): string {
  return `${sourceKey} ${table}`
}

/** The last load of a source into this table; without a table, the last one of all. */
export async function findLastLoad(
  db: Tidemark<Record<string, Record<string, unknown>>>,
  sourceKey: string,
  table: string | undefined,
): Promise<LastLoad | undefined> {
  const all = loadName(sourceKey, '')
  const loads = db.read().selectFrom('tidemark_checkpoints').select(['source', 'value'])
  const found = await (
    table === undefined
      ? loads.where('source', '>=', all).where('source', '<', `${sourceKey}!`) // '!' follows the space
      : loads.where('source', '=', loadName(sourceKey, table))
  )
    .orderBy('updated_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!found) return undefined
  const checkpoint = parseCheckpoint(JSON.parse(String(found['value'])))
  return checkpoint && { table: String(found['source']).slice(all.length), checkpoint }
}
