/** A worker: all four kinds of follow-up work, shared with the other workers by lanes. */
import type { Database, Writes } from '../database.ts'
import { hashing, type Embedder } from '../embedder.ts'
import { LlmClient } from '../llm/client.ts'
import type { HandleOptions, Handling } from '../tidemark.ts'
import type { Vectors } from '../vectors.ts'
import { ListingCache } from './cache.ts'
import { embed, giveUpEmbed } from './embed.ts'
import { giveUpRefine, refine } from './refine.ts'
import { giveUpScrape, scrape } from './scrape.ts'

export interface WorkerOptions {
  readonly db: Database
  readonly redis: string
  readonly vectors: Vectors
  readonly folder: string
  readonly embedder?: Embedder
  /** In how many lanes each kind is dealt out: so many workers can share it. Fixed when it is first handled. */
  readonly lanes?: number
  /** How long the LLM may take for a reply, in ms. */
  readonly replyMs?: number
  /** Of `llm` alone. */
  readonly handle?: Pick<HandleOptions<Writes>, 'maxAttempts' | 'retryFirstMs' | 'retryMaxMs' | 'concurrency'>
}

export interface Worker extends AsyncDisposable {
  /** Lets its effects go, and closes what it opened: neither the database nor the vectors. */
  stop(): Promise<void>
}

export const kinds = ['scrape', 'embed', 'llm', 'cache'] as const

export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { db, vectors, folder, embedder = hashing, lanes = 4, replyMs = 10_000, handle = {} } = options
  const llm = new LlmClient(options.redis)
  const cache = new ListingCache(options.redis)
  const common = { lanes, leaseMs: 10_000, retryFirstMs: 250, retryMaxMs: 60_000, ...handle }
  const handlings: Handling[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(handlings.map((handling) => handling.stop()))
    llm.close()
    await cache.close()
  }
  try {
    handlings.push(
      await db.effects.handle('scrape', (effects, { signal }) => scrape({ db, folder }, effects, signal), {
        ...common,
        batch: 16,
        onDead: giveUpScrape,
      }),
      await db.effects.handle(
        'embed',
        (effects, { signal }) => embed({ db, vectors, embedder }, effects, signal),
        { ...common, onDead: giveUpEmbed },
      ),
      // One request a call: each refusal counts by itself, and the limit is that of requests.
      await db.effects.handle('llm', (effects, { signal }) => refine({ db, llm, replyMs }, effects, signal), {
        ...common,
        batch: 1,
        timeoutMs: replyMs + 5_000,
        onDead: giveUpRefine,
      }),
      await db.effects.handle('cache', (effects, { signal }) => cache.deliver(effects, signal), common),
    )
  } catch (error) {
    await stop()
    throw error
  }
  return { stop, [Symbol.asyncDispose]: stop }
}
