/**
 * Commits one write, accepts two more that linger for ever, says the bookmarks of the first and the last, and lives
 * until it is killed.
 *
 *   node killed-process.ts FILE WRITER
 */
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

const [, , file = '', writer = ''] = process.argv
const foreverMs = 2 ** 31 - 1
const db = await open<{ files: { path: string; state: string } }>(sqlite(file), {
  writer,
  batch: { lingerMs: foreverMs },
})
const path = 'notes/a.md'
const first = db.insert('files', { path, state: 'committed' })
await first
console.log(`committed ${first.bookmark}`)
db.update('files', { path }, { state: 'accepted' })
console.log(`accepted ${db.update('files', { path }, { state: 'accepted, too' }).bookmark}`)
setInterval(() => undefined, 60_000)
