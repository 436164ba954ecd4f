/**
 * The tables that carry the laws: who this database is, one row for each epoch with its tidemark, the dead
 * letters, and the checkpoints of loads. They live in the user's database, so a backup of it is a backup of them.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { DeadLetterId, Rejection } from '../../contracts/operation.ts'
import type { Epoch, Mark, Seq, WriterName } from '../../contracts/position.ts'
import type { DatabaseIdentity, Tidemark, WriterTidemark } from '../../contracts/store.ts'
import { StoreError } from '../../errors.ts'
import { bookkeepingFormat, keptEpochs } from '../../sql/bookkeeping.ts'

const tables = `
  CREATE TABLE IF NOT EXISTS tidemark_database (
    id TEXT PRIMARY KEY, secret TEXT NOT NULL, format INTEGER NOT NULL, last_epoch INTEGER NOT NULL,
    forgotten_epoch INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tidemark_writers (
    epoch INTEGER PRIMARY KEY, writer TEXT NOT NULL, watermark INTEGER NOT NULL, closed INTEGER NOT NULL,
    lease_ms INTEGER NOT NULL, opened_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS tidemark_dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT, writer TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    table_name TEXT, code TEXT NOT NULL, message TEXT NOT NULL, content TEXT NOT NULL,
    attempts INTEGER NOT NULL, rejected_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS tidemark_dead_letters_by_position ON tidemark_dead_letters (writer, epoch, seq);
  CREATE TABLE IF NOT EXISTS tidemark_checkpoints (
    source TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tidemark_segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, epoch INTEGER NOT NULL, first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL, last_n INTEGER NOT NULL, items INTEGER NOT NULL, committed_at INTEGER NOT NULL,
    durable INTEGER NOT NULL DEFAULT 0, content TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS tidemark_segments_by_kind ON tidemark_segments (kind, id);
  CREATE TABLE IF NOT EXISTS tidemark_kinds (
    kind TEXT PRIMARY KEY, lanes INTEGER NOT NULL, paused INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tidemark_lanes (
    kind TEXT NOT NULL, lane INTEGER NOT NULL, owner INTEGER NOT NULL, token INTEGER NOT NULL, beat INTEGER NOT NULL,
    lease_ms INTEGER NOT NULL, progress TEXT NOT NULL, wanted_by INTEGER NOT NULL, PRIMARY KEY (kind, lane)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tidemark_effects (
    epoch INTEGER NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL, lane INTEGER NOT NULL,
    effect_key TEXT, payload TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL, committed_at INTEGER NOT NULL, failed_at INTEGER, error TEXT, PRIMARY KEY (epoch, seq, n)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tidemark_effects_by_due ON tidemark_effects (kind, lane, state, due_at, version);
  CREATE INDEX IF NOT EXISTS tidemark_effects_by_key ON tidemark_effects (kind, effect_key, version)
    WHERE effect_key IS NOT NULL;
  CREATE TABLE IF NOT EXISTS tidemark_results (
    epoch INTEGER NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL, result TEXT NOT NULL,
    delivered_at INTEGER NOT NULL, PRIMARY KEY (epoch, seq, n)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tidemark_results_by_age ON tidemark_results (kind, delivered_at);
  CREATE TABLE IF NOT EXISTS tidemark_scopes (
    table_name TEXT NOT NULL, row_key TEXT NOT NULL, epoch INTEGER NOT NULL, PRIMARY KEY (table_name, row_key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tidemark_saved (epoch INTEGER PRIMARY KEY, up_to INTEGER NOT NULL) STRICT;
`

export interface EpochRequest {
  readonly writer: WriterName
  readonly leaseMs: number
  readonly nowMs: number
  /** For a database that has none yet. */
  readonly newIdentity: DatabaseIdentity
  readonly epochStep: number
}

export interface OpenedEpoch {
  readonly epoch: Epoch
  readonly identity: DatabaseIdentity
}

export function isInternalTable(name: string): boolean {
  return /^(tidemark|sqlite)_/i.test(name)
}

