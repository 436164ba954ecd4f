/** Whoever submits does not run ahead of those who do the work: beyond so much that is unfinished, it waits, then is sent away. */
import type { Database } from '../database.ts'
import { TidemarkError } from '../tidemark.ts'
import { ApiProblem } from './problem.ts'

const kinds = ['scrape', 'embed', 'llm'] as const
/** What was seen holds for so long, and for no more than there was room for: not each of many requests asks the database. */
const believedMs = 100

export class Backpressure {
  readonly #db: Database
  readonly #below: number
  readonly #waitMs: number
  #room = 0
  #untilMs = 0
  #asked: Promise<void> | undefined

  constructor(db: Database, { below, waitMs }: { readonly below: number; readonly waitMs: number }) {
    this.#db = db
    this.#below = below
    this.#waitMs = waitMs
  }

  /** @throws ApiProblem when there is no room within `waitMs` */
  async ready(sources: number): Promise<void> {
    if (this.#room < sources || performance.now() > this.#untilMs) {
      this.#asked ??= this.#ask().finally(() => (this.#asked = undefined))
      await this.#asked
    }
    this.#room -= sources
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
    const stats = await Promise.all(kinds.map((kind) => this.#db.effects.stats(kind)))
    this.#room = this.#below - Math.max(...stats.map(({ queued, waiting }) => queued + waiting))
    this.#untilMs = performance.now() + believedMs
  }
}
