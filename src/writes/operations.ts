/**
 * The write calls, for a batch and for an atomic group alike: each finds its layout, encodes its values at the
 * end of the run they belong to, and hands the run to a sink.
 *
 * Keeps: law 1 (a call that throws has queued nothing: values already encoded are taken off again).
 *
 * Hot: `insert` and `upsert` reach `encodeRow` through one map look-up and no allocation but the receipt. Tables
 * whose ids are preallocated cost the others one look at a field.
 */
import type { Run, Shape, StatementShape } from '../contracts/operation.ts'
import type { Dialect } from '../contracts/store.ts'
import { InvalidOperationError } from '../errors.ts'
import { lengthOfKey, type EncodedEffect } from '../segments.ts'
import { encodeEffects, type EffectOptions, type EffectRequest } from './effect-input.ts'
import { definedNames, encodeColumns, encodeRow, layoutOf, type Row } from './encode.ts'
import type { IdStock } from './ids.ts'
import type { Layout, ShapeBook, TableShapes } from './shapes.ts'
import { checkStatement, readQuery, type WriteQuery } from './statement.ts'
import { encodeParameter, sizeOf } from './values.ts'

/** Where operations go: `R` is what the caller gets for one. */
export interface Sink<R> {
  /** The run that takes an operation of this shape next. */
  runFor(shape: Shape): Run
  /**
   * One operation's values are at the end of `run`, with the id it was given and the effects it carries. May throw, and
   * has then taken nothing.
   */
  take(run: Run, bytes: number, id?: number, effects?: readonly EncodedEffect[]): R
  /** Effects that belong to no operation in particular; only what is queued as a whole has such. */
  carry?(effects: readonly EncodedEffect[], bytes: number): void
}

export interface GuardOptions extends EffectOptions {
  /** The number of rows that must be changed; otherwise the operation is rejected and changes nothing. */
  readonly expect?: number
}

const maxCachedStatements = 200

/** The row does not have the layout's columns, so it was not taken. What a sink gives for one may be undefined. */
const otherColumns = Symbol('other columns')

export class Operations<R> {
  readonly #book: () => ShapeBook
  readonly #sink: Sink<R>
  readonly #statements: Map<string, StatementShape>
  readonly #dialect: Dialect

  constructor(
    book: () => ShapeBook,
    sink: Sink<R>,
    statements: Map<string, StatementShape>,
    dialect: Dialect,
  ) {
    this.#book = book
    this.#sink = sink
    this.#statements = statements
    this.#dialect = dialect
  }

  insert(table: string, row: Row, options?: EffectOptions): R {
    const shapes = this.#book().table(table)
    const taken = this.#takeRow(shapes, shapes.lastInsert, row, shapes.ids, options)
    if (taken !== otherColumns) return taken
    const layout = layoutOf(shapes, row, (names) => shapes.insert(names))
    return this.#takeRow(shapes, layout, row, shapes.ids, options) as R
  }

  upsert(table: string, row: Row, options?: EffectOptions): R {
    const shapes = this.#book().table(table)
    const taken = this.#takeRow(shapes, shapes.lastUpsert, row, undefined, options)
    if (taken !== otherColumns) return taken
    const layout = layoutOf(shapes, row, (names) => shapes.upsert(names))
    return this.#takeRow(shapes, layout, row, undefined, options) as R
  }

