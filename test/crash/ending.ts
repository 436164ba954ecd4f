/**
 * A script that does not close its engine, and ends in the way named.
 *
 *   node ending.ts FILE HOW
 */
import { writeSync } from 'node:fs'
import { setImmediate as nextTick } from 'node:timers/promises'
import type { Generated } from 'kysely'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

interface DB {
  rows: { id: Generated<number>; n: number; text: string }
}

const [, , file = '', how = ''] = process.argv
const say = (line: string): void => void writeSync(1, `${line}\n`)

const db = await open<DB>(sqlite(file, { busyTimeoutMs: 20 }), {
  writer: 'ending',
  queue: { whenFull: 'wait' },
  batch: { maxOperations: 100 },
})
db.on('retry', () => say('retry'))

let written = 0
let hasCommitted = false
function write(count: number): void {
  for (let left = count; left > 0; left--) {
    const n = ++written
    const receipt = db.insert('rows', { n, text: `row ${n}` })
    // Awaiting every row would send each at once; most are left to linger, as a script that just writes leaves them.
    if (n % 50 === 0)
      void receipt.outcome().then(({ kind }) => {
        hasCommitted ||= kind === 'committed'
        say(`${kind} ${n}`)
      })
  }
}

/** Writes on and on, so that whatever ends the process finds transactions under way. */
async function writeUntil(row: number): Promise<void> {
  while (written < row || !hasCommitted) {
    write(100)
    if (db.isFull) await db.ready()
    await nextTick()
  }
}

switch (how) {
  case 'falls-off':
    write(1_234)
    say('written')
    break
  case 'falls-off-unawaited':
    db.insert('rows', { n: 1, text: 'nobody waits for this one' })
    say('written')
    break
  case 'falls-off-live': {
    const scope = await db.live('rows', { id: 1 })
    scope.set({ n: 1, text: 'in memory' })
    say('written')
    break
  }
  case 'handles':
    await db.effects.handle('wake', async () => say('delivered'), { pollMs: 20 })
    say('handles')
    break
  case 'falls-off-locked': {
    say('open')
    process.stdin.once('data', () => {
      process.stdin.destroy()
      write(100)
      say('written')
    })
    break
  }
  case 'idle':
    break
  case 'idle-after-writes':
    write(100)
    await db.flush()
    await db.read('eventual').selectFrom('rows').selectAll().execute()
    say('flushed')
    break
  case 'exit':
    await writeUntil(3_000)
    process.exit(7)
  case 'exception':
    await writeUntil(3_000)
    setImmediate(() => {
      throw new Error('nobody catches this')
    })
    await writeUntil(Infinity)
    break
  case 'rejection':
    await writeUntil(3_000)
    void Promise.reject(new Error('nobody handles this'))
    await writeUntil(Infinity)
    break
  default:
    throw new Error(`no way to end: ${how}`)
}
