/**
 * Commits batches, each as one transaction.
 *
 * Keeps: law 2 and 3 (the fence comes first: it moves the tidemark from `prev` to `last` or throws, and nothing happens.
 * SurrealDB lets transactions run beside each other and refuses, at its COMMIT, the later one of two that wrote the same
 * record: whoever ends the epoch writes the row that the fence writes), law 4 and 5 (below).
 *
 * First boldly: the whole batch in one request, which does all or nothing. What is refused there is looked for with care:
 * each operation by itself in an open transaction. One on a single record that is refused has done nothing, and goes to
 * the dead letters. Of any other a part may stand, and there are no savepoints: all begins anew without it.
 *
 *   bold ──refused──▶ careful ──refused, and may have done a part──▶ careful, without that one
 */
import type { Group, Load, Run, Step } from '../../contracts/operation.ts'
import type { DeadLetterId, Rejection } from '../../contracts/operation.ts'
import type { Seq } from '../../contracts/position.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import type { Batch, BatchOutcome, StoreContext } from '../../contracts/store.ts'
import { StoreError, unprefixed } from '../../errors.ts'
import { noLetter, operationAt, positionsOf, TransactionEnded, type Cause } from '../../isolation.ts'
import { encodeLetter, withEffects, type LetterContent } from '../../operation-json.ts'
import { segmentsOf } from '../../segments.ts'
import type { Owner } from '../../sql/bookkeeping.ts'
import { Results } from '../../sql/results.ts'
import { chainError, fence, fenceFailed } from './bookkeeping.ts'
import { meaningOf, messageOf, toStoreError } from './classify.ts'
import { Composition, expectationFailed, letterGone, refusedBy } from './composition.ts'
import { Counters } from './counters.ts'
import { checkWritten } from './guard.ts'
import { Tables, type DatabaseSchema } from './schema.ts'
import { Script } from './script.ts'
import type { Session, Transaction } from './session.ts'

/** So many rows go in one statement. */
const rowsAtOnce = 500

export class Executor {
  readonly #session: Session
  readonly #owner: Owner
  readonly #runtime: Runtime
  readonly #onSchemaChange: (schema: DatabaseSchema) => void
  readonly #look: () => Promise<DatabaseSchema>
  readonly counters: Counters
  #tables: Tables

  constructor(
    session: Session,
    owner: Owner,
    { runtime, onSchemaChange }: Pick<StoreContext, 'runtime' | 'onSchemaChange'>,
    schema: DatabaseSchema,
    look: () => Promise<DatabaseSchema>,
  ) {
    this.#session = session
    this.#owner = owner
    this.#runtime = runtime
    this.#tables = new Tables(schema)
    this.#onSchemaChange = onSchemaChange
    this.#look = look
    this.counters = new Counters(session)
  }

  get schema(): DatabaseSchema {
    return this.#tables.schema
  }

  async reloadSchema(): Promise<DatabaseSchema> {
    const schema = await this.#look()
    if (schema.version === this.schema.version) return this.schema
    this.#tables = new Tables(schema)
    this.#onSchemaChange(schema)
    return schema
  }

