/**
 * Writes under one writer name until it is refused.
 *
 *   node zombie-process.ts FILE WRITER
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { open, TidemarkError } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

const [, , file = '', writer = ''] = process.argv
const db = await open<{ rows: { n: number; writer: string; text: string } }>(sqlite(file), {
  writer,
  queue: { maxOperations: 1_000, whenFull: 'wait' },
  batch: { maxOperations: 50 },
})
let committed = 0
let unsettled = 0
try {
  for (let n = 1; ; n++) {
    const receipt = db.insert('rows', { n, writer: 'zombie', text: 'x' })
    unsettled++
    void receipt.outcome().then(({ kind }) => {
      unsettled--
      if (kind === 'committed') committed++
    })
    if (n === 500) console.log('writing')
    if (db.isFull) await db.ready()
    if (n % 100 === 0) await nextTurn()
  }
} catch (error) {
  if (!(error instanceof TidemarkError)) throw error
  await nextTurn()
  console.log(`stopped ${error.code} ${committed} ${unsettled}`)
}
