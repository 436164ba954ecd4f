/** better-sqlite3 on the main thread. */
import Database from 'better-sqlite3'
import { PRAGMAS } from '../peer.ts'
import { blockingPeer } from './blocking.ts'
import type { OpenChangePeer } from './peer.ts'

export const betterSqlite3: OpenChangePeer = async (file) => {
  const database = new Database(file)
  for (const pragma of PRAGMAS) database.pragma(pragma)
  return blockingPeer({ prepare: (sql) => database.prepare(sql), close: () => void database.close() })
}
