/**
 * A service whose clients go on writing while it shuts down, each as fast as it can. Nothing is ever awaited, and what
 * fills no batch would linger for ever.
 *
 *   node serving-process.ts FILE
 */
import { writeSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { open, TidemarkError } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

const say = (line: string): void => void writeSync(1, `${line}\n`)
const foreverMs = 2 ** 31 - 1

const db = await open<{ rows: { n: number; writer: string; text: string } }>(sqlite(process.argv[2] ?? ''), {
  batch: { lingerMs: foreverMs },
})
let accepted = 0
let refused = 0
const closed = new AbortController()
process.once('SIGTERM', () => void stop())

function write(count: number): void {
  for (let left = count; left > 0; left--) {
    try {
      db.insert('rows', { n: accepted + 1, writer: 'service', text: 'x' })
      accepted++
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error
      if (error.code === 'CLOSED') refused++
    }
  }
}

async function stop(): Promise<void> {
  // What is accepted in this very tick is drained too.
  write(7)
  await db.close()
  closed.abort()
  say(`closed ${accepted}`)
}

write(1_234)
say('serving')
while (!closed.signal.aborted) {
  write(3)
  await nextTurn()
}
say(`refused ${refused}`)
