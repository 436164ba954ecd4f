/**
 * Commits batches on one connection, each in one transaction, several under way at once.
 *
 * Keeps: law 2 and 3 (the fence comes first: it moves the tidemark from `prev` to `last`, under this connection's
 * hold, or aborts the transaction, so that the COMMIT which is sent already commits nothing; and a COMMIT counts only
 * if the server says so), law 4 (`units.ts`, `careful.ts`), law 5 (an error is an operation's only behind a fence that
 * passed).
 *
 *   BEGIN, fence, units, COMMIT ──all answered──▶ committed
 *     │  sent without awaiting     ├─the fence refused──▶ chain; behind a batch that was repaired: sent again
 *     │  each, the next batch      ├─a unit was refused──▶ all again with care, alone
 *     │  behind it                 └─else──▶ failed
 *   or fence and operation in one (`alone.ts`): whichever refused it, as if a unit was
 *
 * How it could break: a batch begun while another's transaction is open would become a part of it. So nothing is
 * sent while one is repaired, and what was sent before has been answered when the repair begins.
 */
import { RejectedRows } from '../../causes.ts'
import type { Seq } from '../../contracts/position.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import type { Batch, BatchOutcome, IdRange } from '../../contracts/store.ts'
import type { Owner } from '../../sql/bookkeeping.ts'
import { fitsOnePacket, operationAnswer, shapeAlone } from './alone.ts'
import { Careful } from './careful.ts'
import { asCommitError, asStoreError, isAboutTables } from './classify.ts'
import type { WireAnswer, WireStatement } from './connection.ts'
import { fence, fenceParameters, type Hold } from './fence.ts'
import { Prepared } from './prepared.ts'
import type { DatabaseSchema } from './schema.ts'
import { drawing, drawnFrom } from './reserve.ts'
import { begin, requireCommitted } from './session.ts'
import { Statements } from './statements.ts'
import { Told } from './told.ts'
import { Units, type Unit } from './units.ts'

type Settled = PromiseSettledResult<WireAnswer>

interface Sent {
  /** Each unit, and where its answers begin. */
  readonly units: readonly { readonly unit: Unit; readonly at: number }[]
  readonly sentAtMs: number
  /** How many batches had been repaired then. */
  readonly repairs: number
  /** Fence and operation are one statement: its error may be that of either, and there is no COMMIT. */
  readonly isOne: boolean
  readonly answers: Promise<Settled[]>
}

export class Executor {
  readonly #owner: Owner
  readonly #runtime: Runtime
  readonly #reloadSchema: () => Promise<DatabaseSchema>
  #hold: Hold
  #prepared = new Prepared()
  #schema: DatabaseSchema
  #statements: Statements
  readonly #rejected = new RejectedRows()
  #last: Promise<unknown> = Promise.resolve()
  #repairs = 0
  #isRepairing = false
  #answeredAtMs = 0

  /** @param reloadSchema reads it, and hands it to `use` if it has changed */
  constructor(
    owner: Owner,
    hold: Hold,
    runtime: Runtime,
    schema: DatabaseSchema,
    reloadSchema: () => Promise<DatabaseSchema>,
  ) {
    this.#owner = owner
    this.#hold = hold
    this.#runtime = runtime
    this.#schema = schema
    this.#statements = new Statements(schema)
    this.#reloadSchema = reloadSchema
  }

  get schema(): DatabaseSchema {
    return this.#schema
  }

  use(schema: DatabaseSchema): void {
    this.#schema = schema
    this.#statements = new Statements(schema)
    this.#prepared = new Prepared()
  }

  /** From now on batches go out on this connection; what was sent on another has been answered. */
  hold(hold: Hold): void {
    this.#hold = hold
    this.#prepared = new Prepared()
  }

  commit(batch: Batch): Promise<BatchOutcome> {
    const sent = this.#isRepairing ? undefined : this.#send(batch)
    const answered = this.#last.then(() => this.#answer(batch, sent ?? this.#send(batch)))
    this.#last = answered.catch(() => undefined)
    return answered
  }

  /** Behind the batches that were sent before. @throws StoreError */
  async reserveIds(table: string, count: number): Promise<readonly IdRange[]> {
    // Between the statements of a repair it would become a part of that.
    while (this.#isRepairing) await this.#last
    const statements = drawing(this.#schema, this.#owner, table, count)
    const answers = await this.#sendTogether(statements)
    const failedAt = answers.findIndex(({ status }) => status === 'rejected')
    const [failed, drawn, commit] = [answers[failedAt], answers[2], answers.at(-1)]
    if (failed?.status === 'rejected') throw asCommitError(failed.reason, failedAt, 'unknown')
    requireCommitted(valueOf(commit as Settled))
    return drawnFrom(table, valueOf(drawn as Settled))
  }

  #sendTogether(statements: readonly WireStatement[]): Promise<Settled[]> {
    return this.#hold.connection.queryAll(statements.map((statement) => this.#prepared.named(statement)))
  }

  #send(batch: Batch): Sent | 'with care' {
    const context = this.#unitsOf()
    const units = context.of(batch.steps, (batch.prev + 1) as Seq)
    const outbox = context.outbox(batch.segments)
    const inOne = outbox.length === 0 ? this.#sendInOne(batch, units) : undefined
    return inOne ?? this.#sendInTurn(batch, units, outbox)
  }

