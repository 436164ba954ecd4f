/**
 * Connections to one server for reads: as many as they need, and no more than they may.
 *
 * Keeps: law 7 (never more than `max`; who finds none free waits in line, no longer than its patience) and law 9 (closed,
 * it ends its connections, and nobody waits any more).
 *
 * It grows by measurement. Up to `min` connections are made when they are needed; one more whenever the first in line
 * has waited for longer than a connection is worth. One that nobody has used for a while is ended, and the limit goes
 * down with it.
 *
 *   use ──free, or below the limit──▶ reading ──▶ free
 *    └──else──▶ in line ──freed, or the limit raised──┘
 *                  └──patience is over──▶ StaleReadError
 */
import type { Runtime, Timer } from '../../contracts/runtime.ts'
import type { PoolStats } from '../../contracts/store.ts'
import type { Patience } from '../../contracts/wait.ts'
import { StoreError } from '../../errors.ts'
import { asStoreError } from './classify.ts'
import type { Connection } from './connection.ts'
import type { PoolBounds } from './options.ts'

interface Waiting {
  readonly sinceMs: number
  readonly turn: PromiseWithResolvers<void>
}

interface Idle {
  readonly connection: Connection
  readonly timer: Timer
}

/** So long somebody waits before one more connection is made: about what that takes. */
const growAfterMs = 5
const idleMs = 10_000

export class ConnectionPool {
  readonly #open: () => Promise<Connection>
  readonly #bounds: PoolBounds
  readonly #runtime: Runtime
  #limit: number
  /** Reads that have their turn, each with a connection or making one. */
  #taken = 0
  readonly #busy = new Set<Connection>()
  #idle: Idle[] = []
  #line: Waiting[] = []
  #growth: Timer | undefined
  #waits = 0
  #waitedMs = 0
  #closed: PromiseWithResolvers<void> | undefined

  constructor(open: () => Promise<Connection>, bounds: PoolBounds, runtime: Runtime) {
    this.#open = open
    this.#bounds = bounds
    this.#runtime = runtime
    this.#limit = bounds.min
  }

  /** @throws StoreError; StaleReadError when nothing became free in time */
  async use<T>(work: (connection: Connection) => Promise<T>, patience?: Patience): Promise<T> {
    if (this.#closed) throw storeClosed()
    if (this.#taken < this.#limit) this.#taken++
    else await this.#wait(patience)
    let connection: Connection | undefined
    let failure: StoreError | undefined
    try {
      connection = this.#takeIdle() ?? (await this.#open())
      this.#busy.add(connection)
      if (this.#closed) throw storeClosed()
      return await work(connection)
    } catch (error) {
      failure = asStoreError(error, 'not-committed')
      throw failure
    } finally {
      // One on which something else than the query went wrong is not used again.
      if (connection) this.#putBack(connection, failure === undefined || failure.failure === 'rejected')
      this.#next()
    }
  }

  stats(): PoolStats {
    return {
      open: this.#busy.size + this.#idle.length,
      idle: this.#idle.length,
      waiting: this.#line.length,
      limit: this.#limit,
      max: this.#bounds.max,
      waits: this.#waits,
      waitedMs: this.#waitedMs,
    }
  }

  /** Resolves when nothing is read any more. */
  async close(): Promise<void> {
    if (this.#closed) return await this.#closed.promise
    this.#closed = Promise.withResolvers()
    this.#growth?.cancel()
    for (const { turn } of this.#line.splice(0)) turn.reject(storeClosed())
    const ended = this.#idle.splice(0).map(({ connection, timer }) => {
      timer.cancel()
      return connection.end()
    })
    if (this.#taken === 0) this.#closed.resolve()
    await Promise.all([this.#closed.promise, ...ended])
  }

  /** Ends what is still being read. */
  abandon(): void {
    for (const connection of this.#busy) connection.destroy()
    for (const { connection } of this.#idle) connection.destroy()
  }

  async #wait(patience: Patience | undefined): Promise<void> {
    const waiting: Waiting = { sinceMs: this.#runtime.monotonicMs(), turn: Promise.withResolvers() }
    this.#waits++
    this.#line.push(waiting)
    this.#watch()
    const done = waiting.turn.promise
    const cancel = (): void => {
      const at = this.#line.indexOf(waiting)
      if (at >= 0) this.#line.splice(at, 1)
    }
    try {
      await (patience?.wait({ done, cancel }, () => `all ${this.#limit} connections for reads were busy`) ??
        done)
    } finally {
      this.#waitedMs += this.#runtime.monotonicMs() - waiting.sinceMs
    }
  }

  /** Sees to it that the first in line does not wait for long while there may be more connections. */
  #watch(): void {
    const [first] = this.#line
    if (!first || this.#growth || this.#limit >= this.#bounds.max) return
    const leftMs = first.sinceMs + growAfterMs - this.#runtime.monotonicMs()
    this.#growth = this.#runtime.after(Math.max(0, leftMs), () => {
      this.#growth = undefined
      const [oldest] = this.#line
      // Half a millisecond is what timers are wrong by.
      if (oldest && this.#runtime.monotonicMs() - oldest.sinceMs > growAfterMs - 0.5) {
        this.#limit++
        this.#taken++
        this.#next()
      }
      this.#watch()
    })
  }

  /** Somebody's turn is over: it is the next one's. */
  #next(): void {
    const next = this.#line.shift()
    if (next) return next.turn.resolve()
    this.#taken--
    if (this.#taken === 0) this.#closed?.resolve()
  }

  #takeIdle(): Connection | undefined {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      idle.timer.cancel()
      if (idle.connection.isLost) continue
      idle.connection.hold()
      return idle.connection
    }
    return undefined
  }

  #putBack(connection: Connection, isSound: boolean): void {
    this.#busy.delete(connection)
    if (!isSound || connection.isLost) return connection.destroy()
    if (this.#closed) return void connection.end()
    // An engine that only waits keeps no process alive.
    connection.rest()
    const timer = this.#runtime.after(idleMs, () => this.#endIdle(connection), 'background')
    this.#idle.push({ connection, timer })
  }

  #endIdle(connection: Connection): void {
    this.#idle = this.#idle.filter((idle) => idle.connection !== connection)
    void connection.end()
    this.#limit = Math.max(this.#bounds.min, Math.min(this.#limit, this.#taken + this.#idle.length))
  }
}

export function storeClosed(): StoreError {
  return new StoreError('fatal', 'the store was closed')
}
