/**
 * The tables that carry the laws: one row for each epoch of each writer with its tidemark, the dead letters,
 * and the checkpoints of loads. They live in the user's database, so a backup of it is a backup of them.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { DeadLetterId, Rejection } from '../../contracts/operation.ts'
import type { Epoch, Seq, WriterName } from '../../contracts/position.ts'
import type { Tidemark } from '../../contracts/store.ts'

const tables = `
  CREATE TABLE IF NOT EXISTS tidemark_writers (
    writer TEXT NOT NULL, epoch INTEGER NOT NULL, watermark INTEGER NOT NULL, closed INTEGER NOT NULL,
    opened_at INTEGER NOT NULL, PRIMARY KEY (writer, epoch)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tidemark_dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT, writer TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    table_name TEXT, code TEXT NOT NULL, message TEXT NOT NULL, content TEXT NOT NULL,
    attempts INTEGER NOT NULL, rejected_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS tidemark_dead_letters_by_position ON tidemark_dead_letters (writer, epoch, seq);
  CREATE TABLE IF NOT EXISTS tidemark_checkpoints (
    source TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`

export function isInternalTable(name: string): boolean {
  return /^(tidemark|sqlite)_/i.test(name)
}

/** Closes the writer's earlier epochs and begins a new one. BEGIN IMMEDIATE waits for a commit in flight. */
export function openEpoch(database: DatabaseSync, writer: WriterName, nowMs: number): Epoch {
  database.exec('BEGIN IMMEDIATE')
  try {
    database.exec(tables)
    database.prepare('UPDATE tidemark_writers SET closed = 1 WHERE writer = ? AND closed = 0').run(writer)
    const row = database
      .prepare('SELECT max(epoch) AS epoch FROM tidemark_writers WHERE writer = ?')
      .get(writer)
    const epoch = (Number(row?.['epoch'] ?? 0) + 1) as Epoch
    database.prepare('INSERT INTO tidemark_writers VALUES (?, ?, 0, 0, ?)').run(writer, epoch, nowMs)
    database.exec('COMMIT')
    return epoch
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** The epoch ends with the tidemark it has: bookmarks beyond it can be told lost. */
export function closeEpoch(database: DatabaseSync, writer: WriterName, epoch: Epoch): void {
  database
    .prepare('UPDATE tidemark_writers SET closed = 1 WHERE writer = ? AND epoch = ? AND closed = 0')
    .run(writer, epoch)
}

export function readTidemark(database: DatabaseSync, writer: WriterName, epoch: Epoch, since: Seq): Tidemark {
  // A database that was restored from before its first writer has not even the table.
  const hasTable = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'tidemark_writers'").get()
  const row =
    hasTable &&
    database
      .prepare('SELECT watermark, closed FROM tidemark_writers WHERE writer = ? AND epoch = ?')
      .get(writer, epoch)
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
