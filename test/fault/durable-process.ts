/**
 *   node --import trace-sql.ts durable-process.ts FILE DURABILITY
 */
import { writeSync } from 'node:fs'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

const [, , file = '', durability = ''] = process.argv
const db = await open<{ rows: { n: number; writer: string; text: string } }>(
  sqlite(file, { durability: durability === 'power' ? 'power' : 'process', walAutocheckpoint: 0 }),
)
const insert = (n: number) => db.insert('rows', { n, writer: 'durable', text: 'x' })
await insert(1)
writeSync(1, 'flushing\n')
insert(2)
await db.flush({ durable: true })
writeSync(1, 'flushed\n')
await insert(3)
writeSync(1, 'closing\n')
await db.close()