  /** Fence and operation as one statement, where they can be. */
  #sendInOne({ prev, last, steps }: Batch, units: readonly Unit[]): Sent | undefined {
    const shape = shapeAlone(this.#schema, steps)
    const [unit] = units
    const [operation] = unit?.statements ?? []
    if (shape === undefined || unit === undefined || operation === undefined) return undefined
    const { parameters = [], ...statement } = this.#statements.besideFence(shape, operation)
    // A transaction that is open would take it in, and no COMMIT would tell.
    if (!fitsOnePacket(parameters) || this.#hold.connection.isInTransaction) return undefined
    const moved = fenceParameters(this.#owner, this.#hold, prev, last)
    const answers = this.#sendTogether([{ ...statement, parameters: [...parameters, ...moved] }])
    return this.#sent({ units: [{ unit, at: 0 }], isOne: true, answers })
  }

  /** Sends all of a batch at once, but where something has to be looked at before its COMMIT. */
  #sendInTurn(
    { prev, last }: Batch,
    units: readonly Unit[],
    outbox: readonly WireStatement[],
  ): Sent | 'with care' {
    if (units.some(({ refusal, expectations }) => refusal !== undefined || expectations.length > 0))
      return 'with care'
    const { deferred } = this.#schema
    const statements: WireStatement[] = [{ sql: begin }, fence(this.#owner, this.#hold, prev, last)]
    const placed = units.map((unit) => {
      const at = statements.length
      statements.push(...unit.statements)
      if (unit.isDeferred && deferred) statements.push({ sql: deferred.judge }, { sql: deferred.wait })
      return { unit, at }
    })
    statements.push(...outbox, { sql: 'COMMIT' })
    return this.#sent({ units: placed, isOne: false, answers: this.#sendTogether(statements) })
  }

  #sent(sent: Pick<Sent, 'units' | 'isOne' | 'answers'>): Sent {
    return { ...sent, sentAtMs: this.#runtime.monotonicMs(), repairs: this.#repairs }
  }

  async #answer(batch: Batch, sent: Sent | 'with care'): Promise<BatchOutcome> {
    if (sent === 'with care') return await this.#repair(batch)
    const answers = await sent.answers
    const sinceMs = Math.max(sent.sentAtMs, this.#answeredAtMs)
    this.#answeredAtMs = this.#runtime.monotonicMs()
    const failedAt = answers.findIndex(({ status }) => status === 'rejected')
    if (failedAt < 0) {
      if (!sent.isOne) requireCommitted(valueOf(answers.at(-1) as Settled))
      return this.#told(sent, answers, this.#answeredAtMs - sinceMs)
    }
    const error: unknown = (answers[failedAt] as PromiseRejectedResult).reason
    const failure = asCommitError(error, failedAt, 'unknown')
    // Fence or operation: only behind the fence anybody can say.
    const isOpenWhy = sent.isOne && failure.outcome === 'not-committed' && failure.failure !== 'transient'
    // Behind a batch that was repaired the fence had to refuse this one. Nothing of it was carried out.
    if ((isOpenWhy || failure.failure === 'chain') && sent.repairs < this.#repairs)
      return await this.#answer(batch, this.#send(batch))
    if (!isOpenWhy && failure.failure !== 'rejected') throw failure
    if (isAboutTables(failure)) await this.#refresh()
    return await this.#repair(batch)
  }

  #told({ units, isOne }: Sent, answers: readonly Settled[], longestTransactionMs: number): BatchOutcome {
    const told = new Told()
    for (const { unit, at } of units) {
      const own = answers.slice(at, at + unit.statements.length).map(valueOf)
      unit.tell(isOne ? own.map(operationAnswer) : own, told)
    }
    const { results, rejections } = told
    return { results: results.all, rejections, transactions: 1, longestTransactionMs }
  }

  /** All again, each unit by itself, with nothing else under way on the connection. */
  async #repair(batch: Batch): Promise<BatchOutcome> {
    this.#isRepairing = true
    try {
      const schema = this.#schema
      const careful = new Careful({
        owner: this.#owner,
        hold: this.#hold,
        schema,
        units: this.#unitsOf(),
        runtime: this.#runtime,
        rejected: this.#rejected,
        areTablesTheSame: async () => (await this.#reloadSchema()).version === schema.version,
      })
      const outcome = await careful.commit(batch)
      this.#repairs++
      return outcome
    } catch (error) {
      throw asStoreError(error, 'not-committed')
    } finally {
      this.#isRepairing = false
    }
  }

  /** The tables may not be what the statements were made for: those that are prepared are made anew. */
  async #refresh(): Promise<void> {
    this.#prepared = new Prepared()
    try {
      await this.#reloadSchema()
    } catch (error) {
      throw asStoreError(error, 'not-committed')
    }
  }

  #unitsOf(): Units {
    return new Units({
      ...this.#owner,
      schema: this.#schema,
      statements: this.#statements,
      nowMs: this.#runtime.wallMs(),
    })
  }
}

function valueOf(answer: Settled): WireAnswer {
  if (answer.status === 'rejected') throw answer.reason
  return answer.value
}
