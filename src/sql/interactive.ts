/**
 * An interactive transaction on a connection of its own.
 *
 * Each of its statements stands in a savepoint: one that fails leaves the rest of the transaction as it was, in every
 * database, and one that ends the transaction itself is noticed.
 */
import type { Segment } from '../contracts/effect.ts'
import type { QueryResult, SqlQuery } from '../contracts/store.ts'
import { toStoreError } from './failure.ts'
import { checkInTransaction, requireOneEffect, type Effect } from './guard.ts'
import type { Answer, SqlTransaction } from './dialect.ts'
import { OneByOne, transactionEnded } from './one-by-one.ts'

/** The rows of an answer as plain data. */
type ResultOf = (answer: Answer, asArrays: boolean | undefined) => QueryResult

export class Interactive extends OneByOne {
  readonly #transaction: SqlTransaction
  readonly #resultOf: ResultOf
  readonly #onEnded: (isCommitted: boolean, segments: readonly Segment[]) => Promise<void>
  readonly #keep: (segments: readonly Segment[]) => Promise<void>
  /** What its statements do so far. */
  #effect: Effect = 'reads'
  /** A statement ended it, or its connection is gone. */
  #isBroken = false

  constructor(
    transaction: SqlTransaction,
    resultOf: ResultOf,
    onEnded: (isCommitted: boolean, segments: readonly Segment[]) => Promise<void>,
    keep: (segments: readonly Segment[]) => Promise<void> = async () => undefined,
  ) {
    super()
    this.#transaction = transaction
    this.#resultOf = resultOf
    this.#onEnded = onEnded
    this.#keep = keep
  }

  protected async keep(segments: readonly Segment[]): Promise<void> {
    const { session } = this.#transaction
    try {
      if (this.#isBroken) throw transactionEnded()
      await this.#keep(segments)
      await this.#transaction.commit()
    } catch (error) {
      await this.undo()
      throw toStoreError(session.dialect, error, 'unknown')
    }
    await this.#onEnded(true, segments)
  }

  protected async undo(): Promise<void> {
    await this.#transaction.rollback()
    await this.#onEnded(false, [])
  }

  protected async run({ sql, parameters, asArrays }: SqlQuery): Promise<QueryResult> {
    if (this.#isBroken) throw transactionEnded()
    const { session } = this.#transaction
    const { dialect } = session
    const effect = checkInTransaction(dialect, sql)
    requireOneEffect(dialect, this.#effect, effect)
    if (effect !== 'reads') this.#effect = effect
    const statement = dialect.statement(sql, parameters)
    // Where it commits with each of its statements there is nothing left to go back to.
    const isKept = !(dialect.schemaChangesCommit && this.#effect === 'changes schema')
    let answer: Answer
    try {
      if (isKept) await session.run('SAVEPOINT tidemark_statement')
      answer = await session.run(statement.sql, statement.parameters)
      if (isKept) await session.run('RELEASE SAVEPOINT tidemark_statement')
    } catch (error) {
      if (isKept) await this.#undo()
      throw toStoreError(dialect, error)
    }
    return this.#resultOf(answer, asArrays)
  }

  async #undo(): Promise<void> {
    const { session } = this.#transaction
    try {
      await session.run('ROLLBACK TO SAVEPOINT tidemark_statement')
      await session.run('RELEASE SAVEPOINT tidemark_statement')
    } catch {
      this.#isBroken = true
    }
  }
}
