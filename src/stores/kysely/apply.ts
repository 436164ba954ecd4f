/**
 * Applies the steps of a batch inside one transaction that is already open.
 *
 * Keeps: law 4 (a bad operation never fails its neighbours) and law 5 (it goes to the dead letters in the same
 * transaction). First the batch is tried boldly: many rows a statement and no savepoints; most batches hold nothing
 * bad. The first refusal throws `NeedsCare`, the transaction is rolled back, and the batch is applied again with
 * care: every statement in a savepoint, one of many rows that fails again row by row. What ends the transaction
 * itself (`OR ROLLBACK` in SQLite) takes its savepoint with it: `TransactionEnded`, and the batch is applied once
 * more without that operation.
 */
import type {
  DeadLetterId,
  Group,
  Load,
  Rejection,
  Run,
  Shape,
  Step,
  UpsertShape,
} from '../../contracts/operation.ts'
import type { Epoch, Seq, WriterName } from '../../contracts/position.ts'
import { StoreError, unprefixed } from '../../errors.ts'
import { operationAt, TransactionEnded, type Cause } from '../../isolation.ts'
import { encodeLetter, type LetterContent } from '../../operation-json.ts'
import type { DatabaseSchema } from './dialect.ts'
import { messageOf } from '../../sql/failure.ts'
import { checkWritten } from '../../sql/guard.ts'
import { keepLetter, putCheckpoint, removeLetter, returnLetter } from '../../sql/letters.ts'
import { Results } from '../../sql/results.ts'
import type { Answer } from '../../sql/dialect.ts'
import type { Session } from './session.ts'
import { apartBy, chunkOf, insertOfUpsert, statementOf, updateOfUpsert } from './statements.ts'

/** Something was refused where nothing can be undone by itself. */
export class NeedsCare extends Error {}

/** An operation does not do what its caller asked for; never leaves this file. */
class Refused extends Error {
  readonly reason: Cause

  constructor(reason: Cause) {
    super(reason.message)
    this.reason = reason
  }
}

export interface ApplyContext {
  readonly session: Session
  readonly schema: DatabaseSchema
  readonly writer: WriterName
  readonly epoch: Epoch
  readonly nowMs: number
  readonly isCareful: boolean
  /** Operations that are known to be bad: they are not run again, only written to the dead letters. */
  readonly condemned: ReadonlyMap<Seq, Cause>
  /** Run every row by itself: somewhere among them is one that ends the transaction. */
  readonly rowByRow: boolean
}

/** Notes what an operation left behind, for its receipt. */
type Tell = () => void
const nothingToTell: Tell = () => undefined

const letterGone: Cause = { code: 'LETTER_GONE', message: 'the dead letter was redriven or removed already' }

export class Application {
  readonly results: Results = new Results()
  readonly rejections: Rejection[] = []
  readonly #context: ApplyContext
  #seq: number

  constructor(context: ApplyContext, prev: Seq) {
    this.#context = context
    this.#seq = prev + 1
  }

