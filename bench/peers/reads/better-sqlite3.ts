/** better-sqlite3 on the main thread. */

import Database from 'better-sqlite3'
import { PRAGMAS } from '../peer.ts'
import { blockingPeer } from './blocking.ts'
import type { OpenReadPeer } from './peer.ts'

export const betterSqlite3: OpenReadPeer = async (file, rows) => {
  const database = new Database(file)
  for (const pragma of PRAGMAS) database.pragma(pragma)
  const sqliteVersion = String(database.prepare('SELECT sqlite_version()').pluck().get())
  return blockingPeer(
    { sqliteVersion, prepare: (sql) => database.prepare(sql), close: () => void database.close() },
    rows,
  )
}
