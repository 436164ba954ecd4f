/** A value that parts of the page share, and how a component follows it. */
import { useEffect, useState } from 'preact/hooks'

export interface Store<T> {
  readonly get: () => T
  readonly set: (next: T) => void
  /** Calls back after each change, until the function it returns is called. */
  readonly subscribe: (listener: () => void) => () => void
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return
      value = next
      for (const listener of listeners) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.get)
  useEffect(() => {
    const follow = (): void => setValue(store.get)
    follow()
    return store.subscribe(follow)
  }, [store])
  return value
}
