/** Kysely on better-sqlite3, as its documentation shows: awaited inserts, one row or a hundred at a time. */

import Database from 'better-sqlite3'
import { Kysely, SqliteDialect, type Generated } from 'kysely'
import type { Row } from '../workloads/rows.ts'
import { inCommits, PRAGMAS, type OpenPeer, type Peer } from './peer.ts'

const COMMITS_PER_TICK = 50
const ROWS_PER_INSERT = 100

interface Tables {
  logs: Row & { id: Generated<number> }
}

export const single: OpenPeer = async (file, rows) => {
  const { db, sqliteVersion } = openDatabase(file)
  const insertOne = (index: number): Promise<unknown> =>
    db.insertInto('logs').values(rows.at(index)).execute()
  const write = inCommits({ rowsPerCommit: 1, commitsPerTick: COMMITS_PER_TICK }, insertOne)
  return { sqliteVersion, write, insertOne, close: () => db.destroy() } satisfies Peer
}

export const batch: OpenPeer = async (file, rows) => {
  const { db, sqliteVersion } = openDatabase(file)
  const write = inCommits({ rowsPerCommit: ROWS_PER_INSERT, commitsPerTick: 1 }, (first, count) => {
    const values = Array.from({ length: count }, (_, offset) => rows.at(first + offset))
    return db.insertInto('logs').values(values).execute()
  })
  return { sqliteVersion, write, close: () => db.destroy() } satisfies Peer
}

function openDatabase(file: string): { db: Kysely<Tables>; sqliteVersion: string } {
  const database = new Database(file)
  for (const pragma of PRAGMAS) database.pragma(pragma)
  const sqliteVersion = String(database.prepare('SELECT sqlite_version()').pluck().get())
  return { db: new Kysely<Tables>({ dialect: new SqliteDialect({ database }) }), sqliteVersion }
}
