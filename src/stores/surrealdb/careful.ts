/**
 * A batch in an open transaction, operation by operation: how what is refused in it is found.
 *
 * Keeps: law 4 and 5 (an operation on a single record that is refused has done nothing, and goes to the dead letters; of any
 * other a part may stand, and there are no savepoints: `TransactionEnded`, and all begins anew without it).
 */
import type { Segment } from '../../contracts/effect.ts'
import type { DeadLetterId, Group, Load, Rejection, Run } from '../../contracts/operation.ts'
import type { Seq } from '../../contracts/position.ts'
import type { Batch } from '../../contracts/store.ts'
import { StoreError, unprefixed } from '../../errors.ts'
import { noLetter, operationAt, positionsOf, TransactionEnded, type Cause } from '../../isolation.ts'
import { encodeLetter, withEffects, type LetterContent } from '../../operation-json.ts'
import { segmentsOf } from '../../segments.ts'
import type { Owner } from '../../sql/bookkeeping.ts'
import { messageOf } from '../../sql/failure.ts'
import { Results } from '../../sql/results.ts'
import { meaningOf, toStoreError } from './classify.ts'
import { Composition, expectationFailed, letterGone, refusedBy } from './composition.ts'
import type { Counters } from './counters.ts'
import { checkStatements } from './guard.ts'
import type { Tables } from './schema.ts'
import type { Transaction } from './session.ts'

export interface CarefulContext {
  readonly owner: Owner
  readonly nowMs: number
  readonly tables: Tables
  readonly counters: Counters
  /** Of the rows that come without one: the first of each run. */
  readonly ids: ReadonlyMap<Run, number>
  /** Operations that are known to be bad: they are not run again, only written to the dead letters. */
  readonly condemned: ReadonlyMap<Seq, Cause>
  /** Of the batch. */
  readonly segments: readonly Segment[]
  readonly keepEffects: (transaction: Transaction, segments: readonly Segment[]) => Promise<void>
}

/** One transaction that is open, in which each operation is judged by itself. */
export class Careful {
  readonly results: Results = new Results()
  readonly rejections: Rejection[] = []
  readonly #context: CarefulContext
  #letters: { next: number; left: number } = { next: 0, left: 0 }

  constructor(context: CarefulContext) {
    this.#context = context
  }

  async commit(transaction: Transaction, { prev, last, steps, segments }: Batch): Promise<void> {
    try {
      let seq = (prev + 1) as Seq
      for (const step of steps) {
        if (step.kind === 'run') await this.#run(transaction, step, seq)
        else if (step.kind === 'group') await this.#group(transaction, step, seq)
        else await this.#load(transaction, step, seq)
        seq = (seq + positionsOf(step)) as Seq
      }
      await this.#context.keepEffects(transaction, segmentsOf(segments, prev, last, this.rejections))
      await transaction.commit()
    } catch (error) {
      await transaction.cancel()
      if (error instanceof TransactionEnded) throw error
      throw toStoreError(error, 'unknown')
    }
  }

