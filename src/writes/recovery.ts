/**
 * Finds out, after a commit has failed, what is committed.
 *
 * Owns: the retries and the time between them.
 * Keeps: law 3 (nothing is sent again before the tidemark was read), law 5 (it goes on until the store answers, or
 * for `giveUpAfterMs`).
 *
 *   failed ──transient──▶ backing off ──▶ reading the tidemark ──▶ found
 *     │ └──chain, the first time─────────────▶ │ └─transient─▶ (again)
 *     └──fatal──▶ to stop ◀──gave up───────────┘
 */
import type { Seq } from '../contracts/position.ts'
import type { Runtime, Timer } from '../contracts/runtime.ts'
import type { OpenedStore, Tidemark } from '../contracts/store.ts'
import type { EngineStoppedError, StoreError, TidemarkError } from '../errors.ts'
import { backoffMs } from './backoff.ts'
import { asStoreError, failedForGood, gaveUp } from './verdicts.ts'

export type Findings =
  | { readonly kind: 'found'; readonly tidemark: Tidemark }
  | { readonly kind: 'stop'; readonly error: EngineStoppedError }
  | { readonly kind: 'cancelled' }

export type OnRetry = (attempt: number, delayMs: number, error: TidemarkError) => void

export class Recovery {
  readonly #store: OpenedStore
  readonly #runtime: Runtime
  readonly #giveUpAfterMs: number
  readonly #onRetry: OnRetry
  /** Failures since the last batch that was committed. */
  #attempt = 0
  #troubleSinceMs = 0
  #timer: Timer | undefined
  #isCancelled = false

  constructor(store: OpenedStore, runtime: Runtime, giveUpAfterMs: number, onRetry: OnRetry) {
    this.#store = store
    this.#runtime = runtime
    this.#giveUpAfterMs = giveUpAfterMs
    this.#onRetry = onRetry
  }

  /** A batch was committed: the trouble is over. */
  isOver(): void {
    this.#attempt = 0
  }

  /** Tries no more: the engine has stopped. A `find` that is backing off never answers. */
  cancel(): void {
    this.#isCancelled = true
    this.#timer?.cancel()
  }

  /** @param known the tidemark as the engine knows it */
  async find(failure: StoreError, known: Seq): Promise<Findings> {
    for (let latest = failure; !this.#isCancelled;) {
      if (latest.failure === 'fatal') return { kind: 'stop', error: failedForGood(latest) }
      if (this.#attempt === 0) this.#troubleSinceMs = this.#runtime.monotonicMs()
      this.#attempt++
      if (this.#runtime.monotonicMs() - this.#troubleSinceMs >= this.#giveUpAfterMs) {
        return { kind: 'stop', error: gaveUp(latest) }
      }
      // A broken chain is mended by reading the tidemark; only one that breaks again has to be waited for.
      if (latest.failure !== 'chain' || this.#attempt > 1) await this.#backOff(latest)
      try {
        return { kind: 'found', tidemark: await this.#store.recover(known) }
      } catch (error) {
        latest = asStoreError(error)
      }
    }
    return { kind: 'cancelled' }
  }

  async #backOff(error: StoreError): Promise<void> {
    const delayMs = backoffMs(this.#attempt, this.#runtime)
    this.#onRetry(this.#attempt, delayMs, error)
    await new Promise<void>((resume) => {
      this.#timer = this.#runtime.after(delayMs, resume)
    })
  }
}
