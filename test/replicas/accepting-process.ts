/**
 * Commits a row, accepts another one, and says the bookmarks of both. It commits that only if somebody waits for it.
 *
 *   node accepting-process.ts URL WRITER
 */
import { open } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'

const [, , url = '', writer = ''] = process.argv
const db = await open<{ songs: { title: string } }>(postgres(url), { writer, batch: { lingerMs: 600_000 } })
db.on('fenced', ({ error }) => {
  console.log(`ended ${error.code}`)
  process.exit()
})
const first = db.insert('songs', { title: 'committed' })
await first
const second = db.insert('songs', { title: 'accepted' })
console.log(`committed ${first.bookmark}`)
console.log(`accepted ${second.bookmark}`)
