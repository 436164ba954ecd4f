/** node:sqlite on the main thread. */
import { DatabaseSync } from 'node:sqlite'
import { PRAGMAS } from '../peer.ts'
import { blockingPeer } from './blocking.ts'
import type { OpenChangePeer } from './peer.ts'

export const nodeSqlite: OpenChangePeer = async (file) => {
  const database = new DatabaseSync(file)
  for (const pragma of PRAGMAS) database.exec(`PRAGMA ${pragma}`)
  return blockingPeer({ prepare: (sql) => database.prepare(sql), close: () => database.close() })
}
