/**
 * Commits batches on one SQLite connection: the part of the store that runs on the writer's thread.
 *
 * Keeps: law 2 and 3 (the fence comes first in every transaction: it moves the tidemark from `prev` to `last`
 * or nothing happens), law 4 (see `apply.ts`; where a constraint is checked at COMMIT only, every operation gets
 * a transaction of its own, so that batch boundaries decide nothing), law 5 (dead letters are written in the
 * transaction that moves the tidemark past them).
 *
 *   BEGIN IMMEDIATE ─▶ fence ─▶ rows, dead letters, checkpoints ─▶ derived rows ─▶ COMMIT
 *         ▲                          │ transaction ended by an operation
 *         └──── that one condemned ──┘
 */
import type { DatabaseSync } from 'node:sqlite'
import { RejectedRows } from '../../causes.ts'
import type { Derivation, DerivationFailure } from '../../contracts/derivation.ts'
import type { Segment } from '../../contracts/effect.ts'
import type { Step } from '../../contracts/operation.ts'
import type { Epoch, Seq, WriterName } from '../../contracts/position.ts'
import type { Batch, BatchOutcome, IdRange } from '../../contracts/store.ts'
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
import { Application } from './apply.ts'
import { Derivations } from './derive.ts'
import { KeptEffects } from './kept-effects.ts'
import { segmentsOf } from '../../segments.ts'
import { nameOf } from '../../sqlite-codes.ts'
import { isSqliteError, toStoreError } from './classify.ts'
import { takeIds } from './reserve.ts'
import { readSchema, schemaVersion, type DatabaseSchema } from './schema.ts'
import { quote, Statements } from './statements.ts'

export interface ExecutorClock {
  monotonicMs(): number
  wallMs(): number
}

export class Executor {
  readonly database: DatabaseSync
  readonly #writer: WriterName
  readonly #epoch: Epoch
  readonly #clock: ExecutorClock
  readonly #onSchemaChange: (schema: DatabaseSchema) => void
  readonly #statements: Statements
  readonly #derivations: Derivations
  readonly #effects: KeptEffects
  readonly #rejected = new RejectedRows()
  #schema: DatabaseSchema

  constructor(
    database: DatabaseSync,
    writer: WriterName,
    epoch: Epoch,
    clock: ExecutorClock,
    onSchemaChange: (schema: DatabaseSchema) => void,
    derivations: readonly Derivation[] = [],
  ) {
    this.database = database
    this.#writer = writer
    this.#epoch = epoch
    this.#clock = clock
    this.#onSchemaChange = onSchemaChange
    this.#statements = new Statements(database)
    this.#derivations = new Derivations(database, derivations)
    this.#effects = new KeptEffects(database, epoch, () => clock.wallMs())
    this.#schema = readSchema(database)
  }

  get schema(): DatabaseSchema {
    return this.#schema
  }

