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
 *
 * A small batch whose statements are prepared goes without BEGIN and COMMIT, and is answered as if it had them
 * (`series.ts`).
 *
 * How it could break: a batch begun while another's transaction is open would become a part of it. So nothing is
 * sent while one is repaired, and what was sent before has been answered when the repair begins.
 */
import { RejectedRows } from '../../causes.ts'
import type { Seq } from '../../contracts/position.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import type { Batch, BatchOutcome, IdRange } from '../../contracts/store.ts'
import type { Owner } from '../../sql/bookkeeping.ts'
import { Careful } from './careful.ts'
import { asCommitError, asStoreError, isAboutTables } from './classify.ts'
import type { WireAnswer, WireStatement } from './connection.ts'
import { fence, type Hold } from './fence.ts'
import { Prepared } from './prepared.ts'
import type { DatabaseSchema } from './schema.ts'
import { drawing, drawnFrom } from './reserve.ts'
import { begin, requireCommitted } from './session.ts'
import { Statements } from './statements.ts'
import { Told } from './told.ts'
import { Units, type Unit } from './units.ts'

type Settled = PromiseSettledResult<WireAnswer>

const begun: Settled = { status: 'fulfilled', value: { rows: [], count: 0, command: 'BEGIN' } }

interface Sent {
  /** Each unit, and where its answers begin. */
  readonly units: readonly { readonly unit: Unit; readonly at: number }[]
  readonly sentAtMs: number
  /** How many batches had been repaired then. */
  readonly repairs: number
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
    return this.#hold.connection.queryAll(this.#named(statements))
  }

  /** @returns the answers to BEGIN, to the statements and to COMMIT, also where neither need be sent */
  async #transact(statements: readonly WireStatement[]): Promise<Settled[]> {
    const { connection } = this.#hold
    const named = this.#named(statements)
    if (connection.canTransact(named)) return [begun, ...(await connection.transact(named))]
    return await connection.queryAll([{ sql: begin }, ...named, { sql: 'COMMIT' }])
  }

  #named(statements: readonly WireStatement[]): WireStatement[] {
    return statements.map((statement) => this.#prepared.named(statement))
  }

  /** Sends all of a batch at once, but where something has to be looked at before its COMMIT. */
  #send({ prev, last, steps, segments }: Batch): Sent | 'with care' {
    const context = this.#unitsOf()
    const units = context.of(steps, (prev + 1) as Seq)
    if (units.some(({ refusal, expectations }) => refusal !== undefined || expectations.length > 0))
      return 'with care'
    const { deferred } = this.#schema
    const statements = [fence(this.#owner, this.#hold, prev, last)]
    const placed = units.map((unit) => {
      const at = statements.length + 1
      statements.push(...unit.statements)
      if (unit.isDeferred && deferred) statements.push({ sql: deferred.judge }, { sql: deferred.wait })
      return { unit, at }
    })
    statements.push(...context.outbox(segments))
    const answers = this.#transact(statements)
    return { units: placed, sentAtMs: this.#runtime.monotonicMs(), repairs: this.#repairs, answers }
  }

  async #answer(batch: Batch, sent: Sent | 'with care'): Promise<BatchOutcome> {
    if (sent === 'with care') return await this.#repair(batch)
    const answers = await sent.answers
    const sinceMs = Math.max(sent.sentAtMs, this.#answeredAtMs)
    this.#answeredAtMs = this.#runtime.monotonicMs()
    const failedAt = answers.findIndex(({ status }) => status === 'rejected')
    const commit = answers.at(-1)
    if (failedAt < 0 && commit?.status === 'fulfilled') {
      requireCommitted(commit.value)
      return this.#told(sent, answers, this.#answeredAtMs - sinceMs)
    }
    const error: unknown = (answers[failedAt] as PromiseRejectedResult).reason
    const failure = asCommitError(error, failedAt, 'unknown')
    // Behind a batch that was repaired the fence had to refuse this one. Nothing of it was carried out.
    if (failure.failure === 'chain' && sent.repairs < this.#repairs)
      return await this.#answer(batch, this.#send(batch))
    if (failure.failure !== 'rejected') throw failure
    if (isAboutTables(failure)) await this.#refresh()
    return await this.#repair(batch)
  }

  #told({ units }: Sent, answers: readonly Settled[], longestTransactionMs: number): BatchOutcome {
    const told = new Told()
    for (const { unit, at } of units)
      unit.tell(answers.slice(at, at + unit.statements.length).map(valueOf), told)
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