  update(table: string, where: Row, set: Row, options: GuardOptions = {}): R {
    const shapes = this.#book().table(table)
    const setNames = definedNames(set, `what an update of table "${table}" sets`)
    if (setNames.length === 0)
      throw new InvalidOperationError('EMPTY_OPERATION', `an update of table "${table}" sets nothing.`)
    const whereNames = this.#whereNames(table, where)
    const layout = shapes.update(setNames, whereNames, checkExpect(options.expect))
    return this.#take(layout.shape, effectsOf(options, shapes, where), (values) => {
      return (
        encodeColumns(layout, 0, set, setNames, values) +
        encodeColumns(layout, setNames.length, where, whereNames, values)
      )
    })
  }

  delete(table: string, where: Row, options: GuardOptions = {}): R {
    const shapes = this.#book().table(table)
    const names = this.#whereNames(table, where)
    const layout = shapes.delete(names, checkExpect(options.expect))
    return this.#take(layout.shape, effectsOf(options, shapes, where), (values) =>
      encodeColumns(layout, 0, where, names, values),
    )
  }

  write(query: WriteQuery, options: GuardOptions = {}): R {
    const { sql, parameters } = readQuery(query)
    const shape = this.#statementShape(sql, parameters.length, checkExpect(options.expect))
    return this.#take(shape, effectsOf(options), (values) => {
      let bytes = 0
      for (const [index, parameter] of parameters.entries()) {
        const where = (): string => `parameter ${index + 1} of the statement`
        const value = encodeParameter(parameter, this.#dialect, where)
        values.push(value)
        bytes += sizeOf(value)
      }
      return bytes
    })
  }

  /** Effects of the group that is collected. */
  enqueue(...requests: readonly EffectRequest[]): void {
    const effects = encodeEffects(requests)
    this.#sink.carry?.(effects, sizeOfEffects(effects))
  }

  #takeRow(
    shapes: TableShapes,
    layout: Layout | undefined,
    row: Row,
    ids: IdStock | undefined,
    options: EffectOptions | undefined,
  ): R | typeof otherColumns {
    if (layout === undefined) return otherColumns
    const run = this.#sink.runFor(layout.shape)
    const start = run.values.length
    try {
      const bytes = encodeRow(layout, row, run.values)
      if (bytes >= 0) {
        if (ids !== undefined) return this.#takeWithId(shapes, run, bytes, ids, row, options)
        if (options?.effects === undefined) return this.#sink.take(run, bytes)
        return this.#takeWithEffects(run, bytes, undefined, effectsOf(options, shapes, row))
      }
    } catch (error) {
      run.values.length = start
      throw error
    }
    run.values.length = start
    return otherColumns
  }

  #takeWithId(
    shapes: TableShapes,
    run: Run,
    bytes: number,
    ids: IdStock,
    row: Row,
    options: EffectOptions | undefined,
  ): R {
    const id = ids.next()
    run.values.push(id)
    try {
      return this.#takeWithEffects(run, bytes + 8, id, effectsOf(options, shapes, row, id))
    } catch (error) {
      ids.giveBack(id)
      throw error
    }
  }

  #takeWithEffects(
    run: Run,
    bytes: number,
    id: number | undefined,
    effects: readonly EncodedEffect[] | undefined,
  ): R {
    return this.#sink.take(run, bytes + sizeOfEffects(effects), id, effects)
  }

  #take(
    shape: Shape,
    effects: readonly EncodedEffect[] | undefined,
    encode: (values: Run['values']) => number,
  ): R {
    const run = this.#sink.runFor(shape)
    const start = run.values.length
    try {
      return this.#takeWithEffects(run, encode(run.values), undefined, effects)
    } catch (error) {
      run.values.length = start
      throw error
    }
  }

  #whereNames(table: string, where: Row): string[] {
    const what = `the key of a row of table "${table}"`
    const names = definedNames(where, what)
    const missing = Object.keys(where).find((name) => where[name] === undefined)
    if (missing !== undefined)
      throw new InvalidOperationError(
        'MISSING_KEY',
        `${what} has undefined for "${missing}".`,
        'Use null to find NULL.',
      )
    return names
  }

  #statementShape(sql: string, width: number, expect: number | undefined): StatementShape {
    const known = this.#statements.get(sql)
    if (known && known.width === width && known.expect === expect) return known
    checkStatement(sql, this.#dialect)
    const key = JSON.stringify(['statement', sql, width, expect ?? null])
    const shape: StatementShape = { kind: 'statement', key, sql, width, expect }
    if (this.#statements.size >= maxCachedStatements) this.#statements.clear()
    this.#statements.set(sql, shape)
    return shape
  }
}

/** Read before anything is taken: a `toJSON` of the caller's may throw, or write. */
function effectsOf(
  options: EffectOptions | undefined,
  shapes?: TableShapes,
  row?: Row,
  id?: number,
): readonly EncodedEffect[] | undefined {
  const requests = options?.effects
  if (requests === undefined) return undefined
  return encodeEffects(requests, shapes?.table, row, id)
}

/** What an effect is beside the text it was given: its place in the line. */
const bytesOfPlace = 32

export function sizeOfEffects(effects: readonly EncodedEffect[] = []): number {
  let bytes = 0
  for (let n = 0; n < effects.length; n++) {
    const { key, payload } = effects[n] as EncodedEffect
    bytes += 2 * (payload.length + lengthOfKey(key)) + bytesOfPlace
  }
  return bytes
}

function checkExpect(expect: number | undefined): number | undefined {
  if (expect === undefined || (Number.isInteger(expect) && expect >= 0)) return expect
  throw new InvalidOperationError(
    'INVALID_CALL',
    `\`expect\` must be a whole number of rows, not ${String(expect)}.`,
  )
}
