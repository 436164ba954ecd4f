/**
 * How long a read may wait: for milliseconds, or until a signal aborts.
 *
 * Keeps: law 6 (a read that is not satisfied in time fails; nothing is left waiting for it).
 */
import type { Runtime, Timer } from '../contracts/runtime.ts'
import type { Patience, Wait } from '../contracts/wait.ts'
import { StaleReadError } from '../errors.ts'

export interface WaitLimits {
  /** In ms; Infinity: for ever. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

export class Deadline implements Patience {
  readonly #runtime: Runtime
  readonly #limits: WaitLimits
  readonly #startedMs: number
  #waitedMs = 0
  /** Waits within a wait count once. */
  #depth = 0

  constructor(runtime: Runtime, limits: WaitLimits) {
    this.#runtime = runtime
    this.#limits = limits
    this.#startedMs = runtime.monotonicMs()
  }

  /** How long was waited, without the queries in between. */
  get waitedMs(): number {
    return this.#waitedMs
  }

  /**
   * @param what is missing, for the error
   * @throws StaleReadError when the wait is over before it is done; then it is cancelled
   */
  async wait<T = void>({ done, cancel }: Wait<T>, what: () => string): Promise<T> {
    const beganMs = this.#runtime.monotonicMs()
    const over = Promise.withResolvers<never>()
    const giveUp = (why: string, cause?: unknown): void => {
      cancel()
      over.reject(new StaleReadError(`${what()} ${why}.`, this.elapsedMs, cause))
    }
    const { signal, timeoutMs } = this.#limits
    const aborted = (): void => giveUp('when the read was aborted', signal?.reason)
    if (signal?.aborted) aborted()
    signal?.addEventListener('abort', aborted, { once: true })
    const timer = this.#expireAfter(() => giveUp(`after ${timeoutMs} ms`))
    this.#depth++
    try {
      return await Promise.race([done, over.promise])
    } finally {
      timer?.cancel()
      signal?.removeEventListener('abort', aborted)
      if (--this.#depth === 0) this.#waitedMs += this.#runtime.monotonicMs() - beganMs
    }
  }

  /**
   * @param unless ends it earlier
   * @throws StaleReadError as `wait`
   */
  async pause(ms: number, what: () => string, unless?: Wait): Promise<void> {
    const over = Promise.withResolvers<void>()
    const timer = this.#runtime.after(ms, over.resolve)
    const end = (): void => {
      timer.cancel()
      unless?.cancel()
    }
    const done = unless ? Promise.race([over.promise, unless.done]).finally(end) : over.promise
    await this.wait({ done, cancel: end }, what)
  }

  /** What is left of it, in ms; Infinity: for ever. */
  get leftMs(): number {
    return Math.max(0, this.#limits.timeoutMs - this.elapsedMs)
  }

  get elapsedMs(): number {
    return this.#runtime.monotonicMs() - this.#startedMs
  }

  #expireAfter(expire: () => void): Timer | undefined {
    const { leftMs } = this
    return Number.isFinite(leftMs) ? this.#runtime.after(leftMs, expire) : undefined
  }
}
