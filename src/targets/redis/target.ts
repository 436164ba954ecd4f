/**
 * Effects into Redis: one pipeline a batch, one fenced script an effect.
 *
 * Keeps law 8 at its end: a delivery that is repeated, late, or from a dispatcher whose lease is over changes nothing
 * once a newer one of its kind and key was applied.
 */
import type { Redis } from 'ioredis'
import type { Effect, EffectContext, Target } from '../../contracts/effect.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import { Bounds } from '../bounds.ts'
import { dead, effectRefused, parseEach, retry, targetFailed, type TargetOutcome } from '../outcome.ts'
import { GenerationCache, type RedisCache } from './cache.ts'
import { classifyRedisError } from './classify.ts'
import { call, Connection, type Call, type Reply } from './connection.ts'
import type { RedisSettings } from './options.ts'
import { parseRedisPayload, type RedisChange } from './payload.ts'
import { applyScript } from './scripts.ts'

export class RedisTarget implements Target {
  readonly name: string
  /** For those who read what the effects keep right. */
  readonly cache: RedisCache
  readonly #settings: RedisSettings
  readonly #connection: Connection
  readonly #end: () => void

  /** @param disconnect ends the connection where it is the target's own */
  constructor(
    name: string,
    client: Redis,
    settings: RedisSettings,
    runtime: Runtime,
    disconnect?: () => void,
  ) {
    this.name = name
    this.#settings = settings
    const deliveries = new Bounds(name, runtime, settings.timeoutMs)
    const reads = new Bounds(name, runtime, settings.readTimeoutMs)
    this.#connection = new Connection(client, deliveries)
    this.cache = new GenerationCache(
      new Connection(client, reads),
      (key) => this.#keysOf(key),
      settings.fillTtlMs,
    )
    this.#end = () => {
      deliveries.end()
      reads.end()
      disconnect?.()
    }
  }

  async deliver(effects: readonly Effect[], { signal }: EffectContext): Promise<readonly TargetOutcome[]> {
    const { outcomes, readable } = parseEach(this.name, effects, parseRedisPayload)
    if (readable.length === 0) return outcomes
    const calls = readable.map(({ effect, item }) => this.#callFor(effect, item))
    const replies = await this.#run(calls, signal)
    for (const [at, { effect, index }] of readable.entries())
      outcomes[index] = this.#outcomeOf(effect, replies[at] ?? { error: new Error('no reply') })
    return outcomes
  }

  async probe(signal: AbortSignal): Promise<void> {
    try {
      await this.#connection.ping(signal)
    } catch (error) {
      signal.throwIfAborted()
      throw this.#failed(error)
    }
  }

  async close(): Promise<void> {
    this.#end()
  }

  /** The same trouble for all of them is each one's own reply. */
  async #run(calls: readonly Call[], signal: AbortSignal): Promise<readonly Reply[]> {
    try {
      return await this.#connection.run(calls, signal)
    } catch (error) {
      signal.throwIfAborted()
      return calls.map(() => ({ error: error as Error }))
    }
  }

  #callFor({ kind, version }: Effect, change: RedisChange): Call {
    const { fenceMs } = this.#settings
    switch (change.op) {
      case 'set': {
        const { key, json, ttlMs } = change
        const life = Math.max(fenceMs, ttlMs ?? 0)
        return call(applyScript, this.#keysOf(key), [kind, version, life, 'set', json, ttlMs ?? ''])
      }
      case 'remove':
        return call(applyScript, this.#keysOf(change.key), [kind, version, fenceMs, 'remove'])
      case 'publish': {
        const { key, channel, json } = change
        // Without a key it has no predecessor that it could be older than.
        if (key === undefined) return (pipeline) => pipeline.publish(channel, json)
        return call(applyScript, this.#keysOf(key), [kind, version, fenceMs, 'publish', channel, json])
      }
    }
  }

  /** The fence's key follows from the value's, and both are of one slot where a cluster divides keys. */
  #keysOf(key: string): readonly [value: string, fence: string] {
    const value = `${this.#settings.prefix}${key}`
    return [value, `{${value}}:tidemark`]
  }

  #outcomeOf(effect: Effect, reply: Reply): TargetOutcome {
    if (!('error' in reply)) return undefined
    const { error } = reply
    const failure = classifyRedisError(error)
    if (failure === 'refused') return dead(effectRefused(this.name, effect, error.message, error))
    return retry(this.#failed(error), { isOverload: failure === 'overload' })
  }

  #failed(error: unknown): Error {
    const { message } = error as Error
    return message.startsWith('tidemark: ') ? (error as Error) : targetFailed(this.name, message, error)
  }
}
