import { DatabaseSync, constants } from 'node:sqlite'
import type { SqliteSettings } from './options.ts'

/** Opens the write connection. Only one is ever open for an engine; it lives on the writer's thread. */
export function openWriter(path: string, settings: SqliteSettings): DatabaseSync {
  // Waiting is SQLite's own job from the first statement on: switching to WAL already takes a lock.
  const database = new DatabaseSync(path, {
    timeout: settings.busyTimeoutMs,
    enableForeignKeyConstraints: true,
  })
  database.exec(`PRAGMA journal_mode = ${settings.journalMode}`)
  database.exec(`PRAGMA synchronous = ${synchronous(settings)}`)
  database.exec(
    `PRAGMA wal_autocheckpoint = ${checkpointsApart(settings) ? backstopFactor * settings.walAutocheckpoint : settings.walAutocheckpoint}`,
  )
  database.exec(`PRAGMA journal_size_limit = ${settings.journalSizeLimitBytes}`)
  database.exec(`PRAGMA cache_size = ${-Math.ceil(settings.cacheBytes / 1024)}`)
  database.exec(`PRAGMA max_page_count = ${settings.maxPageCount}`)
  return database
}

/** Opens the connection that copies the log back beside the writes. */
export function openCheckpointer(path: string, settings: SqliteSettings): DatabaseSync {
  // It waits for nobody: what it cannot copy now it copies the next time.
  const database = new DatabaseSync(path, { timeout: 0 })
  database.exec(`PRAGMA synchronous = ${synchronous(settings)}`)
  database.exec('PRAGMA wal_autocheckpoint = 0')
  return database
}

/** How far the checkpointer may fall behind before the writer does its work: bounds the log at about 16 MB. */
const backstopFactor = 4

/**
 * Whether a thread of its own copies the log back. Older versions of SQLite could corrupt a database when one
 * connection restarts the log while another checkpoints: https://www.sqlite.org/wal.html#walresetbug
 */
export function checkpointsApart(
  { journalMode, walAutocheckpoint }: SqliteSettings,
  version: string = process.versions['sqlite'] ?? '0',
): boolean {
  return journalMode === 'wal' && walAutocheckpoint > 0 && isAtLeast(version, [3, 51, 3])
}

/** Whether a version, `24.21.0`, is this one or newer. */
export function isAtLeast(version: string, least: readonly number[]): boolean {
  const parts = version.split('.').map(Number)
  for (const [index, wanted] of least.entries()) {
    const part = parts[index] ?? 0
    if (part !== wanted) return part > wanted
  }
  return true
}

/** Opens a connection that can only read. */
export function openReader(path: string, settings: SqliteSettings): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: settings.busyTimeoutMs, readOnly: true })
  database.exec('PRAGMA query_only = ON')
  database.exec(`PRAGMA cache_size = ${-Math.ceil(settings.cacheBytes / 4 / 1024)}`)
  return database
}

export function synchronous(settings: SqliteSettings): 'FULL' | 'NORMAL' {
  return settings.durability === 'power' ? 'FULL' : 'NORMAL'
}

const refusedActions = new Set([
  constants.SQLITE_TRANSACTION,
  constants.SQLITE_SAVEPOINT,
  constants.SQLITE_PRAGMA,
  constants.SQLITE_ATTACH,
  constants.SQLITE_DETACH,
])
/** Reading them tells the size of the database, and changes nothing. */
const readablePragmas = new Set(['page_count', 'freelist_count', 'page_size'])
const writingActions = new Set([
  constants.SQLITE_INSERT,
  constants.SQLITE_UPDATE,
  constants.SQLITE_DELETE,
  constants.SQLITE_DROP_TABLE,
  constants.SQLITE_ALTER_TABLE,
])

/**
 * Runs `prepare` while SQL of the user's own may neither end the batch's transaction, change the connection,
 * nor touch the bookkeeping. On Node without `setAuthorizer` (before 24.10) only the check at the call stands.
 */
export function guarded<T>(database: DatabaseSync, prepare: () => T): T {
  if (typeof database.setAuthorizer !== 'function') return prepare()
  database.setAuthorizer((action, subject, object) => {
    const table = action === constants.SQLITE_ALTER_TABLE ? object : subject
    const isSize = action === constants.SQLITE_PRAGMA && object === null && readablePragmas.has(subject ?? '')
    const isRefused =
      (refusedActions.has(action) && !isSize) ||
      (writingActions.has(action) && table?.toLowerCase().startsWith('tidemark_') === true)
    return isRefused ? constants.SQLITE_DENY : constants.SQLITE_OK
  })
  try {
    return prepare()
  } finally {
    database.setAuthorizer(null)
  }
}
