/**
 * A program whose event listeners throw, and which survives uncaught exceptions, as servers often do.
 *
 *   node listener-process.ts FILE
 */
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

let caught = 0
process.on('uncaughtException', (error) => {
  if (error.message !== 'the listener is broken') throw error
  caught++
})
const db = await open<{ rows: { n: number; writer: string; text: string } }>(sqlite(process.argv[2] ?? ''), {
  queue: { maxOperations: 100 },
  batch: { maxOperations: 10 },
})
const fail = (): never => {
  throw new Error('the listener is broken')
}
for (const event of ['commit', 'reject', 'backpressure'] as const) db.on(event, fail)
let commits = 0
db.on('commit', () => void commits++)

for (let n = 1; n <= 100; n++) db.insert('rows', { n, writer: 'listener', text: n === 50 ? 'poison' : 'x' })
await db.flush()
await db.insert('rows', { n: 101, writer: 'listener', text: 'x' })
await db.close()
console.log(`caught ${caught}`)
console.log(`commits ${commits}`)
