/** Whoever submits does not run ahead of those who do the work: beyond so much that is unfinished, it waits, then is sent away. */
import type { Database } from '../database.ts'
import { TidemarkError } from '../tidemark.ts'
import { ApiProblem } from './problem.ts'

const kinds = ['scrape', 'embed', 'llm'] as const
/** What was seen holds for so long: not each of many requests asks the database. */
const believedMs = 100

export class Backpressure {
  readonly #db: Database
  readonly #below: number
  readonly #waitMs: number
  #seen: { readonly untilMs: number; readonly ready: Promise<void> } | undefined

  constructor(db: Database, { below, waitMs }: { readonly below: number; readonly waitMs: number }) {
    this.#db = db
    this.#below = below
    this.#waitMs = waitMs
  }

  /** @throws ApiProblem when it takes longer than `waitMs` */
  async ready(): Promise<void> {
    const nowMs = performance.now()
    if (this.#seen === undefined || this.#seen.untilMs < nowMs) {
      const ready = this.#ask()
      this.#seen = { untilMs: nowMs + believedMs, ready }
      ready.catch(() => undefined)
    }
    await this.#seen.ready
  }

  async #ask(): Promise<void> {
    const options = { below: this.#below, timeoutMs: this.#waitMs }
    try {
      await Promise.all(kinds.map((kind) => this.#db.effects.ready(kind, options)))
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'EFFECTS_PENDING') throw error
      throw new ApiProblem(503, 'TOO_MUCH_UNFINISHED', 'Too much of what was submitted is unfinished.', {
        retryAfterMs: 2_000,
        hint: 'Nothing of this request was taken. Send it again when Retry-After is over.',
      })
    }
  }
}
