import type { Store } from '../contracts/store.ts'
import { systemRuntime } from '../runtime/system.ts'
import { open } from '../tidemark.ts'
import { LogStore } from './log-store.ts'
import { parseLogsOptions, type LogsOptions } from './options.ts'
import { INDEX_SLICE, indexSql, logTable, prepareTable } from './table.ts'

/**
 * `derive` for an engine that writes to a log table past the log store: the full-text index is written with its rows.
 *
 * @param maxOperations as many as one batch can bring, so that its own rows are always indexed with it
 */
export function deriveFor(table: string, maxOperations = 0): Readonly<Record<string, string>> {
  return { [table]: indexSql(logTable(table), Math.max(INDEX_SLICE, maxOperations)) }
}

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
  const derive = {
    ...settings.engine.derive,
    ...deriveFor(settings.table, settings.engine.batch?.maxOperations),
  }
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
