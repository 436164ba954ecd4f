/** Who may run at once, and who waits in line: the rest is told to come again. */
import { TidemarkError } from '../errors.ts'

export class Turns {
  readonly #concurrency: number
  readonly #maxWaiting: number
  readonly #waiting: PromiseWithResolvers<void>[] = []
  #taken = 0
  #endedBy: Error | undefined

  constructor(concurrency: number, maxWaiting: number) {
    this.#concurrency = concurrency
    this.#maxWaiting = maxWaiting
  }

  get isTaken(): boolean {
    return this.#taken > 0
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Runs `work` when it is its turn. @throws TidemarkError `QUERY_BUSY`; the signal's reason; what `end` was told */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const giveBack = await this.take(signal)
    try {
      return await work()
    } finally {
      giveBack()
    }
  }

  /** @returns what gives the turn back; a second time it does nothing. @throws as `run` */
  async take(signal: AbortSignal): Promise<() => void> {
    await this.#take(signal)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      // Whoever waits longest takes the place over.
      const next = this.#waiting.shift()
      if (next) next.resolve()
      else this.#taken--
    }
  }

  /** Refuses who waits, and who comes. */
  end(reason: Error): void {
    this.#endedBy = reason
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason)
  }

  async #take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#endedBy) throw this.#endedBy
    if (this.#taken < this.#concurrency) {
      this.#taken++
      return
    }
    if (this.#waiting.length >= this.#maxWaiting)
      throw new TidemarkError(
        'QUERY_BUSY',
        `${this.#concurrency} queries run and ${this.#maxWaiting} wait already.`,
        { retryable: true },
      )
    const turn = Promise.withResolvers<void>()
    this.#waiting.push(turn)
    const giveUp = (): void => {
      const index = this.#waiting.indexOf(turn)
      if (index < 0) return
      this.#waiting.splice(index, 1)
      turn.reject(signal.reason)
    }
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      await turn.promise
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }
}

/** @throws TidemarkError `INVALID_OPTIONS` */
export function parseQueryOptions<O extends object>(defaults: Required<O>, given: O): Required<O> {
  const settings = { ...defaults, ...given }
  for (const [name, value] of Object.entries(settings)) {
    const least = name === 'maxWaiting' ? 0 : 1
    if (!(name in defaults) || !Number.isSafeInteger(value) || Number(value) < least)
      throw new TidemarkError(
        'INVALID_OPTIONS',
        `invalid options: ${name} must be one of ${Object.keys(defaults).join(', ')}, and a whole number of at least ${least}.`,
      )
  }
  return settings
}
