/**
 * Writes rows, is told of their commit in the way named, and kills itself with the next instruction.
 *
 *   node acknowledged-process.ts FILE insert|flush|transaction ROWS
 */
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

const [, , file = '', how = '', rows = ''] = process.argv
const db = await open<{ rows: { n: number; writer: string; text: string } }>(sqlite(file))
const rowOf = (n: number) => ({ n, writer: how, text: 'x' })
for (let n = 1; n < Number(rows); n++) db.insert('rows', rowOf(n))
const last = rowOf(Number(rows))
if (how === 'insert') await db.insert('rows', last)
else if (how === 'flush') {
  db.insert('rows', last)
  await db.flush()
} else await db.transaction((trx) => trx.insertInto('rows').values(last).execute())
process.kill(process.pid, 'SIGKILL')
