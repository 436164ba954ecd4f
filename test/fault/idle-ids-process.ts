/**
 * Commits one row; when it is told to, uses up ids until more have to be reserved, and has nothing more to do then.
 *
 *   node idle-ids-process.ts FILE
 */
import { once } from 'node:events'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

const [, , file = ''] = process.argv
const db = await open<{ songs: { title: string } }>(sqlite(file, { busyTimeoutMs: 1 }), {
  ids: { songs: 'preallocated' },
  queue: { maxOperations: 10 },
})
await db.insert('songs', { title: 'a' })
console.log('committed')
await once(process.stdin, 'data')
process.stdin.destroy()
try {
  db.atomic((group) => {
    for (let n = 0; n < 12; n++) group.insert('songs', { title: 'wasted' })
    throw new Error('on purpose')
  })
} catch {
  console.log('wasted')
}
