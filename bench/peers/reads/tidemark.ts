/** Tidemark: rows are pushed without waiting, and held back by its queue; each request is a session of its own. */

import type { RowPool } from '../../workloads/rows.ts'
import { openEngine } from '../tidemark.ts'
import { COLUMNS, type Item, type OpenReadPeer } from './peer.ts'

interface Tables {
  logs: Omit<Item, 'id'>
  items: Item
}

export const tidemark: OpenReadPeer = async (file, rows: RowPool, { maxOperations, lingerMs, readers }) => {
  // A full queue holds those back who ask; a write of somebody else is accepted all the same.
  const db = await openEngine<Tables>(file, { maxOperations, lingerMs, readers, whenFull: 'wait' })
  const item = (id: number): Item => ({ id, ...rows.at(id) })
  const push = async (first: number, count: number, insert: (index: number) => void): Promise<void> => {
    for (let index = first; index < first + count; index++) {
      if (db.isFull) await db.ready()
      insert(index)
    }
  }
  return {
    sqliteVersion: String(process.versions['sqlite']),
    writeRows: (first, count) => push(first, count, (index) => void db.insert('logs', rows.at(index))),
    writeItems: (first, count) => push(first, count, (id) => void db.insert('items', item(id))),
    flush: () => db.flush(),
    writeAndRead: (id) => {
      const session = db.session()
      session.insert('items', item(id))
      return session
        .read()
        .selectFrom('items')
        .select(['id', ...COLUMNS])
        .where('id', '=', id)
        .executeTakeFirst()
    },
    read: (id) =>
      db
        .read('eventual')
        .selectFrom('items')
        .select(['id', ...COLUMNS])
        .where('id', '=', id)
        .executeTakeFirst(),
    readRange: (first, count) =>
      db
        .read('eventual')
        .selectFrom('items')
        .select(['id', ...COLUMNS])
        .where('id', '>=', first)
        .orderBy('id')
        .limit(count)
        .execute(),
    get: (id) => db.get('items', { id }),
    close: () => db.close(),
  }
}
