/** What the database knows of files that were read: how far, and under which path. */
import { existsSync } from 'node:fs'
import { openReadonly } from '../../readonly-database.ts'
import { parseCheckpoint } from '../checkpoint.ts'
import { loadName, type LastLoad } from '../last-load.ts'

export interface KnownLoad extends LastLoad {
  /** When it was committed. */
  readonly committedMs: number
}

/** The last load of each file, newest first; with a table, only those that went to it. */
export function knownLoads(database: string, table: string | undefined): KnownLoad[] {
  if (!existsSync(database)) return []
  const opened = openReadonly(database)
  try {
    const hasAny =
      opened.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'tidemark_checkpoints'").get() !== undefined
    if (!hasAny) return []
    const rows = opened
      .prepare('SELECT source, value, updated_at FROM tidemark_checkpoints ORDER BY updated_at DESC')
      .all()
    const newest = new Map<string, KnownLoad>()
    for (const row of rows) {
      const load = toLoad(row)
      if (load === undefined || newest.has(load.checkpoint.key)) continue
      if (table !== undefined && load.table.toLowerCase() !== table.toLowerCase()) continue
      newest.set(load.checkpoint.key, load)
    }
    return [...newest.values()]
  } finally {
    opened.close()
  }
}

/** Programs may keep checkpoints of their own in the same table. */
function toLoad(row: Record<string, unknown>): KnownLoad | undefined {
  const [source, text] = [String(row['source']), String(row['value'])]
  const checkpoint = parseCheckpoint(JSON.parse(text))
  if (checkpoint === undefined || !source.startsWith(loadName(checkpoint.key, ''))) return undefined
  const table = source.slice(loadName(checkpoint.key, '').length)
  return { table, checkpoint, committedMs: Number(row['updated_at']) }
}