  async commit(batch: Batch): Promise<BatchOutcome> {
    const startedMs = this.#runtime.monotonicMs()
    const ids = await this.counters.forRows(batch.steps, this.#tables)
    let transactions = 1
    const told = (rejections: readonly Rejection[], results: Results): BatchOutcome => ({
      results: results.all,
      rejections,
      transactions,
      longestTransactionMs: this.#runtime.monotonicMs() - startedMs,
    })
    const results = await this.#boldly(batch, ids)
    if (results !== undefined) return told([], results)
    const condemned = new Map<Seq, Cause>()
    for (;;) {
      transactions++
      try {
        const careful = new Careful(this.#session, this.#owner, this.#runtime, this.#tables, this.counters)
        await careful.commit(batch, ids, condemned)
        // What was refused is the sign that tables may have changed: there is no version to look at for nothing.
        if (careful.rejections.length > 0) await this.reloadSchema().catch(() => undefined)
        return told(careful.rejections, careful.results)
      } catch (error) {
        if (!(error instanceof TransactionEnded) || error.seq === undefined) throw error
        condemned.set(error.seq, error.reason)
      }
    }
  }

  /** @returns undefined when something in it was refused, and nothing is changed */
  async #boldly(batch: Batch, ids: ReadonlyMap<Run, number>): Promise<Results | undefined> {
    const { prev, last, segments } = batch
    if (batch.steps.some((step) => step.kind === 'load' && step.letters.length > 0)) return undefined
    const nowMs = this.#runtime.wallMs()
    const firstSegment =
      segments.length === 0 ? 0 : await this.counters.take('tidemark_segments', segments.length)
    const composition = new Composition(this.#tables, ids)
    fence(composition.script, this.#owner, prev, last)
    try {
      let seq = (prev + 1) as Seq
      for (const step of batch.steps) {
        this.#compose(composition, step, seq, nowMs)
        seq = (seq + positionsOf(step)) as Seq
      }
      composition.segments(segments, this.#owner.epoch, firstSegment, nowMs)
      const results = new Results()
      composition.tell(await this.#session.together(composition.script), results)
      return results
    } catch (error) {
      if (messageOf(error).includes(fenceFailed)) throw chainError(this.#owner, prev)
      if (error instanceof StoreError && error.failure !== 'rejected') throw error
      if (meaningOf(error).failure === 'rejected') return undefined
      throw toStoreError(error, 'unknown')
    }
  }

  #compose(composition: Composition, step: Step, seq: Seq, nowMs: number): void {
    if (step.kind === 'group') {
      for (const run of step.runs) checkStatements(run)
      return composition.group(step)
    }
    let first = seq
    for (const run of step.kind === 'run' ? [step] : step.runs) {
      checkStatements(run)
      for (let from = 0; from < run.count; from += rowsAtOnce) {
        const count = Math.min(rowsAtOnce, run.count - from)
        composition.operations(run, from, count, (first + from) as Seq)
      }
      first = (first + run.count) as Seq
    }
    if (step.kind === 'load' && step.checkpoint) composition.checkpoint(step.checkpoint, nowMs)
  }
}

/** One transaction that is open, in which each operation is judged by itself. */
class Careful {
  readonly results: Results = new Results()
  readonly rejections: Rejection[] = []
  readonly #session: Session
  readonly #owner: Owner
  readonly #nowMs: number
  readonly #tables: Tables
  readonly #counters: Counters
  #ids: ReadonlyMap<Run, number> = new Map()
  #condemned: ReadonlyMap<Seq, Cause> = new Map()
  #batch: Batch | undefined
  #letters: { next: number; left: number } = { next: 0, left: 0 }

  constructor(session: Session, owner: Owner, runtime: Runtime, tables: Tables, counters: Counters) {
    this.#session = session
    this.#owner = owner
    this.#nowMs = runtime.wallMs()
    this.#tables = tables
    this.#counters = counters
  }

  async commit(
    batch: Batch,
    ids: ReadonlyMap<Run, number>,
    condemned: ReadonlyMap<Seq, Cause>,
  ): Promise<void> {
    this.#batch = batch
    this.#ids = ids
    this.#condemned = condemned
    const transaction = await beginFenced(this.#session, this.#owner, batch.prev, batch.last)
    try {
      let seq = (batch.prev + 1) as Seq
      for (const step of batch.steps) {
        if (step.kind === 'run') await this.#run(transaction, step, seq)
        else if (step.kind === 'group') await this.#group(transaction, step, seq)
        else await this.#load(transaction, step, seq)
        seq = (seq + positionsOf(step)) as Seq
      }
      await this.#keepEffects(transaction, batch)
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
      const cause = this.#condemned.get(seq) ?? (await this.#operation(transaction, run, index, seq))
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
    if (shape.kind === 'statement' || !this.#tables.isPlain(shape.table)) return false
    if (shape.kind === 'insert' || shape.kind === 'upsert') return true
    const isOne = this.#tables.keyOf(shape.table).every((column) => shape.where.includes(column))
    return isOne && (code !== expectationFailed || shape.expect !== 0)
  }

  async #group(transaction: Transaction, group: Group, seq: Seq): Promise<void> {
    const cause = this.#condemned.get(seq)
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
    composition.checkpoint(load.checkpoint, this.#nowMs)
    await transaction.run(composition.script)
  }

  async #keepEffects(transaction: Transaction, { segments: all, prev, last }: Batch): Promise<void> {
    const segments = segmentsOf(all, prev, last, this.rejections)
    if (segments.length === 0) return
    const first = await this.#counters.take('tidemark_segments', segments.length)
    const composition = this.#composition()
    composition.segments(segments, this.#owner.epoch, first, this.#nowMs)
    await transaction.run(composition.script)
  }

  async #reject(
    transaction: Transaction,
    seq: Seq,
    table: string | undefined,
    given: LetterContent,
    cause: Cause,
  ): Promise<void> {
    const content = withEffects(given, this.#batch?.segments ?? [], seq)
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
    return { ...this.#owner, seq, table: undefined, ...cause, nowMs: this.#nowMs }
  }

  /** They are counted past the transaction, a few at a time: those that it leaves out are gaps. */
  async #nextLetter(): Promise<DeadLetterId> {
    if (this.#letters.left === 0) {
      const count = this.rejections.length === 0 ? 1 : Math.min(100, 2 * this.rejections.length)
      this.#letters = { next: await this.#counters.take('tidemark_dead_letters', count), left: count }
    }
    this.#letters.left--
    return this.#letters.next++ as DeadLetterId
  }

  #composition(): Composition {
    return new Composition(this.#tables, this.#ids)
  }
}

/** Begins a transaction and moves the tidemark, or changes nothing. */
export async function beginFenced(
  session: Session,
  owner: Owner,
  prev: Seq,
  last: Seq,
): Promise<Transaction> {
  const transaction = await session.begin()
  try {
    const script = new Script()
    fence(script, owner, prev, last)
    await transaction.run(script)
    return transaction
  } catch (error) {
    await transaction.cancel()
    throw messageOf(error).includes(fenceFailed) ? chainError(owner, prev) : error
  }
}

/** @throws StoreError for a statement that is none, or touches the tables that carry the laws */
function checkStatements({ shape }: Run): void {
  if (shape.kind === 'statement') checkWritten(shape.sql, shape.width)
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
