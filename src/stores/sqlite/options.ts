import { TidemarkError } from '../../errors.ts'

/** How the SQLite store sets its connections. Every pragma it relies on is set, none is left to chance. */
export interface SqliteOptions {
  /**
   * What an acknowledged write survives. `process` (default; `synchronous = NORMAL`): a crash of the process;
   * after a power loss the newest commits may be gone, which the next open cannot see. `power`
   * (`synchronous = FULL`): also a power loss, at the price of one disk sync a commit. `db.flush({ durable: true })`
   * gives the second for everything before it. See https://www.sqlite.org/pragma.html#pragma_synchronous
   */
  readonly durability?: 'process' | 'power'
  /** `wal` (default) lets readers go on while a batch commits. `delete` is the old rollback journal. */
  readonly journalMode?: 'wal' | 'delete'
  /** How long SQLite itself waits for a lock before the engine backs off and tries again, in ms. Default 5,000. */
  readonly busyTimeoutMs?: number
  /**
   * Pages in the write-ahead log after which they are copied back into the database, on a thread of its own
   * beside the writes. Default 1,000. When that falls behind by four times as much, or before SQLite 3.51.3,
   * the writer's thread does it itself, as SQLite's `wal_autocheckpoint` has it. 0: never.
   */
  readonly walAutocheckpoint?: number
  /** The log file is cut to this size after a checkpoint, in bytes. Default 64 MiB. */
  readonly journalSizeLimitBytes?: number
  /** Page cache of the write connection, in bytes; readers have a quarter. Default 64 MiB. */
  readonly cacheBytes?: number
  /** The largest the database may grow, in pages. Default: SQLite's own limit. */
  readonly maxPageCount?: number
  /** Read-only connections, each on a thread of its own, started when first needed. Default 2. */
  readonly readers?: number
}

export type SqliteSettings = Required<SqliteOptions>

export const SQLITE_DEFAULTS: SqliteSettings = Object.freeze({
  durability: 'process',
  journalMode: 'wal',
  busyTimeoutMs: 5_000,
  walAutocheckpoint: 1_000,
  journalSizeLimitBytes: 64 * 2 ** 20,
  cacheBytes: 64 * 2 ** 20,
  maxPageCount: 0xfffffffe,
  readers: 2,
})

const choices: Partial<Record<keyof SqliteSettings, readonly unknown[]>> = {
  durability: ['process', 'power'],
  journalMode: ['wal', 'delete'],
}

/** @throws TidemarkError `INVALID_OPTIONS`, naming every problem */
export function parseSqliteOptions(given: SqliteOptions = {}): SqliteSettings {
  const problems: string[] = []
  for (const [name, value] of Object.entries(given)) {
    const choice = choices[name as keyof SqliteSettings]
    if (!(name in SQLITE_DEFAULTS))
      problems.push(`${name} is not an option (options: ${Object.keys(SQLITE_DEFAULTS).join(', ')})`)
    else if (choice && !choice.includes(value))
      problems.push(`${name} must be one of ${choice.join(', ')}, not ${String(value)}`)
    else if (!choice && (!Number.isSafeInteger(value) || (value as number) < 0))
      problems.push(`${name} must be a whole number, not ${String(value)}`)
  }
  if (given.readers === 0) problems.push('readers must be at least 1')
  if (problems.length > 0)
    throw new TidemarkError('INVALID_OPTIONS', `invalid options: ${problems.join('; ')}.`)
  return { ...SQLITE_DEFAULTS, ...given }
}
