/** An embedder that is slow and fails, by chance: for tests and campaigns. */
import { setTimeout as wait } from 'node:timers/promises'
import { EmbedderUnavailable, type Embedder } from './embedder.ts'

export interface Disturbance {
  /** A call takes up to so long, in ms. */
  readonly upToMs: number
  /** The share of calls that fail. */
  readonly failing: number
  readonly random: () => number
}

export function disturbed(embedder: Embedder, { upToMs, failing, random }: Disturbance): Embedder {
  return {
    ...embedder,
    embed: async (texts, signal, isUrgent) => {
      const ms = random() * upToMs
      if (ms > 0) await wait(ms, undefined, { signal })
      if (random() < failing) throw new EmbedderUnavailable('the embedder cannot be reached')
      return await embedder.embed(texts, signal, isUrgent)
    },
  }
}
