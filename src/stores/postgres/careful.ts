/**
 * Commits a batch in which something was refused, or has to be looked at: each unit in a savepoint of its own, so
 * that a bad one leaves its neighbours as they are.
 *
 * Keeps: law 4 (a unit of many rows that is refused is halved until the operation at fault stands alone; deferred
 * constraints are judged unit by unit, and what still breaks COMMIT is committed one operation at a time) and law 5
 * (what is refused becomes a dead letter in the same transaction).
 *
 * Halving finds one bad row in a thousand with some twenty tries, but asks more than once for each row where many are
 * bad. So it has a budget: past it, units are taken apart at once.
 */
import { RejectedRows } from '../../causes.ts'
import type { Segment } from '../../contracts/effect.ts'
import type { Seq } from '../../contracts/position.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import type { DeadLetterId } from '../../contracts/operation.ts'
import type { Batch, BatchOutcome } from '../../contracts/store.ts'
import { StoreError, unprefixed } from '../../errors.ts'
import { mergedOutcome, noLetter, type Cause } from '../../isolation.ts'
import { segmentsOf } from '../../segments.ts'
import { encodeLetter, withEffects, type LetterContent } from '../../operation-json.ts'
import type { Owner } from '../../sql/bookkeeping.ts'
import { messageOf } from '../../sql/failure.ts'
import { keepLetter, returnLetter, type Letter } from '../../sql/letters.ts'
import { asStoreError } from './classify.ts'
import type { WireAnswer } from './connection.ts'
import { beginBehindFence, type Hold } from './fence.ts'
import type { DatabaseSchema } from './schema.ts'
import { keepEffects } from './outbox.ts'
import { Session, Transaction } from './session.ts'
import { guardCause } from './statements.ts'
import { Told } from './told.ts'
import type { Unit, UnitLetter, Units } from './units.ts'

/** So many units of many rows may be refused before the rest are taken apart at once. */
const halvings = 64

const missingParent = '23503'

const savepoint = { sql: 'SAVEPOINT tidemark_unit' }
const release = { sql: 'RELEASE SAVEPOINT tidemark_unit' }
const undo = { sql: 'ROLLBACK TO SAVEPOINT tidemark_unit' }

export interface CarefulContext {
  readonly owner: Owner
  readonly hold: Hold
  readonly schema: DatabaseSchema
  readonly units: Units
  readonly runtime: Runtime
  /** Of the batches before. */
  readonly rejected: RejectedRows
  /** Reads the tables again. @returns whether they are still those that `schema` tells of */
  readonly areTablesTheSame: () => Promise<boolean>
}

/** COMMIT itself was refused. */
class CommitRefused extends Error {
  readonly reason: Cause

  constructor(reason: Cause) {
    super(reason.message)
    this.reason = reason
  }
}

export class Careful {
  readonly #context: CarefulContext
  readonly #session: Session
  #halvingsLeft = halvings
  #rejected = new RejectedRows()
  #segments: readonly Segment[] = []

  constructor(context: CarefulContext) {
    this.#context = context
    this.#session = new Session(context.hold.connection)
  }

  /** @throws StoreError */
  async commit({ prev, last, steps, segments }: Batch): Promise<BatchOutcome> {
    const units = this.#context.units.of(steps, (prev + 1) as Seq)
    this.#segments = segments
    try {
      return await this.#transact(units, prev, last)
    } catch (error) {
      if (!(error instanceof CommitRefused)) throw error
      return await this.#commitApart(units, prev, last)
    }
  }

