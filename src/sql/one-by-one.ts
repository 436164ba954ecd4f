/**
 * The statements of an interactive transaction, one after another. What nobody awaited is part of it or refused, never run
 * outside of it.
 */
import type { Segment } from '../contracts/effect.ts'
import type { QueryResult, SqlQuery, StoreTransaction } from '../contracts/store.ts'
import { StoreError } from '../errors.ts'

export abstract class OneByOne implements StoreTransaction {
  #last: Promise<unknown> = Promise.resolve()
  #hasEnded = false

  async query(query: SqlQuery): Promise<QueryResult> {
    if (this.#hasEnded) throw transactionEnded()
    const running = this.#last.then(() => this.run(query))
    this.#last = running.catch(() => undefined)
    return await running
  }

  async commit(segments: readonly Segment[]): Promise<void> {
    if (this.#hasEnded) throw transactionEnded()
    await this.#end()
    await this.keep(segments)
  }

  async rollback(): Promise<void> {
    await this.#end()
    await this.undo()
  }

  protected abstract run(query: SqlQuery): Promise<QueryResult>
  /** Commits it with these effects, or undoes it and throws. */
  protected abstract keep(segments: readonly Segment[]): Promise<void>
  /** Never fails, also when it has ended already. */
  protected abstract undo(): Promise<void>

  /** From here on, not from an answer: a statement sent in between would run outside of the transaction. */
  async #end(): Promise<void> {
    this.#hasEnded = true
    await this.#last
  }
}

export function transactionEnded(): StoreError {
  return new StoreError('rejected', 'the transaction has ended; nothing more can run in it')
}
