/** What takes a query to know, looked up beside the requests and never by more than one query at a time. */
import type { LogStore, Retention } from '../logs/index.ts'

export interface Counts {
  readonly databaseBytes: number
  readonly usedBytes: number
  readonly freeBytes: number
  readonly deadLetters: number
  readonly newestId: number
  readonly oldestMs: number | null
  readonly newestMs: number | null
  readonly unindexed: number
  /** What is deleted by itself; null when nothing is. */
  readonly retention: Retention | null
}

const none: Counts = {
  databaseBytes: 0,
  usedBytes: 0,
  freeBytes: 0,
  deadLetters: 0,
  newestId: 0,
  oldestMs: null,
  newestMs: null,
  unindexed: 0,
  retention: null,
}

export class Sizes {
  readonly #logs: LogStore
  #latest = none
  #lookup: Promise<Counts> | undefined

  constructor(logs: LogStore) {
    this.#logs = logs
  }

  /** As they were when somebody looked; of a database that cannot be read, the last that was known. */
  get latest(): Counts {
    return this.#latest
  }

  refresh(): void {
    this.look().catch(() => undefined)
  }

  /** @throws what the store fails with */
  look(): Promise<Counts> {
    return (this.#lookup ??= this.#ask().finally(() => (this.#lookup = undefined)))
  }

  async #ask(): Promise<Counts> {
    const [status, letters] = await Promise.all([
      this.#logs.status(),
      this.#logs.tidemark.query<{ count: number }>({
        sql: 'SELECT count(*) AS count FROM tidemark_dead_letters',
        parameters: [],
      }),
    ])
    const { newestId, oldestMs, newestMs, unindexed, usedBytes, freeBytes, retention } = status
    return (this.#latest = {
      databaseBytes: usedBytes + freeBytes,
      usedBytes,
      freeBytes,
      deadLetters: letters.rows[0]?.count ?? 0,
      newestId,
      oldestMs: oldestMs ?? null,
      newestMs: newestMs ?? null,
      unindexed,
      retention: Object.keys(retention).length === 0 ? null : retention,
    })
  }
}
