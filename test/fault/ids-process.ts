/**
 * Inserts rows with preallocated ids and tells the ids as soon as it has them, until it is killed.
 *
 *   node ids-process.ts FILE WRITER OWNER
 */
import { setImmediate } from 'node:timers/promises'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

const [, , file = '', writer = '', owner = ''] = process.argv
const db = await open<{ songs: { title: string } }>(sqlite(file), {
  writer,
  ids: { songs: 'preallocated' },
  // Reservations are frequent, so that some of them are under way when the process is killed.
  queue: { maxOperations: 60 },
  batch: { maxOperations: 15 },
})
for (let round = 1; ; round++) {
  if (db.isFull) await db.ready()
  const ids: (number | undefined)[] = []
  while (ids.length < 20 && !db.isFull) ids.push(db.insert('songs', { title: owner }).id)
  // In the same tick, so before any of it can be committed.
  console.log(`told ${ids.join(' ')}`)
  console.log(`round-${round}`)
  await setImmediate()
}
