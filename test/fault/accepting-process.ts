/**
 * An engine in a process of its own that commits some rows, accepts one more that lingers for ever, tells its
 * bookmarks, and lives until it is killed.
 *
 *   node accepting-process.ts FILE
 */
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

const [, , file = ''] = process.argv
const foreverMs = 2 ** 31 - 1
const db = await open<{ songs: { title: string } }>(sqlite(file), { batch: { lingerMs: foreverMs } })
const committed = db.insert('songs', { title: 'committed' })
await committed
console.log(`committed ${committed.bookmark}`)
console.log(`accepted ${db.insert('songs', { title: 'accepted' }).bookmark}`)
setInterval(() => undefined, 60_000)
