/** Tidemark's effects that belong to no row, with the defaults of the engine and of its handlers, on SQLite and on PostgreSQL. */
import type { Store } from '../../../src/contracts/store.ts'
import { postgres } from '../../../src/stores/postgres/index.ts'
import { sqlite } from '../../../src/stores/sqlite/index.ts'
import { open } from '../../../src/tidemark.ts'
import { itemAt, type Item } from '../../workloads/effects/items.ts'
import type { TidemarkName } from './index.ts'
import { failedOnce, inCalls, type OpenEffectsPeer } from './peer.ts'

const KIND = 'order'
const PER_CALL = 1_000

export const STORES: Readonly<Record<TidemarkName, (address: string) => Store>> = {
  'tidemark/sqlite': (file) => sqlite(file),
  // Every commit is synced to the disk.
  'tidemark/sqlite-full': (file) => sqlite(file, { durability: 'power' }),
  'tidemark/postgres': (url) => postgres(url),
}

export function tidemark(name: TidemarkName): OpenEffectsPeer {
  return async (address) => {
    // Who hands over more than the queue holds waits, instead of being refused.
    const db = await open(STORES[name](address), { queue: { whenFull: 'wait' } })
    return {
      async enqueue(first, count, dueAt) {
        await inCalls({ first, count, perCall: PER_CALL }, async (ids) => {
          const now = Date.now()
          const effects = ids.map((id) => {
            const due = dueAt?.(id)
            const effect = { kind: KIND, payload: itemAt(id) }
            return due === undefined ? effect : { ...effect, delayMs: Math.max(0, due - now) }
          })
          await db.enqueue(...effects).accepted
        })
        await db.flush()
      },
      enqueueOne: (id) => db.enqueue({ kind: KIND, payload: itemAt(id) }),
      async work({ handle }) {
        const handling = await db.effects.handle(KIND, async (effects) =>
          effects.map(({ payload }) => {
            const { id } = payload as unknown as Item
            // Undefined stands for delivered.
            if (handle(id)) return undefined
            return { kind: 'retry' as const, error: failedOnce, afterMs: 0 }
          }),
        )
        return () => handling.stop()
      },
      async unfinished() {
        const { queued, waiting, dead } = await db.effects.stats(KIND)
        return queued + waiting + dead
      },
      close: () => db.close(),
    }
  }
}
