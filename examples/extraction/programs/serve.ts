/** `npm run extraction -- serve`: the API, what watches over agreement, and the dashboard of Tidemark beside it. */
import { Agreement } from '../agreement/watch.ts'
import { buildApp } from '../api/app.ts'
import { Backpressure } from '../api/backpressure.ts'
import { openDatabase } from '../database.ts'
import { hashing } from '../embedder.ts'
import { LlmQueue } from '../llm/queue.ts'
import { ListingCache } from '../pipeline/cache.ts'
import { serve as serveTidemark } from '../tidemark.ts'
import { openVectors } from '../vectors/open.ts'
import { Life } from './life.ts'

export interface ServeOptions {
  readonly name: string
  readonly postgres: string
  readonly redis: string
  readonly vectors: string
  readonly port: number
  readonly dashboardPort: number
  readonly readers: number
  /** Effects of one kind that may be unfinished before submissions are held back. */
  readonly below: number
  readonly checkEveryMs: number
  readonly lateAfterMs: number
}

export async function serve(options: ServeOptions): Promise<void> {
  const life = new Life()
  await using db = await openDatabase({ ...options, writer: options.name })
  life.follow(db)
  const vectors = await openVectors(options.vectors, hashing.dimensions)
  const cache = new ListingCache(options.redis)
  const llm = new LlmQueue(options.redis)
  const agreement = new Agreement({ db, vectors, cache }, llm, {
    everyMs: options.checkEveryMs,
    lateAfterMs: options.lateAfterMs,
    onAlert: ({ name, message, repair }) => console.log(`alert ${name}: ${message}; repair: ${repair}`),
    onOver: (name) => console.log(`over ${name}`),
  })
  const backpressure = new Backpressure(db, { below: options.below, waitMs: 2_000 })
  const app = await buildApp({ db, vectors, cache, llm, agreement, backpressure, embedder: hashing })
  const { lateAfterMs, checkEveryMs: everyMs } = options
  const dashboard = await serveTidemark({
    db,
    port: options.dashboardPort,
    effects: { lateAfterMs, orphanedAfterMs: lateAfterMs, everyMs },
  })
  try {
    console.log(`dashboard ${dashboard.url}`)
    console.log(`api ${await app.listen({ host: '127.0.0.1', port: options.port })}`)
    await life.over()
  } finally {
    await app.close()
    await dashboard.close({ drainMs: 1_000 })
    await agreement.stop()
    await vectors.close()
    await cache.close()
    llm.close()
  }
}
