/**
 * The processes that run the SQL of clients: a few at once, one of them always warm, each killed when it takes too
 * long. A statement of node:sqlite cannot be interrupted; a process can.
 *
 *   run ─▶ a place? ──no──▶ waits, in order ──too many──▶ QUERY_BUSY
 *            │ yes             │ given up: leaves the line
 *            ▼                 ▼
 *   idle process, or a new one ──question──▶ answer ─▶ back to idle, if none is
 *            │ time is over, client gone, process died
 *            ▼
 *          SIGKILL, and a new one in its place
 */
import type {
  OpenedSqlRunner,
  SqlAnswer,
  SqlQuestion,
  SqlRunner,
  SqlRunnerStats,
} from '../../contracts/sql-runner.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import { EngineStoppedError, TidemarkError } from '../../errors.ts'
import { parseQueryOptions, Turns } from '../../sql/turns.ts'
import { QueryChild } from './query-child-handle.ts'
import type { QueryLimits } from './query-messages.ts'

export interface SqliteQueryOptions {
  /** How long a query may run, in ms. Default 5,000. */
  readonly timeoutMs?: number
  /** Queries that run at once. Default 2. */
  readonly concurrency?: number
  /** Queries that wait for their turn. Default 16. */
  readonly maxWaiting?: number
  /** The most rows that can be asked for. Default 10,000. */
  readonly maxRows?: number
  /** Of an answer, as JSON text. Default 4 MiB. */
  readonly maxBytes?: number
  /** The JavaScript heap of a process, in MB. Default 64. */
  readonly maxHeapMb?: number
}

export const SQLITE_QUERY_DEFAULTS: Required<SqliteQueryOptions> = Object.freeze({
  timeoutMs: 5_000,
  concurrency: 2,
  maxWaiting: 16,
  maxRows: 10_000,
  maxBytes: 4 * 2 ** 20,
  maxHeapMb: 64,
})

/**
 * Where the server runs the SQL of its clients on a database file: `serve({ logs, sql: sqliteQueries('app.db') })`.
 *
 * @throws TidemarkError `INVALID_OPTIONS`
 */
export function sqliteQueries(path: string, options: SqliteQueryOptions = {}): SqlRunner {
  const settings = parseQueryOptions(SQLITE_QUERY_DEFAULTS, options)
  return { open: (runtime) => new QueryProcesses(path, settings, runtime) }
}

class QueryProcesses implements OpenedSqlRunner {
  readonly maxRows: number
  readonly #path: string
  readonly #settings: Required<SqliteQueryOptions>
  readonly #limits: QueryLimits
  readonly #runtime: Runtime
  readonly #turns: Turns
  readonly #busy = new Set<QueryChild>()
  #idle: QueryChild | undefined
  #runs = 0
  #kills = 0
  #isClosed = false

  constructor(path: string, settings: Required<SqliteQueryOptions>, runtime: Runtime) {
    this.#path = path
    this.#settings = settings
    this.#runtime = runtime
    const { concurrency, maxWaiting, maxRows, maxBytes, maxHeapMb } = settings
    this.#turns = new Turns(concurrency, maxWaiting)
    this.maxRows = maxRows
    this.#limits = { maxRows, maxBytes, maxHeapMb }
    this.#idle = this.#start()
  }

  run(question: SqlQuestion, signal: AbortSignal): Promise<SqlAnswer> {
    return this.#turns.run(signal, () => this.#runOn(this.#takeChild(), question, signal))
  }

  stats(): SqlRunnerStats {
    return { running: this.#busy.size, waiting: this.#turns.waiting, runs: this.#runs, kills: this.#kills }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#turns.end(closed())
    const children = [...this.#busy, ...(this.#idle ? [this.#idle] : [])]
    this.#idle = undefined
    await Promise.all(children.map((child) => child.kill()))
  }

  #takeChild(): QueryChild {
    const idle = this.#idle
    this.#idle = undefined
    return idle === undefined || idle.isDead ? this.#start() : idle
  }

  #start(): QueryChild {
    return new QueryChild(this.#path, this.#limits)
  }

  async #runOn(child: QueryChild, question: SqlQuestion, signal: AbortSignal): Promise<SqlAnswer> {
    this.#busy.add(child)
    this.#runs++
    const { timeoutMs, maxRows } = this.#settings
    const over = Promise.withResolvers<never>()
    const hangUp = (): void => over.reject(signal.reason)
    signal.addEventListener('abort', hangUp, { once: true })
    let timer: ReturnType<Runtime['after']> | undefined
    try {
      signal.throwIfAborted()
      // The time of a query is its own, not that of the process to start.
      await Promise.race([child.ready, over.promise])
      timer = this.#runtime.after(timeoutMs, () => over.reject(tooLong(timeoutMs)))
      const asked = { ...question, maxRows: Math.min(question.maxRows, maxRows) }
      return await Promise.race([child.ask(asked), over.promise])
    } catch (error) {
      if (child.isAsked || !child.isReady) {
        this.#kills++
        void child.kill()
      }
      throw this.#isClosed ? closed() : error
    } finally {
      timer?.cancel()
      signal.removeEventListener('abort', hangUp)
      this.#busy.delete(child)
      this.#keep(child)
    }
  }

  /** One is kept warm, be it this one or a new one in its place. */
  #keep(child: QueryChild): void {
    if (this.#isClosed || this.#idle) {
      if (!child.isDead) void child.kill()
    } else {
      this.#idle = child.isDead ? this.#start() : child
    }
  }
}

function tooLong(ms: number): TidemarkError {
  return new TidemarkError('QUERY_STOPPED', `the query had run for ${ms} ms and was stopped.`)
}

function closed(): TidemarkError {
  return new EngineStoppedError('CLOSED', 'the server is closed; the query was not answered.')
}
