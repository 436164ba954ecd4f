/**
 * The newest extractions of a project, kept in Redis for eventual reads, and removed there by effects of `cache` whenever one of
 * their rows changes. Readers fill it through the target's generations: none puts an older listing back.
 *
 * Several processes change the rows of one listing, each rows of its own. Versions of effects tell nothing across writers where no
 * row is shared, so one that is delivered later may have a lower version, and must not be left out. A listing that is removed once
 * too often is only read once more: so here the version is Redis's own time.
 */
import type { Redis } from 'ioredis'
import type { Database } from '../database.ts'
import { connect } from '../llm/redis.ts'
import { redis, type Effect, type EffectOutcome, type EffectRequest, type Json } from '../tidemark.ts'
import { loadListing, type Listing } from './listing.ts'

export const cachePrefix = 'cache:'

export function listingKey(project: number): string {
  return `extractions:${project}`
}

/** Something in the project's listing has changed. */
export function invalidated(project: number): EffectRequest {
  return { kind: 'cache', key: listingKey(project), payload: { op: 'invalidate' }, latestOnly: true }
}

export class ListingCache {
  readonly client: Redis
  readonly #target: ReturnType<typeof redis>

  constructor(url: string) {
    this.client = connect(url)
    this.#target = redis(this.client, { prefix: cachePrefix, fillTtlMs: 600_000 })
  }

  async deliver(effects: readonly Effect[], signal: AbortSignal): Promise<readonly EffectOutcome<unknown>[]> {
    let version: number
    try {
      const [seconds, micros] = await this.client.time()
      version = Number(seconds) * 1_000_000 + Number(micros)
    } catch (error) {
      return effects.map(() => ({ kind: 'retry', error, isOverload: true }))
    }
    const renumbered = effects.map((effect, at) => ({ ...effect, version: version + at }))
    return (await this.#target.deliver(renumbered, { signal })) ?? []
  }

  async read(db: Database, project: number): Promise<Listing> {
    const load = async (): Promise<Json> => (await loadListing(db, project)) as unknown as Json
    // Whoever filled it in had a listing.
    return (await this.#target.cache.readThrough(listingKey(project), load)) as unknown as Listing
  }

  /** What is there, as text; undefined: nothing. */
  async peek(project: number): Promise<string | undefined> {
    return (await this.client.get(cachePrefix + listingKey(project))) ?? undefined
  }

  async close(): Promise<void> {
    await this.#target.close()
    this.client.disconnect()
  }
}
