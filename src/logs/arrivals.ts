/**
 * Tells whoever waits for new rows that there are some: at once when this engine committed, and within a moment when
 * another process did.
 *
 * Owns: one look at the table at a time, shared by all who wait, and none while nobody does. A write for which somebody
 * waits here does not linger: it is as if they had awaited it.
 */
import type { Runtime, Timer } from '../contracts/runtime.ts'
import { indexedUpToSql, type LogEngine, type LogTable } from './table.ts'

/** What a look at the table found. */
export interface Extent {
  /** The highest id, 0 for none. */
  readonly newest: number
  /** Rows up to this id are in the full-text index. */
  readonly indexed: number
}

/** Rows of other processes are noticed this late at most. */
const pollMs = 250

export class Arrivals {
  readonly #db: LogEngine
  readonly #runtime: Runtime
  readonly #sql: string
  readonly #stopListening: () => void
  #waiting = 0
  #next: PromiseWithResolvers<Extent> | undefined
  #timer: Timer | undefined
  #isLooking = false
  #isStale = false
  #isUrging = false

  constructor(db: LogEngine, table: LogTable, runtime: Runtime) {
    this.#db = db
    this.#runtime = runtime
    this.#sql =
      `SELECT coalesce((SELECT max(id) FROM ${table.name}), 0) AS newest, ` +
      `${indexedUpToSql(table)} AS indexed`
    this.#stopListening = db.on('commit', () => {
      if (this.#waiting > 0) this.#look()
    })
  }

  async extent(): Promise<Extent> {
    const { rows } = await this.#db.query<Extent>({ sql: this.#sql, parameters: [] }, 'eventual')
    return rows[0] as Extent
  }

  /** Resolves with what the next look finds, new or not. Rejects when the store can no longer be read. */
  async next(signal: AbortSignal): Promise<Extent> {
    const next = (this.#next ??= Promise.withResolvers())
    const aborted = Promise.withResolvers<never>()
    const abort = (): void => aborted.reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    this.#waiting++
    this.urge()
    this.#timer ??= this.#runtime.after(pollMs, () => this.#look())
    try {
      return await Promise.race([next.promise, aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
      this.#waiting--
      // A timer keeps the process alive, as whoever waits wants it, and nobody else.
      if (this.#waiting === 0) this.#stopTimer()
    }
  }

  /** Something was accepted. */
  urge(): void {
    if (this.#waiting === 0 || this.#isUrging) return
    this.#isUrging = true
    const done = (): void => void (this.#isUrging = false)
    this.#db.flush().then(done, done)
  }

  close(): void {
    this.#stopListening()
    this.#stopTimer()
  }

  #stopTimer(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #look(): void {
    if (this.#isLooking) {
      this.#isStale = true
      return
    }
    this.#isLooking = true
    this.#stopTimer()
    const next = this.#next
    this.#next = undefined
    next?.promise.catch(() => undefined)
    this.extent()
      .then(
        (extent) => next?.resolve(extent),
        (error: unknown) => next?.reject(error),
      )
      .finally(() => {
        this.#isLooking = false
        // Rows were committed while it looked: it may have missed them.
        if (this.#isStale && this.#waiting > 0) this.#look()
        this.#isStale = false
      })
      .catch(() => undefined)
  }
}