  async apply(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step.kind === 'run') await this.#applyRun(step)
      else if (step.kind === 'group') await this.#applyGroup(step)
      else await this.#applyLoad(step)
    }
  }

  async #applyRun(run: Run): Promise<void> {
    const { shape } = run
    const together = this.#goesTogether(shape)
    for (let index = 0; index < run.count;) {
      const rows = together ? this.#chunk(run, index) : 1
      const first = this.#seq as Seq
      if (rows > 1) {
        const refusal = await this.#attempt(undefined, async () => {
          const answer = await this.#send(run, index, rows)
          return () => this.results.tellIds(first, this.#idsOf(shape, answer, rows))
        })
        this.#seq += rows
        // Nothing of the statement is left: its rows again, one by one, to find the bad ones.
        if (refusal) {
          this.#seq = first
          for (let row = 0; row < rows; row++) await this.#applyOne(run, index + row)
        }
      } else {
        await this.#applyOne(run, index)
      }
      index += rows
    }
  }

  /** Its rows may go in one statement. Where constraints are judged operation by operation, they may not. */
  #goesTogether(shape: Shape): boolean {
    const { schema, condemned, rowByRow } = this.#context
    if (rowByRow || condemned.size > 0 || (shape.kind !== 'insert' && shape.kind !== 'upsert')) return false
    const traits = schema.traits.get(shape.table)
    return traits?.isPlain === true && !traits.isDeferred && !this.#isInTwo(shape)
  }

  #isInTwo(shape: Shape): boolean {
    const { session, schema } = this.#context
    return (
      shape.kind === 'upsert' &&
      session.dialect.upsertClause(shape, schema.traits.get(shape.table)) === undefined
    )
  }

  #chunk(run: Run, index: number): number {
    const { dialect } = this.#context.session
    const rows = chunkOf(dialect, run, index)
    if (run.shape.kind !== 'upsert' || dialect.setsApplyInOrder) return rows
    return apartBy(run.shape, run, index, rows)
  }

  async #send(run: Run, index: number, rows: number): Promise<Answer> {
    const { session, schema } = this.#context
    const { sql, parameters } = statementOf(session.dialect, schema, run, index, rows)
    const { keepsZero } = session.dialect
    if (keepsZero === undefined || !this.#givesZero(run, index, rows))
      return await session.run(sql, parameters)
    await session.run(keepsZero.begin)
    try {
      return await session.run(sql, parameters)
    } finally {
      await session.run(keepsZero.end)
    }
  }

  /** Some of the rows name 0 as the id that is made up when it is left out. */
  #givesZero({ shape, values }: Run, index: number, rows: number): boolean {
    if (shape.kind !== 'insert' && shape.kind !== 'upsert') return false
    const id = this.#context.schema.tables.get(shape.table)?.generatedId
    const place = id === undefined ? -1 : shape.columns.indexOf(id)
    if (place < 0) return false
    for (let row = index; row < index + rows; row++)
      if (Number(values[row * shape.width + place]) === 0) return true
    return false
  }

  async #applyOne(run: Run, index: number): Promise<void> {
    const seq = this.#seq++ as Seq
    const refusal =
      this.#context.condemned.get(seq) ?? (await this.#attempt(seq, () => this.#runOne(run, index, seq)))
    if (refusal) await this.#reject(seq, tableOf(run.shape), { runs: [operationAt(run, index)] }, refusal)
  }

  /** @returns what tells its result, once it stands */
  async #runOne(run: Run, index: number, seq: Seq): Promise<Tell> {
    const { shape } = run
    const { dialect } = this.#context.session
    if (shape.kind === 'statement') checkWritten(dialect, shape.sql)
    if (shape.kind === 'upsert' && this.#isInTwo(shape)) {
      await this.#upsertInTwo(shape, run, index)
      return nothingToTell
    }
    const answer = await this.#send(run, index, 1)
    if ('expect' in shape && shape.expect !== undefined && answer.changes !== shape.expect) {
      throw new Refused({
        code: 'EXPECTATION_FAILED',
        message: `it changed ${answer.changes} rows where ${shape.expect} were expected`,
      })
    }
    switch (shape.kind) {
      case 'insert':
        return () => {
          this.results.tellIds(seq, this.#idsOf(shape, answer, 1))
          if (this.#context.rowByRow) this.results.noteRow(shape.table, seq, answer)
        }
      case 'upsert':
        return nothingToTell
      default:
        return () => this.results.tellChanges(seq, answer.changes, lastIdOf(shape, answer))
    }
  }

  /** Another writer may insert the row between the two: then the insert is refused, and the update finds it. */
  async #upsertInTwo(shape: UpsertShape, run: Run, index: number): Promise<void> {
    const { session, schema } = this.#context
    const { dialect } = session
    const { values } = operationAt(run, index)
    const update = updateOfUpsert(dialect, schema, shape, values)
    if ((await session.run(update.sql, update.parameters)).changes > 0) return
    const insert = insertOfUpsert(dialect, schema, shape, values)
    try {
      await session.run(insert.sql, insert.parameters)
    } catch (error) {
      if (!dialect.classify(error).isViolation) throw error
      if ((await session.run(update.sql, update.parameters)).changes === 0) throw error
    }
  }

  async #applyGroup(group: Group): Promise<void> {
    const seq = this.#seq++ as Seq
    const refusal =
      this.#context.condemned.get(seq) ?? (await this.#attempt(seq, () => this.#runGroup(group, seq)))
    if (!refusal) return
    if (group.redrives === undefined) await this.#reject(seq, undefined, { runs: group.runs }, refusal)
    else await this.#returnToLetter(seq, group.redrives, refusal)
  }

  async #runGroup(group: Group, seq: Seq): Promise<Tell> {
    const { session } = this.#context
    if (group.redrives !== undefined && !(await removeLetter(session, group.redrives)))
      throw new Refused(letterGone)
    for (const run of group.runs) {
      const together = this.#goesTogether(run.shape)
      for (let index = 0; index < run.count;) {
        const rows = together ? this.#chunk(run, index) : 1
        if (rows > 1) await this.#send(run, index, rows)
        else await this.#runOne(run, index, seq)
        index += rows
      }
    }
    return nothingToTell
  }

  async #applyLoad(load: Load): Promise<void> {
    const end = this.#seq + load.positions
    for (const run of load.runs) await this.#applyRun(run)
    for (const { table, text, error } of load.letters) {
      const cause = { code: 'UNREADABLE_INPUT', message: messageOf(error) }
      await this.#reject(this.#seq++ as Seq, table, { text }, cause)
    }
    this.#seq = end
    const { session, nowMs } = this.#context
    if (load.checkpoint) await putCheckpoint(session, load.checkpoint, nowMs)
  }

  /** @returns why it was refused; what it did is undone then */
  async #attempt(seq: Seq | undefined, run: () => Promise<Tell>): Promise<Cause | undefined> {
    const { session, isCareful, schema } = this.#context
    if (isCareful) await session.run('SAVEPOINT tidemark_operation')
    let tell: Tell
    try {
      tell = await run()
      // Whatever waits for COMMIT is judged now, as it would be if this operation were committed alone.
      if (typeof schema.deferred === 'object') {
        await session.run(schema.deferred.judge)
        await session.run(schema.deferred.wait)
      }
    } catch (error) {
      const cause = this.#causeOf(error)
      if (!isCareful) throw new NeedsCare()
      await this.#undo(seq, cause)
      return cause
    }
    if (isCareful) await session.run('RELEASE SAVEPOINT tidemark_operation')
    tell()
    return undefined
  }

  async #undo(seq: Seq | undefined, cause: Cause): Promise<void> {
    const { session } = this.#context
    try {
      await session.run('ROLLBACK TO SAVEPOINT tidemark_operation')
    } catch (error) {
      // The savepoint is gone, and the transaction with it; or the connection is.
      if (session.dialect.classify(error).failure !== 'rejected') throw error
      throw new TransactionEnded(seq, cause)
    }
    await session.run('RELEASE SAVEPOINT tidemark_operation')
  }

  /** Throws on everything that is not one operation's own fault. */
  #causeOf(error: unknown): Cause {
    if (error instanceof Refused) return error.reason
    if (error instanceof StoreError) {
      if (error.failure !== 'rejected') throw error
      return {
        code: error.storeCode ?? error.code,
        message: unprefixed(messageOf(error)),
      }
    }
    const { failure, code } = this.#context.session.dialect.classify(error)
    if (failure !== 'rejected') throw error
    return { code, message: messageOf(error) }
  }

  #generatedId(shape: Shape): string | undefined {
    if (shape.kind !== 'insert') return undefined
    const id = this.#context.schema.tables.get(shape.table)?.generatedId
    return id !== undefined && !shape.columns.includes(id) ? id : undefined
  }

  #idsOf(shape: Shape, answer: Answer, rows: number): readonly bigint[] {
    const id = this.#generatedId(shape)
    return id === undefined ? [] : this.#context.session.dialect.idsOf(answer, id, rows)
  }

  async #reject(seq: Seq, table: string | undefined, content: LetterContent, cause: Cause): Promise<void> {
    const { session } = this.#context
    const deadLetter = await keepLetter(
      session,
      { ...this.#context, seq, table, ...cause },
      encodeLetter(content),
    )
    this.rejections.push({ seq, table, ...cause, deadLetter })
  }

  /** A redriven operation that is refused again stays the letter it was, with the newer reason. */
  async #returnToLetter(seq: Seq, deadLetter: DeadLetterId, cause: Cause): Promise<void> {
    const { session } = this.#context
    if (cause.code !== letterGone.code)
      await returnLetter(session, deadLetter, { ...this.#context, seq, table: undefined, ...cause })
    this.rejections.push({ seq, table: undefined, ...cause, deadLetter })
  }
}

/** SQLite's drivers tell the id of the last row inserted by whatever statement; only of one that inserts is it this one's. */
function lastIdOf(shape: Shape, { insertId, changes }: Answer): number | undefined {
  const inserts = shape.kind === 'statement' && /^\s*(?:insert|replace)\b/i.test(shape.sql)
  const id = Number(insertId)
  return inserts && changes > 0 && Number.isSafeInteger(id) ? id : undefined
}

function tableOf(shape: Shape): string | undefined {
  return shape.kind === 'statement' ? undefined : shape.table
}
