/**
 * Applies the steps of a batch inside one transaction that is already open.
 *
 * A statement that SQLite refuses leaves nothing behind (its default, ABORT) and the transaction goes on: the
 * operation becomes a dead letter, its neighbours are not touched. Three things break that, and each has its
 * answer here: a statement of many rows is repeated row by row to find the bad one; what may fail half-way
 * (triggers, groups, guards, SQL of the user's own) runs inside a savepoint; and what ends the transaction
 * itself (`OR ROLLBACK`, `RAISE(ROLLBACK)`) is thrown as `TransactionEnded`, so that the batch is run again
 * without it.
 *
 * Hot: `#insertRows` is the inner loop of the writer's thread.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { Segment } from '../../contracts/effect.ts'
import type {
  DeadLetterId,
  Group,
  InsertShape,
  Load,
  Rejection,
  Run,
  Shape,
  Step,
} from '../../contracts/operation.ts'
import { RejectedRows } from '../../causes.ts'
import type { Epoch, Seq, WriterName } from '../../contracts/position.ts'
import type { RunResult } from '../../contracts/store.ts'
import { noLetter, operationAt, TransactionEnded, type Cause } from '../../isolation.ts'
import { encodeLetter, withEffects, type LetterContent } from '../../operation-json.ts'
import { failureOf, nameOf } from '../../sqlite-codes.ts'
import { isSqliteError, toStoreError } from './classify.ts'
import type { DatabaseSchema } from './schema.ts'
import type { PreparedShape, Statements } from './statements.ts'

/** Undoes a savepoint; never leaves this file. */
class Refused extends Error {
  readonly reason: Cause

  constructor(reason: Cause) {
    super(reason.message)
    this.reason = reason
  }
}

export interface ApplyContext {
  readonly database: DatabaseSync
  readonly statements: Statements
  readonly schema: DatabaseSchema
  readonly writer: WriterName
  readonly epoch: Epoch
  readonly nowMs: number
  /** Of the transactions before. */
  readonly rejected: RejectedRows
  /** Operations that are known to be bad: they are not run again, only written to the dead letters. */
  readonly condemned: ReadonlyMap<Seq, Cause>
  /** Run every row by itself: somewhere among them is one that ends the transaction. */
  readonly rowByRow: boolean
  /** The effects of its operations. */
  readonly segments: readonly Segment[]
}

const letterGone: Cause = { code: 'LETTER_GONE', message: 'the dead letter was redriven or removed already' }

export class Application {
  readonly results: RunResult[] = []
  readonly rejections: Rejection[] = []
  /** Row by row, which operation inserted which row of which table. */
  readonly rowsOf: Map<string, Map<number, Seq>> = new Map()
  readonly rejected: RejectedRows
  readonly #context: ApplyContext
  #seq: number
  /** The last result's rows changed, while the operations that change rows follow each other. */
  #changes: number[] = []
  #ids: (number | undefined)[] = []
  #changedUpTo = Number.NaN

  constructor(context: ApplyContext, prev: Seq) {
    this.#context = context
    this.rejected = new RejectedRows(context.rejected)
    this.#seq = prev + 1
  }

  apply(steps: readonly Step[]): void {
    for (const step of steps) {
      if (step.kind === 'run') this.#applyRun(step)
      else if (step.kind === 'group') this.#applyGroup(step)
      else this.#applyLoad(step)
    }
  }

