/**
 * A process of the campaign on effects: writes rows that carry effects, and delivers effects, until it is killed or told
 * to finish.
 *
 *   node effects-worker.ts FILE_OR_URL WRITER TARGET_PORT ROUND ROWS   (0 rows: only until nothing is left to do)
 */
import { setTimeout as delay } from 'node:timers/promises'
import { open, type Effect } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

interface Tables {
  readonly chunks: { readonly id: string; readonly name: string; readonly acks: number }
}

const [, , address = '', writer = '', port = '', round = '', rows = ''] = process.argv
const isServer = address.startsWith('postgres:')
const keys = 7
const mostLeft = 200
const db = await open<Tables>(isServer ? postgres(address) : sqlite(address), { writer })
const ack = `UPDATE chunks SET acks = acks + 1 WHERE id = ${isServer ? '$1' : '?'}`

await db.effects.handle('embed', deliver, {
  batch: 8,
  concurrency: 3,
  timeoutMs: 200,
  leaseMs: 600,
  retryFirstMs: 2,
  retryMaxMs: 50,
  maxAttempts: 1_000,
  pollMs: 50,
  lanes: 2,
})
console.log('open')
for (let n = 0; n < Number(rows); n++) {
  if (db.isFull) await db.ready()
  // What is written faster than the target takes it would only lengthen the end.
  if (n % 20 === 0) while ((await left()) > mostLeft) await delay(5)
  const [id, name] = [`${writer}-${round}-${n}`, `k${n % keys}`]
  const receipt = db.insert('chunks', { id, name, acks: 0 }, { effects: [effectOf(id, name)] })
  receipt.then(
    () => console.log(`acknowledged ${id}`),
    () => undefined,
  )
  // One in ten is refused, and must take its effect with it.
  if (n % 10 === 3) {
    if (db.isFull) await db.ready()
    db.insert('chunks', { id, name, acks: 0 }, { effects: [effectOf('never', name)] })
  }
  if (n % 8 === 0) await delay(4)
}
while ((await left()) > 0) await delay(20)
console.log('done')
await db.close()

/** While the server of the database is away nobody knows. */
async function left(): Promise<number> {
  try {
    const { queued, waiting } = await db.effects.stats('embed')
    return queued + waiting
  } catch {
    return Infinity
  }
}

function effectOf(payload: string, name: string) {
  return { kind: 'embed', key: `${writer}/${name}`, payload }
}

async function deliver(effects: readonly Effect[], { signal }: { readonly signal: AbortSignal }) {
  const body = effects
    .map(
      ({ id, key, version, payload, attempt }) =>
        `${[id, key, version, payload as string, writer, round, attempt].join(' ')}\n`,
    )
    .join('')
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, signal })
  if (!response.ok) throw Object.assign(new Error('the target refused'), { status: response.status })
  // Once for each row, or the campaign finds another number in it.
  return effects.map(({ payload }) => ({
    kind: 'delivered' as const,
    write: (to: { write(query: object, options: object): void }) =>
      to.write({ sql: ack, parameters: [payload] }, { expect: 1 }),
  }))
}
