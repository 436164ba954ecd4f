/** An embedder as it is behind a network: each call takes its time, however much it is given. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Embedder } from './embedder.ts'

export function far(embedder: Embedder, ms: number): Embedder {
  return {
    ...embedder,
    name: `${embedder.name}-far`,
    embed: async (texts, signal) => {
      await wait(ms, undefined, { signal })
      return await embedder.embed(texts, signal)
    },
  }
}
