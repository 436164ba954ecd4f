/**
 * Stops itself in the middle of a batch that it is sending: the server has taken the fence, and waits for the rest.
 * When it goes on it writes until it is refused.
 *
 *   node stalled-process.ts URL WRITER
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { open, TidemarkError } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'

const [, , url = '', writer = ''] = process.argv
const store = postgres(url, { applicationName: 'stalled', idleInTransactionTimeoutMs: 1_000 })
const db = await open<{ songs: { title: string } }>(store, {
  writer,
  queue: { maxBytes: 256 * 2 ** 20 },
  batch: { maxBytes: 128 * 2 ** 20 },
})
let committed = 0
let unsettled = 0
function insert(title: string): void {
  const receipt = db.insert('songs', { title })
  unsettled++
  void receipt.outcome().then(({ kind }) => {
    unsettled--
    if (kind === 'committed') committed++
  })
}

insert('before')
await db.flush()
// More than the network takes at once.
for (let n = 0; n < 500; n++) insert('x'.repeat(100_000))
await nextTurn()
await nextTurn()
process.kill(process.pid, 'SIGSTOP')
try {
  for (;;) {
    insert('after')
    await new Promise((resume) => void setTimeout(resume, 1))
  }
} catch (error) {
  if (!(error instanceof TidemarkError)) throw error
  await nextTurn()
  console.log(`stopped ${error.code} ${committed} ${unsettled}`)
}
