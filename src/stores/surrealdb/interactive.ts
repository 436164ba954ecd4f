/**
 * An interactive transaction. SurrealDB has no savepoints, and a statement that fails may have done a part: after it
 * nothing more runs, and the transaction is cancelled.
 */
import type { Segment } from '../../contracts/effect.ts'
import type { QueryResult, SqlQuery } from '../../contracts/store.ts'
import { StoreError } from '../../errors.ts'
import { OneByOne } from '../../sql/one-by-one.ts'
import { toStoreError } from './classify.ts'
import { checkInTransaction } from './guard.ts'
import { parametersOf, resultOf } from './reads.ts'
import type { Transaction } from './session.ts'

export class Interactive extends OneByOne {
  readonly #transaction: Transaction
  readonly #keep: (segments: readonly Segment[]) => Promise<void>
  readonly #onEnded: (isCommitted: boolean) => Promise<void>
  #brokenBy: Error | undefined

  constructor(
    transaction: Transaction,
    keep: (segments: readonly Segment[]) => Promise<void>,
    onEnded: (isCommitted: boolean) => Promise<void>,
  ) {
    super()
    this.#transaction = transaction
    this.#keep = keep
    this.#onEnded = onEnded
  }

  protected async keep(segments: readonly Segment[]): Promise<void> {
    try {
      if (this.#brokenBy) throw broken(this.#brokenBy)
      await this.#keep(segments)
      await this.#transaction.commit()
    } catch (error) {
      await this.undo()
      throw toStoreError(error, 'unknown')
    }
    await this.#onEnded(true)
  }

  protected async undo(): Promise<void> {
    await this.#transaction.cancel()
    await this.#onEnded(false)
  }

  protected async run(query: SqlQuery): Promise<QueryResult> {
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