  async #run(transaction: Transaction, run: Run, first: Seq): Promise<void> {
    for (let index = 0; index < run.count; index++) {
      const seq = (first + index) as Seq
      const cause = this.#context.condemned.get(seq) ?? (await this.#operation(transaction, run, index, seq))
      const table = run.shape.kind === 'statement' ? undefined : run.shape.table
      if (cause) await this.#reject(transaction, seq, table, { runs: [operationAt(run, index)] }, cause)
    }
  }

  /** @returns why it was refused, having done nothing */
  async #operation(transaction: Transaction, run: Run, index: number, seq: Seq): Promise<Cause | undefined> {
    const composition = this.#composition()
    try {
      checkStatements(run)
      composition.operations(run, index, 1, seq)
      composition.tell(await transaction.run(composition.script), this.results)
      return undefined
    } catch (error) {
      const cause = causeOf(error)
      if (!this.#leavesNothing(run, cause)) throw new TransactionEnded(seq, cause)
      return cause
    }
  }

  /** It is of one record, beside which nothing runs; and that it met no such record is no change either. */
  #leavesNothing({ shape }: Run, { code }: Cause): boolean {
    if (shape.kind === 'statement' || !this.#context.tables.isPlain(shape.table)) return false
    if (shape.kind === 'insert' || shape.kind === 'upsert') return true
    const isOne = this.#context.tables.keyOf(shape.table).every((column) => shape.where.includes(column))
    return isOne && (code !== expectationFailed || shape.expect !== 0)
  }

  async #group(transaction: Transaction, group: Group, seq: Seq): Promise<void> {
    const cause = this.#context.condemned.get(seq)
    if (cause === undefined) {
      const composition = this.#composition()
      try {
        for (const run of group.runs) checkStatements(run)
        composition.group(group)
        await transaction.run(composition.script)
      } catch (error) {
        throw new TransactionEnded(seq, causeOf(error))
      }
    } else if (group.redrives !== undefined)
      await this.#returnToLetter(transaction, seq, group.redrives, cause)
    else if (group.leavesNoLetter === true)
      this.rejections.push({ seq, table: undefined, ...cause, deadLetter: noLetter })
    else await this.#reject(transaction, seq, undefined, { runs: group.runs }, cause)
  }

  async #load(transaction: Transaction, load: Load, first: Seq): Promise<void> {
    let seq = first
    for (const run of load.runs) {
      await this.#run(transaction, run, seq)
      seq = (seq + run.count) as Seq
    }
    for (const { table, text, error } of load.letters) {
      await this.#reject(
        transaction,
        seq,
        table,
        { text },
        { code: 'UNREADABLE_INPUT', message: messageOf(error) },
      )
      seq = (seq + 1) as Seq
    }
    if (load.checkpoint === undefined) return
    const composition = this.#composition()
    composition.checkpoint(load.checkpoint, this.#context.nowMs)
    await transaction.run(composition.script)
  }

  async #reject(
    transaction: Transaction,
    seq: Seq,
    table: string | undefined,
    given: LetterContent,
    cause: Cause,
  ): Promise<void> {
    const content = withEffects(given, this.#context.segments, seq)
    const deadLetter = await this.#nextLetter()
    const composition = this.#composition()
    composition.keepLetter(deadLetter, { ...this.#letterOf(seq, cause), table }, encodeLetter(content))
    await transaction.run(composition.script)
    this.rejections.push({ seq, table, ...cause, deadLetter })
  }

  /** A redriven operation that is refused again stays the letter it was, with the newer reason. */
  async #returnToLetter(
    transaction: Transaction,
    seq: Seq,
    deadLetter: DeadLetterId,
    cause: Cause,
  ): Promise<void> {
    if (cause.code !== letterGone) {
      const composition = this.#composition()
      composition.returnLetter(deadLetter, this.#letterOf(seq, cause))
      await transaction.run(composition.script)
    }
    this.rejections.push({ seq, table: undefined, ...cause, deadLetter })
  }

  #letterOf(seq: Seq, cause: Cause) {
    return { ...this.#context.owner, seq, table: undefined, ...cause, nowMs: this.#context.nowMs }
  }

  /** They are counted past the transaction, a few at a time: those that it leaves out are gaps. */
  async #nextLetter(): Promise<DeadLetterId> {
    if (this.#letters.left === 0) {
      const count = this.rejections.length === 0 ? 1 : Math.min(100, 2 * this.rejections.length)
      this.#letters = { next: await this.#context.counters.take('tidemark_dead_letters', count), left: count }
    }
    this.#letters.left--
    return this.#letters.next++ as DeadLetterId
  }

  #composition(): Composition {
    return new Composition(this.#context.tables, this.#context.ids)
  }
}

/** Throws on everything that is not one operation's own fault. */
function causeOf(error: unknown): Cause {
  if (error instanceof StoreError) {
    if (error.failure !== 'rejected') throw error
    return { code: error.storeCode ?? error.code, message: unprefixed(error.message) }
  }
  const message = messageOf(error)
  const ours = message.split(refusedBy)[1]?.match(/^\w+/)?.[0]
  if (ours === expectationFailed)
    return { code: ours, message: 'it did not change as many rows as were expected' }
  if (ours === letterGone) return { code: ours, message: 'the dead letter was redriven or removed already' }
  const { failure, code } = meaningOf(error)
  if (failure !== 'rejected') throw error
  return { code, message }
}
