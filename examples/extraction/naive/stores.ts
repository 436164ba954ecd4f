/** The vector store, the cache and the LLM as the naive way speaks to them: one call each, and what fails is warned of. */
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { names, type Reply } from '../llm/redis.ts'
import { cachePrefix, listingKey } from '../pipeline/cache.ts'
import { embedKind } from '../vectors.ts'
import { remoteVectors } from '../vectors/remote.ts'

/** Null removes it. @throws when it cannot be had */
export async function putVector(
  url: string,
  id: string,
  project: number,
  vector: Float32Array | undefined,
): Promise<void> {
  const version = Date.now() * 1_000
  const effect = {
    id: randomUUID(),
    kind: embedKind,
    key: id,
    payload: null,
    version,
    position: { epoch: 1, seq: version },
    attempt: 1,
    committedAt: new Date(),
  }
  const [outcome] = await remoteVectors(url).deliver(
    [{ effect: effect as never, project, vector }],
    AbortSignal.timeout(10_000),
  )
  if (outcome !== undefined && 'error' in outcome) throw outcome.error
}

export async function forgetListing(redis: Redis, project: number): Promise<void> {
  await warned(`the cache of project ${project}`, async () => void (await redis.del(keyOf(project))))
}

export async function cachedListing(redis: Redis, project: number): Promise<string | null> {
  return (await warned('the cache', () => redis.get(keyOf(project)))) ?? null
}

export async function cacheListing(redis: Redis, project: number, listing: string): Promise<void> {
  await warned('the cache', async () => void (await redis.set(keyOf(project), listing, 'EX', 600)))
}

/** @throws when there is no reply in time: one that comes later is nobody's */
export async function askModel(redis: Redis, prompt: string, timeoutMs: number): Promise<Reply> {
  const id = randomUUID()
  await redis.xadd(names.requests, '*', 'id', id, 'prompt', prompt)
  const untilMs = performance.now() + timeoutMs
  while (performance.now() < untilMs) {
    const reply = await redis.get(names.reply(id))
    if (reply !== null) return JSON.parse(reply) as Reply
    await new Promise((rested) => setTimeout(rested, 20))
  }
  throw new Error(`the model did not reply within ${timeoutMs} ms`)
}

/** @returns undefined when it failed */
export async function warned<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    console.warn(`${what}: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

function keyOf(project: number): string {
  return cachePrefix + listingKey(project)
}
