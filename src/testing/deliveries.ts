/** A handler that takes everything, and lets a test wait for it. */
import type { Effect } from '../index.ts'

export interface Deliveries {
  readonly handler: (effects: readonly Effect[]) => Promise<void>
  /** Resolves with all that was delivered, once that are so many. */
  readonly got: (count: number) => Promise<readonly Effect[]>
}

export function deliveries(): Deliveries {
  const all: Effect[] = []
  let waiting: { count: number; enough: PromiseWithResolvers<void> } | undefined
  return {
    handler: async (effects) => {
      all.push(...effects)
      if (waiting !== undefined && all.length >= waiting.count) waiting.enough.resolve()
    },
    got: async (count) => {
      waiting = { count, enough: Promise.withResolvers() }
      if (all.length < count) await waiting.enough.promise
      return [...all]
    },
  }
}

export function keysOf(effects: readonly Effect[]): (string | undefined)[] {
  return effects.map(({ key }) => key).toSorted((a, b) => String(a).localeCompare(String(b)))
}
