/** Effects into a file of vectors, on a thread of its own: SQLite's calls take as long as they take. */
import type { Effect, EffectContext, Target } from '../../contracts/effect.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import { TidemarkError } from '../../errors.ts'
import { Bounds, TargetTimeout } from '../bounds.ts'
import { dead, effectRefused, parseEach, retry, targetFailed, type TargetOutcome } from '../outcome.ts'
import type { ChangeFailure, Requests } from './messages.ts'
import type { SqliteVecSettings } from './options.ts'
import { parseVectorPayload } from './payload.ts'
import { hitOf, parseQuery, type VectorHit, type VectorSearch } from './search.ts'
import { Thread, ThreadFailure } from './thread.ts'

export class SqliteVecTarget implements Target, VectorSearch {
  readonly name: string
  readonly #settings: SqliteVecSettings
  readonly #runtime: Runtime
  readonly #bounds: Bounds
  #thread: Thread | undefined

  constructor(settings: SqliteVecSettings, runtime: Runtime) {
    this.name = `sqlite-vec ${settings.path} ${settings.table}`
    this.#settings = settings
    this.#runtime = runtime
    this.#bounds = new Bounds(this.name, runtime, settings.timeoutMs)
  }

  async deliver(effects: readonly Effect[], { signal }: EffectContext): Promise<readonly TargetOutcome[]> {
    const { outcomes, readable } = parseEach(this.name, effects, (effect) =>
      parseVectorPayload(effect, this.#settings),
    )
    if (readable.length === 0) return outcomes
    const changes = readable.map(({ item }) => item)
    try {
      const failures = await this.#call('apply', { changes, nowMs: this.#runtime.wallMs() }, signal)
      for (const [at, { effect, index }] of readable.entries())
        outcomes[index] = this.#outcomeOf(effect, failures[at])
    } catch (error) {
      signal.throwIfAborted()
      const isOverload = error instanceof TargetTimeout || (error instanceof ThreadFailure && error.isDown)
      for (const { index } of readable) outcomes[index] = retry(this.#failed(error), { isOverload })
    }
    return outcomes
  }

  async search(vector: readonly number[] | Float32Array, k: number): Promise<readonly VectorHit[]> {
    const query = parseQuery(vector, k, this.#settings)
    try {
      return (await this.#call('search', { vector: query, k })).map(hitOf)
    } catch (error) {
      throw this.#failed(error)
    }
  }

  async probe(signal: AbortSignal): Promise<void> {
    try {
      await this.#call('probe', {}, signal)
    } catch (error) {
      signal.throwIfAborted()
      throw this.#failed(error)
    }
  }

  async close(): Promise<void> {
    this.#bounds.end()
    await this.#thread?.close()
  }

  async #call<K extends keyof Requests>(
    kind: K,
    request: Requests[K]['request'],
    signal?: AbortSignal,
  ): Promise<Requests[K]['answer']> {
    return await this.#bounds.run(signal, async () => {
      if (this.#thread?.isDead !== false) this.#thread = new Thread(this.#settings)
      return await this.#thread.call(kind, request)
    })
  }

  #outcomeOf(effect: Effect, failure: ChangeFailure): TargetOutcome {
    if (failure === undefined) return undefined
    const { isFinal, message } = failure
    return isFinal ? dead(effectRefused(this.name, effect, message)) : retry(targetFailed(this.name, message))
  }

  #failed(error: unknown): Error {
    return error instanceof TidemarkError ? error : targetFailed(this.name, (error as Error).message, error)
  }
}
