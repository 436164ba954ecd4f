/**
 * One of many engines on a database. It lingers for ever, so that it commits only for those who wait.
 *
 *   node worker-process.ts URL WRITER
 *
 * `write ID ROWS` accepts so many rows and says `wrote ID BOOKMARK`; `read ID BOOKMARK,…` says `read ID COUNT`.
 */
import { createInterface } from 'node:readline'
import { open } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'

const [, , url = '', writer = ''] = process.argv
const db = await open<{ songs: { title: string } }>(postgres(url), { writer, batch: { lingerMs: Infinity } })
console.log('open')
for await (const line of createInterface({ input: process.stdin })) {
  const [command, id, given = ''] = line.split(' ')
  if (command === 'write') {
    let bookmark = ''
    for (let left = Number(given); left > 0; left--) ({ bookmark } = db.insert('songs', { title: writer }))
    console.log(`wrote-${id} ${bookmark}`)
  } else {
    const count = { sql: 'SELECT count(*)::int AS count FROM songs', parameters: [] }
    const { rows } = await db.query(count, { after: given.split(','), timeoutMs: 30_000 })
    console.log(`read-${id} ${rows[0]?.['count']}`)
  }
}
await db.close()
