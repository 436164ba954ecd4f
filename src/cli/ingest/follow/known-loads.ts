/** What the database knows of files that were read: how far, and under which path. */
import { existsSync } from 'node:fs'
import { ask } from '../../../writes/bookkeeping.ts'
import type { Database } from '../../database.ts'
import { hasTable, lookInto } from '../../look-into.ts'
import { parseCheckpoint } from '../checkpoint.ts'
import { loadName, sourceName, type LastLoad } from '../last-load.ts'

export interface KnownLoad extends LastLoad {
  /** When it was committed. */
  readonly committedMs: number
}

/** Whose files are asked for. */
export interface KnownBy {
  readonly database: Database
  /** Only those that went to it. */
  readonly table: string | undefined
  /** See `sourceName`. */
  readonly machine: string | undefined
}

/** The last load of each file, newest first. */
export async function knownLoads({ database, table, machine }: KnownBy): Promise<KnownLoad[]> {
  if (database.kind === 'sqlite' && !existsSync(database.path)) return []
  const rows = await lookInto(database, async (source) =>
    (await hasTable(source, 'tidemark_checkpoints'))
      ? await ask(
          source,
          'SELECT source, value, updated_at FROM tidemark_checkpoints ORDER BY updated_at DESC',
          [],
        )
      : [],
  )
  const newest = new Map<string, KnownLoad>()
  for (const row of rows) {
    const load = toLoad(row, machine)
    if (load === undefined || newest.has(load.checkpoint.key)) continue
    if (table !== undefined && load.table.toLowerCase() !== table.toLowerCase()) continue
    newest.set(load.checkpoint.key, load)
  }
  return [...newest.values()]
}

/** Programs may keep checkpoints of their own in the same table, and other machines those of their files. */
function toLoad(row: Record<string, unknown>, machine: string | undefined): KnownLoad | undefined {
  const [source, text] = [String(row['source']), String(row['value'])]
  const checkpoint = parseCheckpoint(JSON.parse(text))
  if (checkpoint === undefined) return undefined
  const name = loadName(sourceName(machine, checkpoint.key), '')
  if (!source.startsWith(name)) return undefined
  return { table: source.slice(name.length), checkpoint, committedMs: Number(row['updated_at']) }
}
