/**
 * An interactive transaction.
 *
 * Its statements run one after another. SurrealDB has no savepoints, and one that fails may have done a part: after it,
 * nothing more runs, and the transaction is cancelled.
 */
import type { Segment } from '../../contracts/effect.ts'
import type { QueryResult, SqlQuery, StoreTransaction } from '../../contracts/store.ts'
import { StoreError } from '../../errors.ts'
import { toStoreError } from './classify.ts'
import { checkInTransaction } from './guard.ts'
import { parametersOf, resultOf } from './reads.ts'
import type { Transaction } from './session.ts'

export class Interactive implements StoreTransaction {
  readonly #transaction: Transaction
  readonly #keep: (segments: readonly Segment[]) => Promise<void>
  readonly #onEnded: (isCommitted: boolean) => Promise<void>
  #last: Promise<unknown> = Promise.resolve()
  #hasEnded = false
  #brokenBy: Error | undefined

  constructor(
    transaction: Transaction,
    keep: (segments: readonly Segment[]) => Promise<void>,
    onEnded: (isCommitted: boolean) => Promise<void>,
  ) {
    this.#transaction = transaction
    this.#keep = keep
    this.#onEnded = onEnded
  }

  async query(query: SqlQuery): Promise<QueryResult> {
    if (this.#hasEnded) throw ended()
    const running = this.#last.then(() => this.#run(query))
    this.#last = running.catch(() => undefined)
    return await running
  }

  async commit(segments: readonly Segment[]): Promise<void> {
    if (this.#hasEnded) throw ended()
    // From here on, not from the answer: a statement sent in between would run outside of the transaction.
    this.#hasEnded = true
    await this.#last
    try {
      if (this.#brokenBy) throw broken(this.#brokenBy)
      await this.#keep(segments)
      await this.#transaction.commit()
    } catch (error) {
      await this.#transaction.cancel()
      await this.#onEnded(false)
      throw toStoreError(error, 'unknown')
    }
    await this.#onEnded(true)
  }

  async rollback(): Promise<void> {
    this.#hasEnded = true
    await this.#last
    await this.#transaction.cancel()
    await this.#onEnded(false)
  }

  async #run(query: SqlQuery): Promise<QueryResult> {
    if (this.#brokenBy) throw broken(this.#brokenBy)
    const effect = checkInTransaction(query)
    try {
      const [answer] = await this.#transaction.ask(query.sql, parametersOf(query))
      return resultOf(answer)
    } catch (error) {
      const failed = toStoreError(error)
      if (effect !== 'reads') this.#brokenBy = failed
      throw failed
    }
  }
}

function broken(cause: Error): StoreError {
  return new StoreError('rejected', 'a statement of the transaction failed, and may have done a part', {
    cause,
    hint: 'Let the error out of the callback and run the transaction again without that statement.',
  })
}

function ended(): StoreError {
  return new StoreError('rejected', 'the transaction has ended; nothing more can run in it')
}
