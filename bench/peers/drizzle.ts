/** Drizzle on better-sqlite3, as its documentation shows: awaited inserts, one row or a hundred at a time. */

import Database from 'better-sqlite3'
import { drizzle, type BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { inCommits, PRAGMAS, type OpenPeer, type Peer } from './peer.ts'

const COMMITS_PER_TICK = 50
const ROWS_PER_INSERT = 100

const logs = sqliteTable('logs', {
  id: integer().primaryKey(),
  ts: integer(),
  level: text(),
  service: text(),
  message: text(),
  attributes: text(),
})

export const single: OpenPeer = async (file, rows) => {
  const { client, db, sqliteVersion } = openDatabase(file)
  const insertOne = async (index: number): Promise<unknown> => await db.insert(logs).values(rows.at(index))
  const write = inCommits({ rowsPerCommit: 1, commitsPerTick: COMMITS_PER_TICK }, insertOne)
  return { sqliteVersion, write, insertOne, close: () => void client.close() } satisfies Peer
}

export const batch: OpenPeer = async (file, rows) => {
  const { client, db, sqliteVersion } = openDatabase(file)
  const write = inCommits({ rowsPerCommit: ROWS_PER_INSERT, commitsPerTick: 1 }, async (first, count) => {
    const values = Array.from({ length: count }, (_, offset) => rows.at(first + offset))
    await db.insert(logs).values(values)
  })
  return { sqliteVersion, write, close: () => void client.close() } satisfies Peer
}

function openDatabase(file: string): {
  client: Database.Database
  db: BetterSQLite3Database
  sqliteVersion: string
} {
  const client = new Database(file)
  for (const pragma of PRAGMAS) client.pragma(pragma)
  const sqliteVersion = String(client.prepare('SELECT sqlite_version()').pluck().get())
  return { client, db: drizzle({ client }), sqliteVersion }
}
