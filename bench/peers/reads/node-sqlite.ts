/** node:sqlite on the main thread. */

import { DatabaseSync } from 'node:sqlite'
import { PRAGMAS } from '../peer.ts'
import { blockingPeer } from './blocking.ts'
import type { OpenReadPeer } from './peer.ts'

export const nodeSqlite: OpenReadPeer = async (file, rows) => {
  const database = new DatabaseSync(file)
  for (const pragma of PRAGMAS) database.exec(`PRAGMA ${pragma}`)
  const sqliteVersion = String(process.versions['sqlite'])
  return blockingPeer(
    { sqliteVersion, prepare: (sql) => database.prepare(sql), close: () => database.close() },
    rows,
  )
}
