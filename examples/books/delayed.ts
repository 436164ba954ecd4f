/** A database that is far away: each commit is really made, and answered some time later. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Store } from './tidemark.ts'

type Opened = Awaited<ReturnType<Store['open']>>
type Committed = ReturnType<Opened['commit']>

/** @param ms by which the answer to each commit is late */
export function delayed(store: Store, ms: number): Store {
  return committing(store, `each commit answered ${ms} ms later`, async (commit) => {
    const outcome = await commit()
    await wait(ms)
    return outcome
  })
}

/** The same store, whose commits are made by `make` when it likes. */
export function committing(store: Store, how: string, make: (commit: () => Committed) => Committed): Store {
  return {
    name: `${store.name}, ${how}`,
    open: async (...given) => {
      const opened = await store.open(...given)
      const commit: Opened['commit'] = (batch) => make(() => opened.commit(batch))
      return new Proxy(opened, {
        get(target, name) {
          if (name === 'commit') return commit
          // It keeps its own fields private, so its methods are called on itself.
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        },
      })
    },
  }
}
