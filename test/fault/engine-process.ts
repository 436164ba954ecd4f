/**
 * An engine in a process of its own: opens a writer name, writes rows and closes.
 *
 *   node engine-process.ts FILE WRITER ROWS OWNER
 */
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

const [, , file = '', writer = '', rows = '0', owner = ''] = process.argv
const db = await open<{ rows: { n: number; writer: string; text: string } }>(sqlite(file), { writer })
console.log(`open ${db.epoch}`)
for (let n = 1; n <= Number(rows); n++) db.insert('rows', { n, writer: owner, text: 'x' })
await db.close()
console.log('closed')
