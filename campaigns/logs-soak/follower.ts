/**
 * A subscriber that holds what it is given against the law of tails: every entry once, in the order of the ids, and
 * none is missing but those that retention has deleted.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { LogStore } from '../../src/logs/index.ts'
import { numberIn } from './entries.ts'

export class Follower {
  readonly name: string
  readonly #logs: LogStore
  readonly #pauseMs: number
  readonly #over = new AbortController()
  readonly #running: Promise<void>
  last = 0
  seen = 0
  /** Of those that it did not see: deleted before it came. */
  missed = 0

  /** @param pauseMs how long it does something else after a hundred entries */
  constructor(name: string, logs: LogStore, pauseMs: number) {
    this.name = name
    this.#logs = logs
    this.#pauseMs = pauseMs
    this.#running = this.#run()
    // Told by `stop`.
    this.#running.catch(() => undefined)
  }

  /** Resolves when it has all up to this id. */
  async reach(id: number): Promise<void> {
    const reached = async (): Promise<void> => {
      while (this.last < id) await delay(20)
    }
    await Promise.race([reached(), this.#running])
  }

  /** @throws what it found wrong */
  async stop(): Promise<void> {
    this.#over.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    for await (const { id, message } of this.#logs.subscribe({
      when: 'committed',
      after: 0,
      signal: this.#over.signal,
    })) {
      if (id <= this.last) throw new Error(`${this.name}: ${id} came behind ${this.last}`)
      if (numberIn(message) !== id) throw new Error(`${this.name}: ${id} says ${message}`)
      if (id > this.last + 1) await this.#requireDeleted(this.last, id)
      this.missed += id - this.last - 1
      this.last = id
      if (++this.seen % 100 === 0 && this.#pauseMs > 0) await delay(this.#pauseMs)
    }
  }

  async #requireDeleted(after: number, before: number): Promise<void> {
    const { rows } = await this.#logs.tidemark.query<{ n: number }>(
      { sql: 'SELECT count(*) AS n FROM logs WHERE id > ? AND id < ?', parameters: [after, before] },
      // What it was given shows a state without them, and no read goes behind that.
      'eventual',
    )
    const left = rows[0]?.n
    if (left !== 0)
      throw new Error(`${this.name}: ${left} entries between ${after} and ${before} were passed over`)
  }
}
