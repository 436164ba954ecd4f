/**
 * better-sqlite3, blocking, into the very tables that Tidemark made: `logs` with its index by time, the full-text index
 * with its settings, the triggers. Row by row, each with its own row in the index; or many rows a statement, and the
 * index written from them by one statement a transaction, which is the best that can be done.
 */
import Database from 'better-sqlite3'
import type { Entry } from '../../workloads/logs/entries.ts'
import { inCommits, insertSql, PRAGMAS, type Peer } from '../peer.ts'
import type { OpenLogPeer } from './peer.ts'

const ROWS_PER_STATEMENT = 50
const indexed = 'message, service, level, attributes'

export const rowByRow: OpenLogPeer = async (file, entries, { rowsPerCommit }) => {
  const db = openDatabase(file)
  const insert = db.prepare(insertSql(1))
  const index = db.prepare(`INSERT INTO logs_text (rowid, ${indexed}) VALUES (?, ?, ?, ?, ?)`)
  const commit = db.transaction((first, count) => {
    for (let n = first; n < first + count; n++) {
      const { ts, level, service, message, attributes } = entries.at(n)
      const json = JSON.stringify(attributes)
      const { lastInsertRowid } = insert.run(ts, level, service, message, json)
      index.run(lastInsertRowid, message, service, level, json)
    }
  })
  return peer(db, inCommits({ rowsPerCommit, commitsPerTick: 1 }, commit))
}

export const setBased: OpenLogPeer = async (file, entries, { rowsPerCommit }) => {
  const db = openDatabase(file)
  const insertOne = db.prepare(insertSql(1))
  const insertMany = db.prepare(insertSql(ROWS_PER_STATEMENT))
  const index = db.prepare(
    `INSERT INTO logs_text (rowid, ${indexed}) SELECT id, ${indexed} FROM logs WHERE id > ? ORDER BY id`,
  )
  const last = db.prepare('SELECT coalesce(max(id), 0) FROM logs').pluck()
  const values: unknown[] = []
  const commit = db.transaction((first, count) => {
    const known = last.get()
    let n = first
    const end = first + count
    for (; n + ROWS_PER_STATEMENT <= end; n += ROWS_PER_STATEMENT) {
      for (let row = 0; row < ROWS_PER_STATEMENT; row++) fill(values, 5 * row, entries.at(n + row))
      insertMany.run(values)
    }
    for (; n < end; n++) {
      const one: unknown[] = []
      fill(one, 0, entries.at(n))
      insertOne.run(one)
    }
    index.run(known)
  })
  return peer(db, inCommits({ rowsPerCommit, commitsPerTick: 1 }, commit))
}

function fill(values: unknown[], at: number, { ts, level, service, message, attributes }: Entry): void {
  values[at] = ts
  values[at + 1] = level
  values[at + 2] = service
  values[at + 3] = message
  values[at + 4] = JSON.stringify(attributes)
}

function openDatabase(file: string): Database.Database {
  const db = new Database(file)
  for (const pragma of PRAGMAS) db.pragma(pragma)
  return db
}

function peer(db: Database.Database, write: Peer['write']): Peer {
  const sqliteVersion = String(db.prepare('SELECT sqlite_version()').pluck().get())
  return { sqliteVersion, write, close: () => void db.close() }
}
