/** A store somewhere far away: what it commits is committed, and the answer takes its time. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Batch, BatchOutcome, OpenedStore, Store } from '../../../src/contracts/store.ts'

/** @param delayMs between a commit and its answer; several may be under way, as many as the store takes */
export function delayedStore(store: Store, delayMs: number): Store {
  return {
    name: `${store.name}, each commit answered ${delayMs} ms later`,
    open: async (writer, context) => delayed(await store.open(writer, context), delayMs),
  }
}

/** All but `commit` is the store's own, with its private fields: so it is a proxy, and no object that inherits. */
function delayed(opened: OpenedStore, delayMs: number): OpenedStore {
  const commit = async (batch: Batch): Promise<BatchOutcome> => {
    const outcome = await opened.commit(batch)
    await sleep(delayMs)
    return outcome
  }
  return new Proxy(opened, {
    get(target, name) {
      if (name === 'commit') return commit
      if (name === 'isSynchronous') return false
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
}