  /** @throws StoreError */
  commit(batch: Batch): BatchOutcome {
    try {
      if (this.#schema.hasDeferred && batch.steps.some((step) => this.#isDeferred(step)))
        return this.#commitApart(batch)
      return this.#commitTogether(batch)
    } catch (error) {
      throw toStoreError(error)
    }
  }

  /** In a transaction of its own, while the epoch is open. @throws StoreError */
  reserveIds(table: string, count: number): IdRange[] {
    // In one that is open they would be given again if it were rolled back.
    if (this.database.isTransaction)
      throw new StoreError('transient', 'the write connection runs a transaction')
    try {
      this.database.exec('BEGIN IMMEDIATE')
      const owned = 'SELECT 1 FROM tidemark_writers WHERE epoch = ? AND writer = ? AND closed = 0'
      if (this.database.prepare(owned).get(this.#epoch, this.#writer) === undefined)
        throw new StoreError('chain', `the epoch of writer "${this.#writer}" has ended.`)
      this.#noticeSchema()
      const range = takeIds(this.database, this.#schema, table, count)
      this.database.exec('COMMIT')
      return [range]
    } catch (error) {
      this.rollback()
      throw toStoreError(error)
    }
  }

  /** Begins a transaction and moves the tidemark, or changes nothing. */
  begin(prev: Seq, last: Seq): void {
    this.database.exec('BEGIN IMMEDIATE')
    try {
      const { changes } = this.#prepareFence().run(last, this.#epoch, this.#writer, prev)
      if (changes !== 1)
        throw new StoreError(
          'chain',
          `the tidemark of writer "${this.#writer}" is not at ${prev}, or its epoch has ended.`,
        )
      this.#noticeSchema()
    } catch (error) {
      this.rollback()
      throw error
    }
  }

  rollback(): void {
    if (this.database.isTransaction) this.database.exec('ROLLBACK')
  }

  /** Reads the tables again if they have changed. Inside a transaction, so that they stay as they are read. */
  #noticeSchema(): void {
    if (String(schemaVersion(this.database)) === this.#schema.version) return
    this.#schema = readSchema(this.database)
    this.#statements.clear()
    this.#onSchemaChange(this.#schema)
  }

  reloadSchema(): DatabaseSchema {
    this.#noticeSchema()
    return this.#schema
  }

  #commitTogether(batch: Batch): BatchOutcome {
    const condemned = new Map<Seq, Cause>()
    let rowByRow = false
    let transactions = 0
    let longestTransactionMs = 0
    for (;;) {
      const startedMs = this.#clock.monotonicMs()
      transactions++
      try {
        const { applied, derivationFailures } = this.#transact(batch, condemned, rowByRow)
        longestTransactionMs = Math.max(longestTransactionMs, this.#clock.monotonicMs() - startedMs)
        return {
          results: applied.results,
          rejections: applied.rejections,
          transactions,
          longestTransactionMs,
          ...(derivationFailures.length > 0 && { derivationFailures }),
        }
      } catch (error) {
        this.rollback()
        longestTransactionMs = Math.max(longestTransactionMs, this.#clock.monotonicMs() - startedMs)
        if (error instanceof TransactionEnded) {
          if (error.seq === undefined) rowByRow = true
          else condemned.set(error.seq, error.reason)
        } else if (error instanceof CommitViolation) {
          // A constraint that is checked at COMMIT. One unit: it is the culprit; else find it.
          const [step] = batch.steps
          if (batch.steps.length !== 1 || step === undefined || isDivisible(step))
            return this.#commitApart(batch)
          if (step.kind === 'load' && !rowByRow) rowByRow = true
          else for (const seq of culpritsOf(error, batch)) condemned.set(seq, error.reason)
        } else {
          throw error
        }
      }
    }
  }

  #transact(
    batch: Batch,
    condemned: ReadonlyMap<Seq, Cause>,
    rowByRow: boolean,
  ): { applied: Application; derivationFailures: DerivationFailure[] } {
    this.begin(batch.prev, batch.last)
    const application = new Application(
      {
        database: this.database,
        statements: this.#statements,
        schema: this.#schema,
        writer: this.#writer,
        epoch: this.#epoch,
        nowMs: this.#clock.wallMs(),
        rejected: this.#rejected,
        condemned,
        rowByRow,
        segments: batch.segments,
      },
      batch.prev,
    )
    application.apply(batch.steps)
    this.keepEffects(segmentsOf(batch.segments, batch.prev, batch.last, application.rejections))
    const derivationFailures = this.#derivations.run(batch.steps)
    this.#commitOrFindViolators(application)
    this.#rejected.keep(application.rejected)
    return { applied: application, derivationFailures }
  }

  keepEffects(segments: readonly Segment[]): void {
    this.#effects.keep(segments)
  }

  #commitOrFindViolators(application: Application): void {
    try {
      this.database.exec('COMMIT')
    } catch (error) {
      if (!isSqliteError(error) || (error.errcode & 0xff) !== 19) {
        // Nobody knows what became of it, unless it never had its turn.
        const isBusy = isSqliteError(error) && (error.errcode & 0xff) === 5
        throw toStoreError(error, isBusy ? 'not-committed' : 'unknown')
      }
      // A COMMIT that is refused leaves the transaction as it is, so its rows can still be looked at.
      const violators = application.rowsOf.size === 0 ? [] : this.#violators(application)
      throw new CommitViolation({ code: nameOf(error.errcode), message: error.message }, violators)
    }
  }

  /** The operations of a load whose rows have no parent. */
  #violators({ rowsOf }: Application): Seq[] {
    return [...rowsOf].flatMap(([table, rows]) =>
      this.database
        .prepare(`PRAGMA foreign_key_check(${quote(table)})`)
        .all()
        .flatMap(({ rowid }) => rows.get(Number(rowid)) ?? []),
    )
  }

  /** One transaction an operation, each moving the tidemark. What one of them leaves undone, the engine resumes. */
  #commitApart(batch: Batch): BatchOutcome {
    const outcomes: BatchOutcome[] = []
    let prev = batch.prev
    for (const unit of batch.steps.flatMap(unitsOf)) {
      const last = (prev + unit.positions) as Seq
      try {
        const segments = segmentsOf(batch.segments, prev, last, [])
        outcomes.push(this.#commitTogether({ prev, last, steps: [unit.step], segments }))
      } catch (error) {
        // What came before it in the batch is committed.
        throw outcomes.length === 0 ? error : toStoreError(error).withUnknownOutcome()
      }
      prev = last
    }
    return mergedOutcome(outcomes)
  }

  #isDeferred(step: Step): boolean {
    const runs = step.kind === 'run' ? [step] : step.runs
    return runs.some(
      ({ shape }) => shape.kind === 'statement' || this.#schema.traits.get(shape.table)?.isDeferred === true,
    )
  }

  #prepareFence() {
    return (this.#fence ??= this.database.prepare(
      'UPDATE tidemark_writers SET watermark = ? WHERE epoch = ? AND writer = ? AND watermark = ? AND closed = 0',
    ))
  }

  #fence: ReturnType<DatabaseSync['prepare']> | undefined
}
