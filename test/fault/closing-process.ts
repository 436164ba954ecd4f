/**
 * A script whose engine cannot commit: another process holds the lock. It closes with a deadline and has nothing
 * else to do, so it ends if the engine does.
 *
 *   node closing-process.ts FILE
 */
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

const db = await open<{ rows: { n: number; writer: string; text: string } }>(
  sqlite(process.argv[2] ?? '', { journalMode: 'delete', busyTimeoutMs: 300 }),
)
console.log('open')
process.stdin.once('data', () => {
  process.stdin.destroy()
  db.on('retry', ({ attempt }) => {
    // From here on it is trying to read the tidemark, for as long as SQLite waits for the lock.
    if (attempt === 2) void close()
  })
  db.insert('rows', { n: 1, writer: 'closing', text: 'x' })
})

async function close(): Promise<void> {
  try {
    await db.close({ timeoutMs: 150 })
  } catch (error) {
    console.log(`closed ${String(error)}`)
  }
}