  /** @param condemned why the only unit is known to break COMMIT */
  async #transact(units: readonly Unit[], prev: Seq, last: Seq, condemned?: Cause): Promise<BatchOutcome> {
    const { owner, hold, runtime } = this.#context
    const startedMs = runtime.monotonicMs()
    const transaction = new Transaction(hold.connection)
    const told = new Told()
    this.#rejected = new RejectedRows(this.#context.rejected)
    try {
      await beginBehindFence(owner, hold, prev, last)
      for (const unit of units) {
        if (condemned && unit.letter) await this.#reject(unit.first, unit.letter, condemned, told)
        else await this.#apply(unit, told)
      }
      const segments = segmentsOf(this.#segments, prev, last, told.rejections)
      await keepEffects(this.#session.connection, this.#context.units.outbox(segments))
      // Its statements were made for these tables: for others they would have been other statements.
      if (told.rejections.length > 0 && !(await this.#context.areTablesTheSame()))
        throw new StoreError('transient', 'the tables changed while an operation was refused.')
      await this.#commit(transaction)
      this.#context.rejected.keep(this.#rejected)
    } catch (error) {
      await transaction.rollback()
      if (error instanceof CommitRefused) throw error
      throw asStoreError(error, 'not-committed')
    }
    const longestTransactionMs = runtime.monotonicMs() - startedMs
    return { results: told.results.all, rejections: told.rejections, transactions: 1, longestTransactionMs }
  }

  async #commit(transaction: Transaction): Promise<void> {
    try {
      await transaction.commit()
    } catch (error) {
      const failure = asStoreError(error, 'unknown')
      if (failure.failure !== 'rejected') throw failure
      throw new CommitRefused(causeOf(failure))
    }
  }

  async #apply(unit: Unit, told: Told): Promise<void> {
    const refusal = unit.refusal ?? (await this.#attempt(unit, told))
    if (refusal === undefined) return
    const parts = unit.split(--this.#halvingsLeft < 0)
    // Only what is an operation is ever refused.
    if (parts.length === 0 && unit.letter) return await this.#reject(unit.first, unit.letter, refusal, told)
    for (const part of parts) await this.#apply(part, told)
  }

  /** @returns why it was refused; what it did is undone then */
  async #attempt(unit: Unit, told: Told): Promise<Cause | undefined> {
    const { deferred } = this.#context.schema
    const judged = unit.isDeferred && deferred ? [{ sql: deferred.judge }, { sql: deferred.wait }] : []
    const looksFirst = unit.expectations.length > 0
    const sent = [savepoint, ...unit.statements, ...judged, ...(looksFirst ? [] : [release])]
    // By no name: a table that was changed since would make the server refuse what it has prepared.
    const answers = await this.#session.connection.queryAll(sent)
    const failed = answers.find((answer) => answer.status === 'rejected')
    let cause = failed && this.#causeOf(failed.reason, unit)
    const own = answers.slice(1, 1 + unit.statements.length)
    const values = own.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    cause ??= unmetExpectation(unit, values)
    if (cause) {
      await this.#session.run(undo.sql)
      await this.#session.run(release.sql)
      return cause
    }
    if (looksFirst) await this.#session.run(release.sql)
    unit.tell(values, told)
    return undefined
  }

  /** Throws on everything that is not the unit's own fault. */
  #causeOf(error: unknown, { letter }: Unit): Cause {
    const failure = asStoreError(error, 'not-committed')
    if (failure.failure !== 'rejected' || letter === undefined) throw failure
    return guardCause(failure.message) ?? causeOf(failure)
  }

  async #reject(first: Seq, letter: UnitLetter, cause: Cause, told: Told): Promise<void> {
    const { owner, runtime } = this.#context
    const { table, redrives, content } = letter
    const kept = { ...owner, ...cause, seq: first, table, nowMs: runtime.wallMs() }
    let id = redrives
    if (letter.isNone) id = noLetter
    else if (id === undefined) id = await this.#keep(kept, withEffects(content(), this.#segments, first))
    // A redriven operation that is refused again stays the letter it was, with the newer reason.
    else if (cause.code !== 'LETTER_GONE') await returnLetter(this.#session, id, kept)
    told.rejected({ seq: first, table, ...cause }, id)
  }

  /** With the letter of the row that it refers to, if that is why, and is there still. */
  async #keep(letter: Letter, content: LetterContent): Promise<DeadLetterId> {
    const { schema } = this.#context
    const runs = 'runs' in content ? content.runs : []
    const causedBy = letter.code === missingParent ? this.#rejected.causeOf(schema, runs) : undefined
    const isThere =
      causedBy !== undefined &&
      (await this.#session.own('SELECT 1 FROM tidemark_dead_letters WHERE id = ?', [causedBy])).rows.length >
        0
    const id = await keepLetter(
      this.#session,
      letter,
      encodeLetter(isThere && 'runs' in content ? { ...content, causedBy } : content),
    )
    this.#rejected.add(schema, runs, id)
    return id
  }

  /** One transaction an operation, each moving the tidemark. What one of them leaves undone, the engine resumes. */
  async #commitApart(units: readonly Unit[], prev: Seq, last: Seq): Promise<BatchOutcome> {
    const outcomes: BatchOutcome[] = []
    let done = prev
    const alone = units.flatMap((unit) => (unit.positions > 1 ? unit.split(true) : [unit]))
    for (const [index, unit] of alone.entries()) {
      // What takes no position is committed with what stands before it, or moves the tidemark to the end.
      const to = index === alone.length - 1 ? last : ((done + unit.positions) as Seq)
      try {
        outcomes.push(await this.#commitAlone(unit, done, to))
      } catch (error) {
        // What came before it in the batch is committed.
        const failure = asStoreError(error, 'not-committed')
        throw outcomes.length > 0 ? failure.withUnknownOutcome() : failure
      }
      done = to
    }
    return mergedOutcome(outcomes)
  }

  async #commitAlone(unit: Unit, prev: Seq, last: Seq): Promise<BatchOutcome> {
    try {
      return await this.#transact([unit], prev, last)
    } catch (error) {
      if (!(error instanceof CommitRefused)) throw error
      if (unit.letter === undefined) throw new StoreError('fatal', error.message)
      return await this.#transact([unit], prev, last, error.reason)
    }
  }
}

function causeOf(failure: StoreError): Cause {
  return {
    code: failure.storeCode ?? failure.code,
    message: unprefixed(messageOf(failure)),
  }
}

function unmetExpectation({ expectations }: Unit, answers: readonly WireAnswer[]): Cause | undefined {
  for (const { at, changes } of expectations) {
    const { count } = answers[at] as WireAnswer
    if (count !== changes)
      return {
        code: 'EXPECTATION_FAILED',
        message: `it changed ${count} rows where ${changes} were expected`,
      }
  }
  return undefined
}
