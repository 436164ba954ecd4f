/**
 * Writes under one writer name until it is refused.
 *
 *   node postgres-owner-process.ts URL WRITER TIMEOUT_MS CHARACTERS
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { open, TidemarkError } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'

const [, , url = '', writer = '', timeoutMs = '', characters = ''] = process.argv
const text = 'x'.repeat(Number(characters))
const timeouts = { idleInTransactionTimeoutMs: Number(timeoutMs), answerTimeoutMs: Number(timeoutMs) }
const db = await open<{ rows: { n: number; writer: string; text: string } }>(postgres(url, timeouts), {
  writer,
  batch: { maxOperations: 20 },
})
let committed = 0
let unsettled = 0
try {
  for (let n = 1; ; n++) {
    const outcome = db.insert('rows', { n, writer: 'owner', text }).outcome()
    unsettled++
    void outcome.then(({ kind }) => {
      unsettled--
      if (kind === 'committed') committed++
    })
    if (n === 200) console.log('writing')
    if (n % 100 === 0) await outcome
  }
} catch (error) {
  if (!(error instanceof TidemarkError)) throw error
  await nextTurn()
  console.log(`stopped ${error.code} ${committed} ${unsettled}`)
}
await db.close().catch(() => undefined)
