/**
 * Commits batches, each as one transaction.
 *
 * Keeps: law 2 and 3 (the fence comes first: it moves the tidemark from `prev` to `last` or throws, and nothing happens.
 * Whoever ends the epoch writes the row that the fence writes, and does so in `line.ts`: that SurrealDB refuses the later of
 * two that wrote one record is not relied on within a process), law 4 and 5 (below).
 *
 * First boldly: the whole batch in one request, which does all or nothing. What is refused there is looked for with care:
 * each operation by itself in an open transaction. One on a single record that is refused has done nothing, and goes to
 * the dead letters. Of any other a part may stand, and there are no savepoints: all begins anew without it.
 *
 *   bold ──refused──▶ careful ──refused, and may have done a part──▶ careful, without that one
 */
import type { Segment } from '../../contracts/effect.ts'
import type { Rejection, Run, Step } from '../../contracts/operation.ts'
import type { Seq } from '../../contracts/position.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import type { Batch, BatchOutcome, StoreContext } from '../../contracts/store.ts'
import { StoreError } from '../../errors.ts'
import { positionsOf, TransactionEnded, type Cause } from '../../isolation.ts'
import { chainError, type Owner } from '../../sql/bookkeeping.ts'
import { Results } from '../../sql/results.ts'
import { fence, fenceFailed } from './bookkeeping.ts'
import { Careful } from './careful.ts'
import { messageOf } from '../../sql/failure.ts'
import { meaningOf, toStoreError } from './classify.ts'
import { Composition } from './composition.ts'
import { Counters } from './counters.ts'
import { checkStatements } from './guard.ts'
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
        const careful = this.#careful(batch, ids, condemned)
        await careful.commit(await beginFenced(this.#session, this.#owner, batch.prev, batch.last), batch)
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

  #careful({ segments }: Batch, ids: ReadonlyMap<Run, number>, condemned: ReadonlyMap<Seq, Cause>): Careful {
    return new Careful({
      owner: this.#owner,
      nowMs: this.#runtime.wallMs(),
      tables: this.#tables,
      counters: this.counters,
      ids,
      condemned,
      segments,
      keepEffects: (transaction, kept) => this.keepEffects(transaction, kept),
    })
  }

  /** In the transaction that is open. */
  async keepEffects(transaction: Transaction, segments: readonly Segment[]): Promise<void> {
    if (segments.length === 0) return
    const first = await this.counters.take('tidemark_segments', segments.length)
    const composition = new Composition(this.#tables, new Map())
    composition.segments(segments, this.#owner.epoch, first, this.#runtime.wallMs())
    await transaction.run(composition.script)
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
