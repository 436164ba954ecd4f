/** The API with what watches over agreement, on an engine and a vector store that are open. */
import { Agreement, type Alert, type AlertName } from '../agreement/watch.ts'
import type { Database } from '../database.ts'
import { hashing } from '../embedder.ts'
import { LlmQueue } from '../llm/queue.ts'
import { ListingCache } from '../pipeline/cache.ts'
import type { Vectors } from '../vectors.ts'
import { buildApp } from './app.ts'
import { Backpressure } from './backpressure.ts'

export interface ApiOptions {
  readonly db: Database
  readonly vectors: Vectors
  readonly redis: string
  readonly port: number
  /** Effects of one kind that may be unfinished before submissions are held back. */
  readonly below: number
  /** How long a submission waits before it is sent away, in ms. */
  readonly holdMs?: number
  readonly checkEveryMs: number
  readonly lateAfterMs: number
  readonly onAlert: (alert: Alert) => void
  readonly onOver: (name: AlertName) => void
}

export interface Api extends AsyncDisposable {
  readonly url: string
  readonly agreement: Agreement
  readonly cache: ListingCache
}

const holdMs = 2_000

export async function startApi(options: ApiOptions): Promise<Api> {
  const { db, vectors, redis, below, checkEveryMs: everyMs, lateAfterMs, onAlert, onOver } = options
  const cache = new ListingCache(redis)
  const llm = new LlmQueue(redis)
  const agreement = new Agreement({ db, vectors, cache }, llm, { everyMs, lateAfterMs, onAlert, onOver })
  const backpressure = new Backpressure(db, { below, waitMs: options.holdMs ?? holdMs })
  const app = await buildApp({ db, vectors, cache, llm, agreement, backpressure, embedder: hashing })
  const close = async (): Promise<void> => {
    await app.close()
    await agreement.stop()
    await cache.close()
    llm.close()
  }
  try {
    const url = await app.listen({ host: '127.0.0.1', port: options.port })
    return { url, agreement, cache, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