/** Closes the writer's earlier epochs and begins a new one. BEGIN IMMEDIATE waits for a commit in flight. */
export function openEpoch(
  database: DatabaseSync,
  { writer, leaseMs, nowMs, newIdentity, epochStep }: EpochRequest,
): OpenedEpoch {
  database.exec('BEGIN IMMEDIATE')
  try {
    const identity = identify(database, newIdentity)
    database.prepare('UPDATE tidemark_database SET last_epoch = last_epoch + ?').run(epochStep)
    const epoch = lastEpoch(database)
    database.prepare('UPDATE tidemark_writers SET closed = 1 WHERE writer = ? AND closed = 0').run(writer)
    forgetOldest(database)
    database
      .prepare('INSERT INTO tidemark_writers VALUES (?, ?, 0, 0, ?, ?)')
      .run(epoch, writer, Math.ceil(leaseMs), nowMs)
    database.exec('COMMIT')
    return { epoch, identity }
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function identify(database: DatabaseSync, { id, secret }: DatabaseIdentity): DatabaseIdentity {
  if (bookkeepingFormatOf(database) === 'unreleased') throw otherFormat('an earlier, unreleased version')
  database.exec(tables)
  database
    .prepare(
      'INSERT INTO tidemark_database SELECT ?, ?, ?, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM tidemark_database)',
    )
    .run(id, secret, bookkeepingFormat)
  const row = database.prepare('SELECT id, secret, format FROM tidemark_database').get()
  if (row?.['format'] !== bookkeepingFormat)
    throw otherFormat(`another version (format ${String(row?.['format'])})`)
  return { id: String(row['id']), secret: String(row['secret']) }
}

/** The format of the tables that are there, if there are any; before there were formats, `unreleased`. */
export function bookkeepingFormatOf(database: DatabaseSync): number | 'unreleased' | undefined {
  if (!hasTable(database, 'tidemark_database'))
    return hasTable(database, 'tidemark_writers') ? 'unreleased' : undefined
  const format = database.prepare('SELECT format FROM tidemark_database').get()?.['format']
  // Made and not filled: whoever makes it does both in one transaction, so that is nothing of ours yet.
  return format === undefined ? undefined : Number(format)
}

function otherFormat(made: string): StoreError {
  return new StoreError('fatal', `the tidemark_ tables of this database were made by ${made} of Tidemark`, {
    hint: 'Open it with that version, or move its rows to a new file.',
  })
}

function hasTable(database: DatabaseSync, name: string): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined
}

/** Keeps the newest epochs that have ended. */
function forgetOldest(database: DatabaseSync): void {
  const forgotten = database
    .prepare('SELECT epoch FROM tidemark_writers WHERE closed = 1 ORDER BY epoch DESC LIMIT 1 OFFSET ?')
    .get(keptEpochs)?.['epoch']
  if (forgotten === undefined) return
  database.prepare('DELETE FROM tidemark_writers WHERE closed = 1 AND epoch <= ?').run(forgotten)
  database.prepare('UPDATE tidemark_database SET forgotten_epoch = ?').run(forgotten)
}

/** The newest of the ended epochs that are forgotten. */
export function forgottenUpTo(database: DatabaseSync): Epoch {
  const row = database.prepare('SELECT forgotten_epoch FROM tidemark_database').get()
  return Number(row?.['forgotten_epoch'] ?? 0) as Epoch
}

/** The epoch begun last, by any writer. */
function lastEpoch(database: DatabaseSync): Epoch {
  return Number(
    database.prepare('SELECT last_epoch FROM tidemark_database').get()?.['last_epoch'] ?? 0,
  ) as Epoch
}

/** The epoch ends with the tidemark it has: bookmarks beyond it can be told lost. */
export function closeEpoch(database: DatabaseSync, epoch: Epoch): void {
  database.prepare('UPDATE tidemark_writers SET closed = 1 WHERE epoch = ? AND closed = 0').run(epoch)
}

/** Ends the epoch of a writer taken for dead, if it is still as it was seen and the lock is free at once. */
export function endEpoch(
  database: DatabaseSync,
  { epoch, watermark }: WriterTidemark,
  busyTimeoutMs: number,
): boolean {
  // Inside an interactive transaction it would be undone, or done, with that.
  if (database.isTransaction) throw new StoreError('transient', 'the write connection runs a transaction')
  database.exec('PRAGMA busy_timeout = 0')
  try {
    database
      .prepare('UPDATE tidemark_writers SET closed = 1 WHERE epoch = ? AND watermark = ? AND closed = 0')
      .run(epoch, watermark)
  } finally {
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
  }
  return (
    database.prepare('SELECT 1 FROM tidemark_writers WHERE epoch = ? AND closed = 1').get(epoch) !== undefined
  )
}

/** Of all epochs that are open, and of those asked for where they are known. */
export function readTidemarks(database: DatabaseSync, required: readonly Mark[]): WriterTidemark[] {
  return database
    .prepare(
      `SELECT writer, epoch, watermark, closed, lease_ms FROM tidemark_writers
       WHERE closed = 0 OR epoch IN (SELECT value FROM json_each(?)) ORDER BY epoch`,
    )
    .all(JSON.stringify(required.map(({ epoch }) => epoch)))
    .map((row) => ({
      writer: String(row['writer']) as WriterName,
      epoch: Number(row['epoch']) as Epoch,
      watermark: Number(row['watermark']) as Seq,
      isClosed: row['closed'] === 1,
      leaseMs: Number(row['lease_ms']),
    }))
}

/** What is known of one writer's own epoch, for its recovery. */
export function readTidemark(database: DatabaseSync, writer: WriterName, epoch: Epoch, since: Seq): Tidemark {
  // A database that was restored from before its first writer has not even the table.
  const row = hasTable(database, 'tidemark_writers')
    ? database
        .prepare('SELECT watermark, closed FROM tidemark_writers WHERE epoch = ? AND writer = ?')
        .get(epoch, writer)
    : undefined
  if (!row) return { watermark: 0 as Seq, isClosed: false, exists: false, rejections: [] }
  const letters = database
    .prepare(
      'SELECT id, seq, table_name, code, message FROM tidemark_dead_letters WHERE writer = ? AND epoch = ? AND seq > ?',
    )
    .all(writer, epoch, since)
  const rejections = letters.map((letter): Rejection => ({
    seq: Number(letter['seq']) as Seq,
    table: letter['table_name'] === null ? undefined : String(letter['table_name']),
    code: String(letter['code']),
    message: String(letter['message']),
    deadLetter: Number(letter['id']) as DeadLetterId,
  }))
  return {
    watermark: Number(row['watermark']) as Seq,
    isClosed: row['closed'] === 1,
    exists: true,
    rejections,
  }
}
