/**
 * A batch as the units that succeed or fail by themselves: each a few statements that are sent one behind the other,
 * and what to tell when they stood.
 *
 * Keeps: law 4. Rows go together in one statement only where that does what as many statements do
 * (`chunks.ts`); a unit of many rows can be taken apart, down to the operation that is at fault.
 */
import type { Segment } from '../../contracts/effect.ts'
import type { Group, Load, Run, Shape, StatementShape, Step } from '../../contracts/operation.ts'
import type { Epoch, Seq, WriterName } from '../../contracts/position.ts'
import { StoreError, unprefixed } from '../../errors.ts'
import { operationAt, positionsOf, type Cause } from '../../isolation.ts'
import { encodeLetter, type LetterContent } from '../../operation-json.ts'
import { messageOf } from '../../sql/failure.ts'
import { checkWritten } from '../../sql/guard.ts'
import { insertLetter } from '../../sql/letters.ts'
import { withParameters } from '../../sql/text.ts'
import { chunksOf } from './chunks.ts'
import type { WireAnswer, WireStatement } from './connection.ts'
import { outboxOf } from './outbox.ts'
import { postgresDialect } from './dialect.ts'
import type { DatabaseSchema } from './schema.ts'
import { removeLetter, type Statements } from './statements.ts'
import type { Told } from './told.ts'

export interface Unit {
  readonly first: Seq
  readonly positions: number
  readonly statements: readonly WireStatement[]
  /** Why it cannot even be tried. */
  readonly refusal: Cause | undefined
  /** What its statements may break is checked at COMMIT, unless it is asked for before. */
  readonly isDeferred: boolean
  /** Of statements of the user's own, how many rows they are to change: only their answers tell. */
  readonly expectations: readonly Expectation[]
  /** Notes what it left behind. */
  tell(answers: readonly WireAnswer[], told: Told): void
  /** Smaller units that do the same; none when it is one operation. `fully`: one for each. */
  split(fully: boolean): readonly Unit[]
  /** What a dead letter of it keeps; undefined for what is no operation. */
  readonly letter: UnitLetter | undefined
}

export interface Expectation {
  /** Which of the statements. */
  readonly at: number
  readonly changes: number
}

export interface UnitLetter {
  readonly table: string | undefined
  readonly redrives: Group['redrives']
  readonly content: () => LetterContent
  /** It is to be rejected without a letter. */
  readonly isNone?: boolean
}

export interface UnitsContext {
  readonly schema: DatabaseSchema
  readonly statements: Statements
  readonly writer: WriterName
  readonly epoch: Epoch
  readonly nowMs: number
}

const nothing = (): void => undefined
const indivisible = (): readonly Unit[] => []

export class Units {
  readonly #context: UnitsContext

  constructor(context: UnitsContext) {
    this.#context = context
  }

