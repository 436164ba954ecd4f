/**
 * What is done beside the writes, every few seconds: rows that the full-text index has not reached are indexed, slice
 * by slice, its generations begin and end, and the retention is kept. Trouble is told as the engine's own events tell it;
 * the next round tries again.
 */
import type { Runtime } from '../contracts/runtime.ts'
import type { Arrivals } from './arrivals.ts'
import { dropDead, rotate } from './generations.ts'
import { cleanup, type Cleanup, type Retention } from './retention.ts'
import { INDEX_SLICE, indexSql, type LogEngine, type LogTable } from './table.ts'

/** A tenth of the size is left for what comes in between two looks. */
const sizeMargin = 0.9
/** Where there was something to delete there soon is more. */
const busyPauseMs = 250

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
  #rounds: Promise<unknown> = Promise.resolve()
  /** One at a time: two would delete the same rows, and each find less than it looked for. */
  #cleanup: Promise<unknown> = Promise.resolve()

  constructor(context: MaintenanceContext, retention: Retention & { readonly everyMs: number }) {
    this.#context = context
    this.#retention = retention
  }

  /** Beside each other: to keep the retention may take long, and the index must not wait for it. */
  start(): void {
    const { maxAgeMs, maxBytes, everyMs } = this.#retention
    const isKept = maxAgeMs !== undefined || maxBytes !== undefined
    this.#rounds = Promise.all([
      this.#repeat(async () => {
        await this.#keepIndex()
        return everyMs
      }),
      ...(isKept ? [this.#repeat(() => this.#keepRetention())] : []),
    ])
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
    await Promise.all([this.#rounds, this.#cleanup])
  }

  /** @param task gives how long to pause, in ms */
  async #repeat(task: () => Promise<number>): Promise<void> {
    const { signal } = this.#ending
    while (!signal.aborted) {
      // The engine has stopped, and told so, or the store could not be read just now.
      const pauseMs = await task().catch(() => this.#retention.everyMs)
      await this.#pause(pauseMs, signal)
    }
  }

  /** Until the next round, or until it is stopped. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    const timer = this.#context.runtime.after(ms, wake, 'background')
    signal.addEventListener('abort', wake, { once: true })
    await promise
    timer.cancel()
    signal.removeEventListener('abort', wake)
  }

  async #keepRetention(): Promise<number> {
    const { maxAgeMs, maxBytes, everyMs } = this.#retention
    const { deleted } = await this.cleanup(
      {
        ...(maxAgeMs !== undefined && { maxAgeMs }),
        ...(maxBytes !== undefined && { maxBytes: sizeMargin * maxBytes }),
      },
      undefined,
    )
    return deleted > 0 ? Math.min(busyPauseMs, everyMs) : everyMs
  }

  async #keepIndex(): Promise<void> {
    const { db, table } = this.#context
    await dropDead(db, table, this.#ending.signal)
    await this.index()
    await rotate(db, table)
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
