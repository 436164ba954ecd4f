/**
 * A worker's own connection, as programs have it whose every statement commits by itself: each takes the database's
 * lock, and waits and tries again while another has it. SQLite would do that by itself (`busy_timeout`), with these very
 * delays, but would not tell how often.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { ConnectionTally } from './messages.ts'

const delaysMs = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100] as const
const longestDelayMs = 100
const SQLITE_BUSY = 5

export class OwnConnection {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #writesMs: number[] = []
  #reads = 0
  #busyErrors = 0
  #waitedMs = 0

  constructor(file: string) {
    this.#database = new DatabaseSync(file, { timeout: 0 })
    // As Tidemark has it, so that both write equally safely.
    this.#patiently(() => this.#database.exec('PRAGMA synchronous = NORMAL'))
  }

  read(sql: string, ...values: SQLInputValue[]): Record<string, unknown> | undefined {
    this.#reads++
    return this.#patiently(() => this.#statement(sql).get(...values))
  }

  write(sql: string, ...values: SQLInputValue[]): void {
    const startedMs = performance.now()
    this.#patiently(() => this.#statement(sql).run(...values))
    this.#writesMs.push(performance.now() - startedMs)
  }

  close(): ConnectionTally {
    this.#database.close()
    return {
      waitedMs: this.#waitedMs,
      reads: this.#reads,
      writes: this.#writesMs.length,
      busyErrors: this.#busyErrors,
      writesMs: Float64Array.from(this.#writesMs),
    }
  }

  #patiently<T>(call: () => T): T {
    const startedMs = performance.now()
    try {
      for (let tries = 0; ; tries++) {
        try {
          return call()
        } catch (error) {
          if (!isBusy(error)) throw error
          this.#busyErrors++
          sleep(delaysMs[tries] ?? longestDelayMs)
        }
      }
    } finally {
      this.#waitedMs += performance.now() - startedMs
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

const never = new Int32Array(new SharedArrayBuffer(4))

/** Blocks, as SQLite does. */
function sleep(ms: number): void {
  Atomics.wait(never, 0, 0, ms)
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === SQLITE_BUSY
}
