/**
 * Commits batches, each in one transaction on one connection that is taken for it and given back.
 *
 * Keeps: law 2 and 3 (the fence comes first in every transaction: it moves the tidemark from `prev` to `last` or
 * nothing happens; it also locks the writer's row, so whoever ends the epoch waits for the COMMIT), law 4 (see
 * `apply.ts`), law 5 (dead letters are written in the transaction that moves the tidemark past them).
 *
 * Where the database has levels it is READ COMMITTED: a fence that waited for another transaction must judge the
 * row as that one left it, not as it was before. Nothing else in a batch reads.
 *
 *   begin ─▶ fence ─▶ rows, dead letters, checkpoints ─▶ COMMIT
 *     ▲                 │ refused: all again with care; ended the transaction: all again without that operation
 *     └─────────────────┘
 */
import type { Step } from '../../contracts/operation.ts'
import type { Seq } from '../../contracts/position.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import type { Batch, BatchOutcome } from '../../contracts/store.ts'
import { StoreError } from '../../errors.ts'
import {
  CommitViolation,
  culpritsOf,
  isDivisible,
  mergedOutcome,
  TransactionEnded,
  unitsOf,
  type Cause,
} from '../../isolation.ts'
import { Application, NeedsCare } from './apply.ts'
import { chainError, moveTidemark, type Owner } from '../../sql/bookkeeping.ts'
import type { DatabaseSchema } from './dialect.ts'
import { messageOf, toStoreError } from '../../sql/failure.ts'
import type { Session, Transaction } from './session.ts'

/** How a transaction is applied; each time that it fails, one of these is turned. */
interface Attempt {
  isCareful: boolean
  rowByRow: boolean
  readonly condemned: Map<Seq, Cause>
}

export class Executor {
  readonly #session: Session
  readonly #owner: Owner
  readonly #runtime: Runtime
  readonly #onSchemaChange: (schema: DatabaseSchema) => void
  #schema: DatabaseSchema

  constructor(
    session: Session,
    owner: Owner,
    runtime: Runtime,
    schema: DatabaseSchema,
    onSchemaChange: (schema: DatabaseSchema) => void,
  ) {
    this.#session = session
    this.#owner = owner
    this.#runtime = runtime
    this.#schema = schema
    this.#onSchemaChange = onSchemaChange
  }

  get schema(): DatabaseSchema {
    return this.#schema
  }

  async commit(batch: Batch): Promise<BatchOutcome> {
    const isApart = batch.steps.some((step) => this.#isApart(step))
    const outcome = await (isApart ? this.#commitApart(batch) : this.#commitTogether(batch))
    // Without a version to look at, what was refused is the sign that tables may have changed.
    if (outcome.rejections.length > 0) await this.reloadSchema().catch(() => undefined)
    return outcome
  }

  async reloadSchema(): Promise<DatabaseSchema> {
    const schema = await this.#session.dialect.readSchema(this.#session)
    if (schema.version !== this.#schema.version) this.#use(schema)
    return this.#schema
  }

  #use(schema: DatabaseSchema): void {
    this.#schema = schema
    this.#onSchemaChange(schema)
  }

  /** Begins a transaction and moves the tidemark, or changes nothing. */
  async begin(prev: Seq, last: Seq): Promise<Transaction> {
    const transaction = await this.#session.begin(this.#session.dialect.isolation)
    const { session } = transaction
    try {
      if (!(await moveTidemark(session, this.#owner, prev, last))) throw chainError(this.#owner, prev)
      // Inside the transaction, so that the tables stay as they are read.
      const version = await session.dialect.schemaVersion(session)
      if (version !== undefined && version !== this.#schema.version)
        this.#use(await session.dialect.readSchema(session))
      return transaction
    } catch (error) {
      await transaction.rollback()
      throw error
    }
  }

  async #commitTogether(batch: Batch): Promise<BatchOutcome> {
    const attempt: Attempt = { isCareful: false, rowByRow: false, condemned: new Map() }
    let transactions = 0
    let longestTransactionMs = 0
    for (;;) {
      const startedMs = this.#runtime.monotonicMs()
      transactions++
      try {
        const { results, rejections } = await this.#transact(batch, attempt)
        longestTransactionMs = Math.max(longestTransactionMs, this.#runtime.monotonicMs() - startedMs)
        return { results: results.all, rejections, transactions, longestTransactionMs }
      } catch (error) {
        longestTransactionMs = Math.max(longestTransactionMs, this.#runtime.monotonicMs() - startedMs)
        if (error instanceof NeedsCare) attempt.isCareful = true
        else if (error instanceof TransactionEnded) {
          if (error.seq === undefined) attempt.rowByRow = true
          else attempt.condemned.set(error.seq, error.reason)
        } else if (error instanceof CommitViolation) {
          // A constraint that is checked at COMMIT. One unit: it is the culprit; else find it.
          const [step] = batch.steps
          if (batch.steps.length !== 1 || step === undefined || isDivisible(step))
            return await this.#commitApart(batch)
          if (step.kind === 'load' && !attempt.rowByRow) attempt.rowByRow = true
          else for (const seq of culpritsOf(error, batch)) attempt.condemned.set(seq, error.reason)
        } else throw error
      }
    }
  }

  async #transact(batch: Batch, attempt: Attempt): Promise<Application> {
    const transaction = await this.begin(batch.prev, batch.last)
    const { session } = transaction
    const nowMs = this.#runtime.wallMs()
    try {
      const context = { ...this.#owner, ...attempt, session, schema: this.#schema, nowMs }
      const application = new Application(context, batch.prev)
      await application.apply(batch.steps)
      await this.#commitOrFindViolators(transaction, application)
      return application
    } catch (error) {
      await transaction.rollback()
      throw error
    }
  }

  async #commitOrFindViolators(transaction: Transaction, { results }: Application): Promise<void> {
    const { session } = transaction
    try {
      await transaction.commit()
    } catch (error) {
      const { isViolation, code } = session.dialect.classify(error)
      if (!isViolation) throw toStoreError(session.dialect, error, 'unknown')
      // Where a COMMIT that is refused leaves the transaction as it is, its rows can still be looked at.
      const culprits: Seq[] = []
      for (const [table, rows] of results.rowsOf)
        for (const row of await session.dialect.violators(session, table)) {
          const seq = rows.get(row)
          if (seq !== undefined) culprits.push(seq)
        }
      throw new CommitViolation({ code, message: messageOf(error) }, culprits)
    }
  }

  /** One transaction an operation, each moving the tidemark. What one of them leaves undone, the engine resumes. */
  async #commitApart(batch: Batch): Promise<BatchOutcome> {
    const outcomes: BatchOutcome[] = []
    let prev = batch.prev
    for (const { step, positions } of batch.steps.flatMap(unitsOf)) {
      const last = (prev + positions) as Seq
      try {
        outcomes.push(await this.#commitTogether({ prev, last, steps: [step], segments: [] }))
      } catch (error) {
        // What came before it in the batch is committed.
        const failure = toStoreError(this.#session.dialect, error)
        throw outcomes.length > 0 && failure instanceof StoreError ? failure.withUnknownOutcome() : failure
      }
      prev = last
    }
    return mergedOutcome(outcomes)
  }

  #isApart(step: Step): boolean {
    const { deferred, traits } = this.#schema
    const runs = step.kind === 'run' ? [step] : step.runs
    return (
      deferred === 'apart' &&
      runs.some(({ shape }) => shape.kind === 'statement' || traits.get(shape.table)?.isDeferred === true)
    )
  }
}
