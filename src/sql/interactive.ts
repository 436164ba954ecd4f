/**
 * An interactive transaction on a connection of its own.
 *
 * Its statements run one after another, each in a savepoint: one that fails leaves the rest of the transaction as it
 * was, in every database, and one that ends the transaction itself is noticed. What nobody awaited is part of it or
 * refused, never run outside of it.
 */
import type { Segment } from '../contracts/effect.ts'
import type { QueryResult, SqlQuery, StoreTransaction } from '../contracts/store.ts'
import { StoreError } from '../errors.ts'
import { toStoreError } from './failure.ts'
import { checkInTransaction, requireOneEffect, type Effect } from './guard.ts'
import type { Answer, SqlTransaction } from './dialect.ts'

/** The rows of an answer as plain data. */
type ResultOf = (answer: Answer, asArrays: boolean | undefined) => QueryResult

export class Interactive implements StoreTransaction {
  readonly #transaction: SqlTransaction
  readonly #resultOf: ResultOf
  readonly #onEnded: (isCommitted: boolean, segments: readonly Segment[]) => Promise<void>
  readonly #keep: (segments: readonly Segment[]) => Promise<void>
  #last: Promise<unknown> = Promise.resolve()
  #hasEnded = false
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
    this.#transaction = transaction
    this.#resultOf = resultOf
    this.#onEnded = onEnded
    this.#keep = keep
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
    const { session } = this.#transaction
    try {
      if (this.#isBroken) throw ended()
      await this.#keep(segments)
      await this.#transaction.commit()
    } catch (error) {
      await this.#transaction.rollback()
      await this.#onEnded(false, [])
      throw toStoreError(session.dialect, error, 'unknown')
    }
    await this.#onEnded(true, segments)
  }

  async rollback(): Promise<void> {
    this.#hasEnded = true
    await this.#last
    await this.#transaction.rollback()
    await this.#onEnded(false, [])
  }

  async #run({ sql, parameters, asArrays }: SqlQuery): Promise<QueryResult> {
    if (this.#isBroken) throw ended()
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

function ended(): StoreError {
  return new StoreError('rejected', 'the transaction has ended; nothing more can run in it')
}