  /** In the order of their positions, the first of which is `first`. */
  of(steps: readonly Step[], first: Seq): Unit[] {
    let next: number = first
    return steps.flatMap((step) => {
      const from = next as Seq
      next += positionsOf(step)
      if (step.kind === 'run') return this.#ofRun(step, from)
      return step.kind === 'group' ? [this.#ofGroup(step, from)] : this.#ofLoad(step, from)
    })
  }

  /** What keeps the effects. */
  outbox(segments: readonly Segment[]): WireStatement[] {
    return outboxOf(segments, this.#context)
  }

  #ofRun(run: Run, first: Seq): Unit[] {
    return chunksOf(this.#context.schema, run).map(([index, rows]) => this.#ofRows(run, index, rows, first))
  }

  /** @param first the position of the run's first row */
  #ofRows(run: Run, index: number, rows: number, first: Seq): Unit {
    const { shape } = run
    const from = (first + index) as Seq
    const refusal = refusalOf(shape)
    return {
      first: from,
      positions: rows,
      statements: refusal ? [] : [this.#context.statements.of(run, index, rows)],
      refusal,
      isDeferred: this.#isDeferred(shape),
      expectations: expectationOf(shape, 0),
      tell: ([answer], told) => this.#tell(shape, from, rows, answer as WireAnswer, told),
      split: (fully) => {
        if (rows === 1) return []
        const size = fully ? 1 : Math.ceil(rows / 2)
        const parts: Unit[] = []
        for (let at = 0; at < rows; at += size)
          parts.push(this.#ofRows(run, index + at, Math.min(size, rows - at), first))
        return parts
      },
      letter: {
        table: tableOf(shape),
        redrives: undefined,
        content: () => ({ runs: [operationAt(run, index)] }),
      },
    }
  }

  #ofGroup(group: Group, seq: Seq): Unit {
    const { schema } = this.#context
    const refusal = group.runs.map(({ shape }) => refusalOf(shape)).find((cause) => cause !== undefined)
    const statements: WireStatement[] = []
    const expectations: Expectation[] = []
    if (group.redrives !== undefined)
      statements.push({ sql: removeLetter, parameters: [String(group.redrives)] })
    for (const run of refusal ? [] : group.runs) {
      for (const [index, rows] of chunksOf(schema, run)) {
        expectations.push(...expectationOf(run.shape, statements.length))
        statements.push(this.#context.statements.of(run, index, rows))
      }
    }
    return {
      first: seq,
      positions: 1,
      statements,
      refusal,
      isDeferred: group.runs.some(({ shape }) => this.#isDeferred(shape)),
      expectations,
      tell: nothing,
      split: indivisible,
      letter: {
        table: undefined,
        redrives: group.redrives,
        content: () => ({ runs: group.runs }),
        isNone: group.leavesNoLetter === true,
      },
    }
  }

  #ofLoad({ runs, letters, checkpoint }: Load, first: Seq): Unit[] {
    const { nowMs } = this.#context
    let next: number = first
    const units = runs.flatMap((run) => {
      const from = next as Seq
      next += run.count
      return this.#ofRun(run, from)
    })
    for (const { table, text, error } of letters)
      units.push(this.#ofLetter(next++ as Seq, table, text, messageOf(error)))
    if (checkpoint) {
      const { source, value } = checkpoint
      units.push({
        ...bare(next as Seq, 0),
        statements: [{ sql: putCheckpoint, parameters: [source, value, String(nowMs)] }],
      })
    }
    return units
  }

  /** Input that never was an operation is rejected as it comes. */
  #ofLetter(seq: Seq, table: string, text: string, message: string): Unit {
    const { writer, epoch, nowMs } = this.#context
    const code = 'UNREADABLE_INPUT'
    return {
      ...bare(seq, 1),
      statements: [
        {
          sql: keepLetter,
          parameters: [writer, epoch, seq, table, code, message, encodeLetter({ text }), nowMs].map(String),
          asArrays: true,
        },
      ],
      tell: ([answer], told) => told.rejected({ seq, table, code, message }, answer?.rows[0]?.[0]),
    }
  }

  #isDeferred(shape: Shape): boolean {
    const { deferred, traits } = this.#context.schema
    if (deferred === undefined) return false
    return shape.kind === 'statement' || traits.get(shape.table)?.isDeferred !== false
  }

  #tell(shape: Shape, first: Seq, rows: number, answer: WireAnswer, { results }: Told): void {
    if (shape.kind === 'upsert') return
    if (shape.kind === 'insert') {
      const id = this.#context.statements.generatedId(shape)
      if (id !== undefined && answer.rows.length === rows)
        results.tellIds(
          first,
          answer.rows.map((row) => row[0] as number | bigint),
        )
      return
    }
    if (rows === 1) {
      const isGuarded = shape.kind !== 'statement' && shape.expect !== undefined
      return results.tellChanges(first, isGuarded ? shape.expect : answer.count, undefined)
    }
    const changed = new Set(answer.rows.map((row) => Number(row[0])))
    for (let at = 0; at < rows; at++)
      results.tellChanges(
        (first + at) as Seq,
        shape.expect !== undefined || changed.has(at + 1) ? 1 : 0,
        undefined,
      )
  }
}

const putCheckpoint = `INSERT INTO tidemark_checkpoints (source, value, updated_at) VALUES ($1, $2, $3)
  ON CONFLICT (source) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`
const keepLetter = withParameters(insertLetter + postgresDialect.returning('id'), 'postgres')

function bare(first: Seq, positions: number): Unit {
  return {
    first,
    positions,
    statements: [],
    refusal: undefined,
    isDeferred: false,
    expectations: [],
    tell: nothing,
    split: indivisible,
    letter: undefined,
  }
}

function expectationOf(shape: Shape, at: number): Expectation[] {
  return shape.kind === 'statement' && shape.expect !== undefined ? [{ at, changes: shape.expect }] : []
}

/** Shapes are looked into once: they come again with every batch, and once for each of their operations. */
const refusals = new WeakMap<Shape, Cause | 'none'>()

function refusalOf(shape: Shape): Cause | undefined {
  if (shape.kind !== 'statement') return undefined
  const refusal = refusals.get(shape) ?? inspect(shape) ?? 'none'
  refusals.set(shape, refusal)
  return refusal === 'none' ? undefined : refusal
}

function inspect(shape: StatementShape): Cause | undefined {
  try {
    checkWritten(postgresDialect, shape.sql)
    return undefined
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return { code: error.storeCode ?? error.code, message: unprefixed(error.message) }
  }
}

function tableOf(shape: Shape): string | undefined {
  return shape.kind === 'statement' ? undefined : shape.table
}
