/**
 * Writes a row, and a second one when it is told to; says when each is acknowledged, and each retry.
 *
 *   node busy-process.ts FILE
 */
import { writeSync } from 'node:fs'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

const say = (line: string): void => void writeSync(1, `${line}\n`)

const db = await open<{ rows: { n: number; writer: string; text: string } }>(
  sqlite(process.argv[2] ?? '', { journalMode: 'delete', busyTimeoutMs: 5 }),
)
db.on('retry', ({ attempt }) => say(`retried ${attempt}`))
const write = async (n: number): Promise<void> => {
  await db.insert('rows', { n, writer: 'busy', text: 'x' })
  say(`acknowledged ${n}`)
}
await write(1)
process.stdin.once('data', () => void write(2))
