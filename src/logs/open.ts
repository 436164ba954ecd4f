import type { Store } from '../contracts/store.ts'
import { systemRuntime } from '../runtime/system.ts'
import { open } from '../tidemark.ts'
import { LogStore } from './log-store.ts'
import { parseLogsOptions, type LogsOptions } from './options.ts'
import { INDEX_SLICE, indexSql, logTable, prepareTable } from './table.ts'

/**
 * Opens a log store on an SQLite store. What is missing is made: the table `logs`, its index by time, its full-text
 * index. A table that is there already, as `tidemark ingest` makes it, gets its indexes; the one by time while this
 * waits, the full-text one slice by slice afterwards (`status()` and every search tell what is still to do).
 *
 * @throws TidemarkError `INVALID_OPTIONS`; `UNKNOWN_COLUMN` when the table cannot hold logs; `NOT_SUPPORTED` for a store
 *   that is not SQLite; as `open`
 */
export async function openLogs(store: Store, options?: LogsOptions): Promise<LogStore> {
  const settings = parseLogsOptions(options)
  const table = logTable(settings.table)
  // As many as one batch can bring, so that its own rows are always indexed with it.
  const limit = Math.max(INDEX_SLICE, settings.engine.batch?.maxOperations ?? 0)
  const derive = { ...settings.engine.derive, [table.plainName]: indexSql(table, limit) }
  const db = await open(store, { ...settings.engine, derive })
  try {
    await prepareTable(db, table)
    await db.reloadSchema()
    return new LogStore(db, table, systemRuntime, settings)
  } catch (error) {
    await db.close().catch(() => undefined)
    throw error
  }
}
