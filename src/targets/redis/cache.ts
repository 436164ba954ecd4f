/**
 * The reader's side. Between a reader's look into the database and its write into the cache the row may change, and be
 * invalidated: the reader would put the old one back, and nothing would remove it again. So it first takes the key's
 * generation, and its write counts only while that is the same, as with the leases of memcached
 * (https://www.usenix.org/system/files/conference/nsdi13/nsdi13-final170_update.pdf, section 3.2.1).
 */
import type { Json } from '../../contracts/values.ts'
import { call, type Call, type Connection, type Reply } from './connection.ts'
import { fillScript } from './scripts.ts'

/** What the cache knows of a key. */
export type Lookup =
  | { readonly kind: 'hit'; readonly value: Json }
  /** `generation` is for `fill`. It must be taken before the database is read. */
  | { readonly kind: 'miss'; readonly generation: string }

export interface FillOptions {
  /** Default `fillTtlMs` of the target. */
  readonly ttlMs?: number
}

export interface RedisCache {
  /** @throws when Redis is out of reach, or answers nothing within `readTimeoutMs` */
  lookUp(key: string): Promise<Lookup>
  /**
   * Writes what was read from the database, unless the key has changed since its generation was taken.
   *
   * @returns whether it was written
   * @throws as `lookUp`
   */
  fill(key: string, value: Json, generation: string, options?: FillOptions): Promise<boolean>
  /**
   * The value from the cache, else from `load`, which is then filled in. `undefined` is not kept. When Redis is out of
   * reach the value comes from `load`. What `load` reads must be as new as the effects that were delivered: the
   * database that they come from, not a replica that lags.
   */
  readThrough<T extends Json | undefined>(
    key: string,
    load: () => Promise<T>,
    options?: FillOptions,
  ): Promise<T>
}

export class GenerationCache implements RedisCache {
  readonly #connection: Connection
  readonly #keysOf: (key: string) => readonly [value: string, fence: string]
  readonly #ttlMs: number

  constructor(
    connection: Connection,
    keysOf: (key: string) => readonly [value: string, fence: string],
    ttlMs: number,
  ) {
    this.#connection = connection
    this.#keysOf = keysOf
    this.#ttlMs = ttlMs
  }

  async lookUp(key: string): Promise<Lookup> {
    const [value, fence] = this.#keysOf(key)
    const read: Call = (pipeline) => pipeline.get(value)
    const take: Call = (pipeline) => pipeline.hget(fence, 'generation')
    const replies = await this.#connection.run([read, take])
    const [json, generation] = replies.map(valueOf)
    if (typeof json === 'string') return { kind: 'hit', value: JSON.parse(json) as Json }
    return { kind: 'miss', generation: typeof generation === 'string' ? generation : '' }
  }

  async fill(
    key: string,
    value: Json,
    generation: string,
    { ttlMs = this.#ttlMs }: FillOptions = {},
  ): Promise<boolean> {
    const write = call(fillScript, this.#keysOf(key), [generation, JSON.stringify(value), ttlMs])
    const [reply] = await this.#connection.run([write])
    return reply !== undefined && valueOf(reply) === 1
  }

  async readThrough<T extends Json | undefined>(
    key: string,
    load: () => Promise<T>,
    options?: FillOptions,
  ): Promise<T> {
    const known = await this.lookUp(key).catch(() => undefined)
    // Whoever filled it in had a row of this type.
    if (known?.kind === 'hit') return known.value as T
    const value = await load()
    if (known !== undefined && value !== undefined)
      await this.fill(key, value, known.generation, options).catch(() => undefined)
    return value
  }
}

function valueOf(reply: Reply): unknown {
  if ('error' in reply) throw reply.error
  return reply.value
}
