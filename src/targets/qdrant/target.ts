/**
 * Effects into a collection of Qdrant: a batch is one request.
 *
 * Keeps law 8 at its end: `wait` makes the answer mean that the change is applied, and each change holds for an older
 * point alone. A batch that is refused was applied up to the bad effect at most; what is sent again changes nothing.
 */
import type { QdrantClient, Schemas } from '@qdrant/js-client-rest'
import type { Effect, EffectContext, Target } from '../../contracts/effect.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import { TidemarkError } from '../../errors.ts'
import { Bounds } from '../bounds.ts'
import {
  dead,
  effectRefused,
  parseEach,
  retry,
  targetFailed,
  type Readable,
  type TargetOutcome,
} from '../outcome.ts'
import { failureOf } from './failure.ts'
import type { QdrantSettings } from './options.ts'
import { parsePointChange } from './payload.ts'

type Api = ReturnType<QdrantClient['api']>
type Change = Readable<Schemas['UpdateOperation']>

export class QdrantTarget implements Target {
  readonly name: string
  readonly #api: Api
  readonly #collection: string
  readonly #bounds: Bounds
  /** An older server takes a change without its condition, and says nothing. */
  #isKnownToCompare = false

  constructor(api: Api, { url, collection, timeoutMs }: QdrantSettings, runtime: Runtime) {
    const { origin, pathname } = new URL(url)
    this.name = `qdrant ${origin}${pathname} ${collection}`
    this.#api = api
    this.#collection = collection
    this.#bounds = new Bounds(this.name, runtime, timeoutMs)
  }

  async deliver(effects: readonly Effect[], { signal }: EffectContext): Promise<readonly TargetOutcome[]> {
    const { outcomes, readable } = parseEach(this.name, effects, parsePointChange)
    if (readable.length > 0) await this.#apply(readable, outcomes, signal)
    return outcomes
  }

  async probe(signal: AbortSignal): Promise<void> {
    try {
      await this.#requireConditions(signal)
      const collection = { collection_name: this.#collection }
      await this.#bounds.run(signal, (ending) => this.#api.getCollection(collection, { signal: ending }))
    } catch (error) {
      signal.throwIfAborted()
      throw this.#failed(error)
    }
  }

  async close(): Promise<void> {
    this.#bounds.end()
  }

  async #apply(changes: readonly Change[], outcomes: TargetOutcome[], signal: AbortSignal): Promise<void> {
    try {
      await this.#requireConditions(signal)
      const results = await this.#send(changes, signal)
      for (const [at, { index }] of changes.entries()) outcomes[index] = this.#outcomeOf(results[at])
    } catch (error) {
      signal.throwIfAborted()
      const { isRefused, isOverload, afterMs, message } = failureOf(error)
      const [first] = changes
      if (isRefused && changes.length > 1) {
        const half = changes.length >> 1
        await this.#apply(changes.slice(0, half), outcomes, signal)
        await this.#apply(changes.slice(half), outcomes, signal)
      } else if (isRefused && first !== undefined) {
        outcomes[first.index] = dead(effectRefused(this.name, first.effect, message, error))
      } else {
        for (const { index } of changes) outcomes[index] = retry(this.#failed(error), { isOverload, afterMs })
      }
    }
  }

  async #send(changes: readonly Change[], signal: AbortSignal): Promise<readonly Schemas['UpdateResult'][]> {
    const operations = changes.map(({ item }) => item)
    const request = { collection_name: this.#collection, wait: true, operations }
    const { data } = await this.#bounds.run(signal, (ending) =>
      this.#api.batchUpdate(request, { signal: ending }),
    )
    return data.result ?? []
  }

  async #requireConditions(signal: AbortSignal): Promise<void> {
    if (this.#isKnownToCompare) return
    const { data } = await this.#bounds.run(signal, (ending) => this.#api.root({}, { signal: ending }))
    const [major = 0, minor = 0] = data.version.split('.').map(Number)
    if (major < 1 || (major === 1 && minor < 16))
      throw targetFailed(this.name, `it is Qdrant ${data.version}, and compares no versions: 1.16 is needed`)
    this.#isKnownToCompare = true
  }

  #outcomeOf(result: Schemas['UpdateResult'] | undefined): TargetOutcome {
    if (result?.status === 'completed') return undefined
    const said = `the change is ${result?.status ?? 'not answered'}, and not known to be applied`
    return retry(targetFailed(this.name, said), { isOverload: true })
  }

  #failed(error: unknown): Error {
    return error instanceof TidemarkError ? error : targetFailed(this.name, failureOf(error).message, error)
  }
}
