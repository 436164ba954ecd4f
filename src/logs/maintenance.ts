/**
 * What is done beside the writes, every few seconds: rows that the full-text index has not reached are indexed, slice
 * by slice, and the retention is kept. Trouble is told as the engine's own events tell it; the next round tries again.
 */
import type { Runtime, Timer } from '../contracts/runtime.ts'
import type { Arrivals } from './arrivals.ts'
import { cleanup, type Cleanup, type Retention } from './retention.ts'
import { INDEX_SLICE, indexSql, type LogEngine, type LogTable } from './table.ts'

export interface MaintenanceContext {
  readonly db: LogEngine
  readonly table: LogTable
  readonly runtime: Runtime
  readonly arrivals: Arrivals
}

export class Maintenance {
  readonly #context: MaintenanceContext
  readonly #retention: Retention & { readonly everyMs: number }
  readonly #ending = new AbortController()
  #timer: Timer | undefined
  #round: Promise<void> = Promise.resolve()
  /** One at a time: two would delete the same rows, and each find less than it looked for. */
  #cleanup: Promise<unknown> = Promise.resolve()

  constructor(context: MaintenanceContext, retention: Retention & { readonly everyMs: number }) {
    this.#context = context
    this.#retention = retention
  }

  start(): void {
    this.#round = this.#run()
  }

  cleanup(policy: Retention, signal: AbortSignal | undefined): Promise<Cleanup> {
    const both = signal ? AbortSignal.any([signal, this.#ending.signal]) : this.#ending.signal
    const result = this.#cleanup.then(() => cleanup(this.#context, policy, both))
    this.#cleanup = result.catch(() => undefined)
    return result
  }

  /** Ends behind the slice that is under way. */
  async stop(): Promise<void> {
    this.#ending.abort(new Error('the log store is closed'))
    this.#timer?.cancel()
    await Promise.all([this.#round, this.#cleanup])
  }

  async #run(): Promise<void> {
    try {
      await this.index()
      const { maxAgeMs, maxBytes } = this.#retention
      if (maxAgeMs !== undefined || maxBytes !== undefined) await this.cleanup(this.#retention, undefined)
    } catch {
      // The engine has stopped, and told so, or the store could not be read just now.
    }
    if (this.#ending.signal.aborted) return
    this.#timer = this.#context.runtime.after(
      this.#retention.everyMs,
      () => void (this.#round = this.#run()),
      'background',
    )
  }

  /** Resolves when every row is indexed. */
  async index(): Promise<void> {
    const { db, table, arrivals } = this.#context
    for (;;) {
      const { newest, indexed } = await arrivals.extent()
      if (newest <= indexed || this.#ending.signal.aborted) return
      while (db.isFull) await db.ready()
      // What is derived at the end of its transaction are the next rows, as many again.
      await db.write({ sql: indexSql(table, INDEX_SLICE), parameters: [] })
    }
  }
}