  #applyRun(run: Run): void {
    const { schema, condemned, rowByRow } = this.#context
    const { shape } = run
    const isSet = shape.kind === 'insert' || shape.kind === 'upsert'
    const traits = shape.kind === 'statement' ? undefined : schema.traits.get(shape.table)
    const isPlain =
      shape.kind === 'insert' ? traits?.insertsPlainly : traits?.isPlain && !traits.cascadesToTriggers
    const prepared = this.#prepare(run)
    if (!prepared) return
    if (isSet && isPlain && !rowByRow && condemned.size === 0) return this.#insertRows(run, prepared)
    const needsSavepoint = !isPlain || ('expect' in shape && shape.expect !== undefined)
    for (let index = 0; index < run.count; index++) this.#applyOne(run, index, prepared, needsSavepoint)
  }

  /** A shape that cannot be prepared (its table was dropped) rejects all its operations. */
  #prepare(run: Run): PreparedShape | undefined {
    try {
      return this.#context.statements.of(run.shape)
    } catch (error) {
      const cause = this.#causeOf(error, this.#seq)
      for (let index = 0; index < run.count; index++)
        this.#reject(this.#seq++ as Seq, tableOf(run.shape), { runs: [operationAt(run, index)] }, cause)
      return undefined
    }
  }

  #insertRows(run: Run, prepared: PreparedShape): void {
    const { values, count } = run
    const { width } = run.shape
    let index = 0
    for (const { rows, statement } of prepared.sizes) {
      while (count - index >= rows) {
        const chunk = rows === count ? values : values.slice(index * width, (index + rows) * width)
        try {
          const { changes, lastInsertRowid } = statement.run(...chunk)
          if (changes === rows)
            this.#tellIds(run.shape, this.#seq as Seq, rows, Number(lastInsertRowid) - rows + 1)
          this.#seq += rows
        } catch (error) {
          this.#causeOf(error, rows === 1 ? this.#seq : undefined)
          // Nothing of the statement is left: its rows again, one by one, to find the bad ones.
          for (let row = index; row < index + rows; row++) this.#applyOne(run, row, prepared, false)
        }
        index += rows
      }
    }
  }

  #applyOne(run: Run, index: number, prepared: PreparedShape, needsSavepoint: boolean): void {
    const seq = this.#seq++ as Seq
    const condemned = this.#context.condemned.get(seq)
    const refusal =
      condemned ?? this.#attempt(seq, needsSavepoint, () => this.#runOne(run, index, prepared, seq))
    if (refusal) this.#reject(seq, tableOf(run.shape), { runs: [operationAt(run, index)] }, refusal)
  }

  #runOne(run: Run, index: number, prepared: PreparedShape, seq: Seq | undefined): void {
    const { shape, values } = run
    const { changes, lastInsertRowid } = prepared.single.run(
      ...values.slice(index * shape.width, (index + 1) * shape.width),
    )
    if ('expect' in shape && shape.expect !== undefined && Number(changes) !== shape.expect) {
      throw new Refused({
        code: 'EXPECTATION_FAILED',
        message: `it changed ${changes} rows where ${shape.expect} were expected`,
      })
    }
    if (seq === undefined) return
    // A constraint or a trigger may have ignored the row; the id is then that of an earlier one.
    if (shape.kind === 'insert') {
      if (Number(changes) === 1) this.#inserted(shape, seq, Number(lastInsertRowid))
    } else if (shape.kind !== 'upsert') {
      const lastId = inserts(shape) && Number(changes) > 0 ? Number(lastInsertRowid) : undefined
      this.#tellChanges(seq, Number(changes), lastId)
    }
  }

  #applyGroup(group: Group): void {
    const seq = this.#seq++ as Seq
    const refusal = this.#context.condemned.get(seq) ?? this.#attempt(seq, true, () => this.#runGroup(group))
    if (!refusal) return
    if (group.leavesNoLetter)
      this.rejections.push({ seq, table: undefined, ...refusal, deadLetter: noLetter })
    else if (group.redrives === undefined) this.#reject(seq, undefined, { runs: group.runs }, refusal)
    else this.#returnToLetter(seq, group.redrives, refusal)
  }

  #runGroup(group: Group): void {
    const { database, schema, statements } = this.#context
    if (group.redrives !== undefined) {
      const { changes } = database
        .prepare('DELETE FROM tidemark_dead_letters WHERE id = ?')
        .run(group.redrives)
      if (changes === 0) throw new Refused(letterGone)
    }
    for (const run of group.runs) {
      const prepared = statements.of(run.shape)
      let index = 0
      const isGuarded = 'expect' in run.shape && run.shape.expect !== undefined
      const isOrdered = run.shape.kind !== 'statement' && schema.traits.get(run.shape.table)?.refersToItself
      for (const { rows, statement } of prepared.sizes.slice(isOrdered ? -1 : 0)) {
        for (; run.count - index >= rows; index += rows) {
          if (isGuarded) this.#runOne(run, index, prepared, undefined)
          else statement.run(...run.values.slice(index * run.shape.width, (index + rows) * run.shape.width))
        }
      }
    }
  }

  #applyLoad(load: Load): void {
    const end = this.#seq + load.positions
    for (const run of load.runs) this.#applyRun(run)
    for (const { table, text, error } of load.letters)
      this.#reject(this.#seq++ as Seq, table, { text }, { code: 'UNREADABLE_INPUT', message: error })
    this.#seq = end
    if (!load.checkpoint) return
    const { database, nowMs } = this.#context
    const { source, value } = load.checkpoint
    database
      .prepare(
        'INSERT INTO tidemark_checkpoints VALUES (?, ?, ?) ON CONFLICT (source) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at',
      )
      .run(source, value, nowMs)
  }

  /** @returns why it was refused; what it did is undone then */
  #attempt(seq: Seq, needsSavepoint: boolean, run: () => void): Cause | undefined {
    const { database } = this.#context
    if (needsSavepoint) database.exec('SAVEPOINT tidemark_operation')
    let refusal: Cause | undefined
    try {
      run()
    } catch (error) {
      refusal = error instanceof Refused ? error.reason : this.#causeOf(error, seq)
      if (needsSavepoint) database.exec('ROLLBACK TO tidemark_operation')
    }
    if (needsSavepoint) database.exec('RELEASE tidemark_operation')
    return refusal
  }

  /** Throws on everything that is not one operation's own fault. */
  #causeOf(error: unknown, seq: number | undefined): Cause {
    const failure = toStoreError(error)
    const cause = isSqliteError(error)
      ? { code: nameOf(error.errcode), message: error.message }
      : { code: 'UNBINDABLE_VALUE', message: failure.message }
    if (isSqliteError(error) && failureOf(error.errcode) !== 'rejected') throw error
    if (!this.#context.database.isTransaction) throw new TransactionEnded(seq as Seq | undefined, cause)
    return cause
  }

  #inserted(shape: InsertShape, seq: Seq, rowid: number): void {
    this.#tellIds(shape, seq, 1, rowid)
    if (!this.#context.rowByRow) return
    const rows = this.rowsOf.get(shape.table) ?? new Map<number, Seq>()
    this.rowsOf.set(shape.table, rows.set(rowid, seq))
  }

  /** Ids that follow on the last ones told become one range with them. */
  #tellIds(shape: Shape, first: Seq, count: number, firstId: number): void {
    // Past 2^53 a number would tell another row's id.
    if (!makesIds(this.#context.schema, shape) || !Number.isSafeInteger(firstId + count)) return
    const last = this.results.at(-1)
    const follows =
      last && 'firstId' in last && last.first + last.count === first && last.firstId + last.count === firstId
    if (follows) this.results[this.results.length - 1] = { ...last, count: last.count + count }
    else this.results.push({ first, count, firstId })
  }

  #tellChanges(seq: Seq, changes: number, lastId: number | undefined): void {
    if (seq === this.#changedUpTo + 1) {
      this.#changes.push(changes)
      this.#ids.push(lastId)
    } else {
      this.#changes = [changes]
      this.#ids = [lastId]
      this.results.push({ first: seq, changes: this.#changes, ids: this.#ids })
    }
    this.#changedUpTo = seq
  }

  #reject(seq: Seq, table: string | undefined, content: LetterContent, { code, message }: Cause): void {
    const { database, schema, writer, epoch, nowMs } = this.#context
    const { lastInsertRowid } = database
      .prepare(
        `INSERT INTO tidemark_dead_letters (writer, epoch, seq, table_name, code, message, content, attempts, rejected_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)`,
      )
      .run(
        writer,
        epoch,
        seq,
        table ?? null,
        code,
        message,
        encodeLetter(this.#explained(content, seq, code)),
        nowMs,
      )
    const deadLetter = Number(lastInsertRowid) as DeadLetterId
    this.rejections.push({ seq, table, code, message, deadLetter })
    if ('runs' in content) this.rejected.add(schema, content.runs, deadLetter)
  }

  /** With its effects, and the letter of the row that it refers to, if that is why, and is there still. */
  #explained(given: LetterContent, seq: Seq, code: string): LetterContent {
    const content = withEffects(given, this.#context.segments, seq)
    if (code !== 'SQLITE_CONSTRAINT_FOREIGNKEY' || !('runs' in content)) return content
    const { database, schema } = this.#context
    const causedBy = this.rejected.causeOf(schema, content.runs)
    if (causedBy === undefined) return content
    const letter = database.prepare('SELECT 1 FROM tidemark_dead_letters WHERE id = ?').get(causedBy)
    return letter === undefined ? content : { ...content, causedBy }
  }

  /** A redriven operation that is refused again stays the letter it was, with the newer reason. */
  #returnToLetter(seq: Seq, letter: DeadLetterId, { code, message }: Cause): void {
    const { database, writer, epoch, nowMs } = this.#context
    if (code !== letterGone.code) {
      database
        .prepare(
          `UPDATE tidemark_dead_letters SET writer = ?, epoch = ?, seq = ?, code = ?, message = ?, rejected_at = ?, attempts = attempts + 1
           WHERE id = ?`,
        )
        .run(writer, epoch, seq, code, message, nowMs, letter)
    }
    this.rejections.push({ seq, table: undefined, code, message, deadLetter: letter })
  }
}

function makesIds(schema: DatabaseSchema, shape: Shape): boolean {
  if (shape.kind !== 'insert') return false
  const generated = schema.tables.get(shape.table)?.generatedId
  return generated !== undefined && !shape.columns.includes(generated)
}

/** SQLite tells of the last row inserted by whatever statement; only of one that inserts is it this one's. */
function inserts(shape: Shape): boolean {
  return shape.kind === 'statement' && /^\s*(?:insert|replace)\b/i.test(shape.sql)
}

function tableOf(shape: Shape): string | undefined {
  return shape.kind === 'statement' ? undefined : shape.table
}
