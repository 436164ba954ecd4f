/** A pipeline of scripts on somebody's connection to Redis: one round trip, one reply a script. */
import type { ChainableCommander, Redis } from 'ioredis'
import type { Bounds } from '../bounds.ts'
import type { Script } from './scripts.ts'

/** Puts one command on a pipeline. `isKnown`: the server is expected to have the script. */
export type Call = (pipeline: ChainableCommander, isKnown: boolean) => unknown

export type Reply = { readonly value: unknown } | { readonly error: Error }

export function call(script: Script, keys: readonly string[], values: readonly (string | number)[]): Call {
  return (pipeline, isKnown) =>
    isKnown
      ? pipeline.evalsha(script.sha, keys.length, ...keys, ...values)
      : pipeline.eval(script.lua, keys.length, ...keys, ...values)
}

export class Connection {
  readonly #client: Redis
  readonly #bounds: Bounds

  constructor(client: Redis, bounds: Bounds) {
    this.#client = client
    this.#bounds = bounds
  }

  /**
   * A server that was restarted has forgotten the scripts, and is sent those that it misses.
   *
   * @throws what ended it early
   */
  async run(calls: readonly Call[], signal?: AbortSignal): Promise<readonly Reply[]> {
    return await this.#bounds.run(signal, async (ending) => {
      const replies = await this.#send(calls, true)
      const missed = replies.flatMap((reply, index) => (isUnknownScript(reply) ? [index] : []))
      if (missed.length === 0) return replies
      ending.throwIfAborted()
      const again = await this.#send(
        calls.filter((_, index) => missed.includes(index)),
        false,
      )
      return replies.map((reply, index) => again[missed.indexOf(index)] ?? reply)
    })
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#bounds.run(signal, () => this.#client.ping())
  }

  async #send(calls: readonly Call[], isKnown: boolean): Promise<readonly Reply[]> {
    const pipeline = this.#client.pipeline()
    for (const put of calls) put(pipeline, isKnown)
    const replies = await pipeline.exec()
    return (replies ?? []).map(([error, value]): Reply => (error ? { error } : { value }))
  }
}

function isUnknownScript(reply: Reply): boolean {
  return 'error' in reply && reply.error.message.startsWith('NOSCRIPT')
}
