/**
 * Writes rows that carry effects, and does the effects, until it is killed. What was delivered is told to a file, as a
 * store of somebody else's would keep it; every fifth delivery fails once.
 *
 *   node effects-process.ts FILE WRITER DELIVERED_FILE ROUND ROWS   (0 rows: only until nothing is left to do)
 */
import { appendFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

interface Tables {
  readonly chunks: { readonly id: string; readonly name: string; readonly n: number; readonly acks: number }
}

const [, , file = '', writer = '', delivered = '', round = '', rows = ''] = process.argv
const keys = 7
const db = await open<Tables>(sqlite(file), { writer })
await db.effects.handle(
  'embed',
  async (effects) => {
    const outcomes = effects.map(({ id, attempt }, at) => {
      if (attempt === 1 && (id.length + at) % 5 === 0) return { kind: 'retry' as const, error: 'on purpose' }
      return undefined
    })
    const lines = effects
      .filter((_, at) => outcomes[at] === undefined)
      .map(({ id, key, payload }) => `${id} ${key} ${JSON.stringify(payload)}\n`)
    appendFileSync(delivered, lines.join(''))
    await setImmediate()
    return effects.map(
      ({ payload }, at) =>
        outcomes[at] ?? {
          kind: 'delivered' as const,
          // Once for each row, or the campaign finds another number in it.
          write: (to) =>
            to.write(
              { sql: 'UPDATE chunks SET acks = acks + 1 WHERE id = ?', parameters: [payload] },
              { expect: 1 },
            ),
        },
    )
  },
  { batch: 5, concurrency: 3, retryFirstMs: 1, retryMaxMs: 3, pollMs: 20 },
)
console.log('open')
for (let n = 0; n < Number(rows); n++) {
  if (db.isFull) await db.ready()
  const name = `k${n % keys}`
  const id = `${round}-${n}`
  const receipt = db.insert(
    'chunks',
    { id, name, n, acks: 0 },
    { effects: [{ kind: 'embed', key: name, payload: id }] },
  )
  // One in ten is refused, and must take its effect with it.
  if (n % 10 === 3) {
    if (db.isFull) await db.ready()
    db.insert(
      'chunks',
      { id, name, n, acks: 0 },
      { effects: [{ kind: 'embed', key: name, payload: 'never' }] },
    )
  }
  if (n % 20 === 0) void receipt.then(() => console.log(`acknowledged ${id}`))
  if (n % 8 === 0) await setImmediate()
}
for (;;) {
  const { queued, waiting } = await db.effects.stats('embed')
  if (queued + waiting === 0) break
  await setImmediate()
}
console.log('done')
await db.close()
