/**
 * The SQL of each shape. Many rows travel as one array a column, so that the same statement, prepared once, takes any
 * number of them: `INSERT … SELECT unnest($1::bigint[]), unnest($2::text[])`, which takes the arrays apart side by side
 * and keeps their order; in the list, and not in FROM, where their rows would be gathered first. Casts name types
 * without length: only then does the assignment to the column refuse what is too long instead of cutting it.
 */
import type {
  DeleteShape,
  InsertShape,
  Run,
  Shape,
  UpdateShape,
  UpsertShape,
} from '../../contracts/operation.ts'
import type { Value } from '../../contracts/values.ts'
import type { Cause } from '../../isolation.ts'
import { quote } from '../../sql/postgres-catalog.ts'
import type { WireStatement } from './connection.ts'
import { packedColumn } from './packed.ts'
import { quotedTable, type DatabaseSchema } from './schema.ts'
import { arrayOf, columnOf, textOf, type ArrayKind } from './values.ts'

/** What a guard makes the server say: the message of a text that is no integer. */
const guardMessages: readonly (readonly [RegExp, (found: RegExpExecArray) => Cause])[] = [
  [
    /tidemark: (\d+) changed, (\d+) expected/,
    ([, changed, expected]) => ({
      code: 'EXPECTATION_FAILED',
      message: `it changed ${changed} rows where ${expected} were expected`,
    }),
  ],
  [
    /tidemark: letter gone/,
    () => ({ code: 'LETTER_GONE', message: 'the dead letter was redriven or removed already' }),
  ],
]

/** Why a guard of ours refused, if it was one. */
export function guardCause(message: string): Cause | undefined {
  for (const [pattern, cause] of guardMessages) {
    const found = pattern.exec(message)
    if (found) return cause(found)
  }
  return undefined
}

/** Fails when `changing`, which returns a row for each that it changes, changed other than `expect`. */
function expecting(changing: string, expect: string): string {
  return guarded(changing, expect, `'tidemark: ' || count(*) || ' changed, ' || ${expect} || ' expected'`)
}

function guarded(changing: string, expect: string, message: string): string {
  return (
    `WITH changed AS (${changing}) SELECT CASE WHEN count(*) = ${expect} THEN 0 ` +
    `ELSE (${message})::integer END FROM changed`
  )
}

/** Takes a dead letter out, or fails when somebody else has. */
export const removeLetter: string = guarded(
  'DELETE FROM tidemark_dead_letters WHERE id = $1 RETURNING 1',
  '1',
  // With the count, so that it is not worked out beforehand.
  "'tidemark: letter gone' || left(count(*)::text, 0)",
)

export class Statements {
  readonly #schema: DatabaseSchema
  readonly #cache = new Map<string, string>()

  constructor(schema: DatabaseSchema) {
    this.#schema = schema
  }

  /** The statement for `rows` operations of a run, from `index` on. */
  of(run: Run, index: number, rows: number): WireStatement {
    const { shape } = run
    const { width } = shape
    const values =
      index === 0 && rows === run.count ? run.values : run.values.slice(index * width, (index + rows) * width)
    switch (shape.kind) {
      case 'statement':
        return { sql: shape.sql, parameters: values.map(textOf) }
      case 'insert':
      case 'upsert':
        return rows === 1 ? this.#insertOne(shape, values) : this.#insertMany(shape, values)
      case 'update':
      case 'delete':
        return rows === 1 ? this.#single(shape, values) : this.#many(shape, values)
    }
  }

  /** The id that the database makes for each row, when the rows have none. */
  generatedId(shape: Shape): string | undefined {
    if (shape.kind !== 'insert') return undefined
    const id = this.#schema.tables.get(shape.table)?.generatedId
    return id !== undefined && !shape.columns.includes(id) ? id : undefined
  }

  #insertMany(shape: InsertShape | UpsertShape, values: readonly Value[]): WireStatement {
    const { key, table, columns } = shape
    const sql = this.#cached(`${key}many`, () =>
      this.#insertSql(shape, `SELECT ${this.#selected(table, columns)}`),
    )
    return { sql, parameters: this.#arrays(table, columns, values), asArrays: true }
  }

  /** A row by itself is nearly always awaited, and comes sooner without arrays around it. */
  #insertOne(shape: InsertShape | UpsertShape, values: readonly Value[]): WireStatement {
    const { key, table, columns } = shape
    const sql = this.#cached(key, () =>
      this.#insertSql(shape, `VALUES (${columns.map((_, at) => `$${at + 1}`).join(', ')})`),
    )
    const parameters = columns.map((column, at) => this.#text(table, column, values[at] as Value))
    return { sql, parameters, asArrays: true }
  }

  #insertSql(shape: InsertShape | UpsertShape, rows: string): string {
    const { table, columns } = shape
    const names = columns.map(quote).join(', ')
    const overriding = columns.some((column) => this.#column(table, column)?.isAlwaysGenerated)
      ? ' OVERRIDING SYSTEM VALUE'
      : ''
    const id = this.generatedId(shape)
    const tail =
      shape.kind === 'upsert' ? conflictClause(shape) : id === undefined ? '' : ` RETURNING ${quote(id)}`
    return `INSERT INTO ${quotedTable(this.#schema, table)} (${names})${overriding} ${rows}${tail}`
  }

  /** One operation: a null in its key is looked for in other words, since nothing equals it. */
  #single(shape: UpdateShape | DeleteShape, values: readonly Value[]): WireStatement {
    const { table, where } = shape
    const set = shape.kind === 'update' ? shape.set : []
    const keys = values.slice(set.length)
    const nulls = keys.map((key) => (key === null ? '1' : '0')).join('')
    const named = [...set, ...where]
    const parameters = values.flatMap((value, at) =>
      at >= set.length && value === null ? [] : [this.#text(table, named[at] as string, value)],
    )
    const sql = this.#cached(`${shape.key}${nulls}`, () => {
      let index = set.length
      const found = where
        .map((column, at) =>
          keys[at] === null
            ? `${quote(column)} IS NULL`
            : `${quote(column)} = ${this.#cast(table, column, `$${++index}`)}`,
        )
        .join(' AND ')
      const changes =
        shape.kind === 'update'
          ? `UPDATE ${quotedTable(this.#schema, table)} SET ${set.map((column, at) => `${quote(column)} = $${at + 1}`).join(', ')}`
          : `DELETE FROM ${quotedTable(this.#schema, table)}`
      const changing = `${changes} WHERE ${found}`
      return shape.expect === undefined
        ? changing
        : expecting(`${changing} RETURNING 1`, String(shape.expect))
    })
    return { sql, parameters }
  }

  /** Many, whose keys are apart and hold no null. Each row that was changed is told by its place. */
  #many(shape: UpdateShape | DeleteShape, values: readonly Value[]): WireStatement {
    const { table, where } = shape
    const set = shape.kind === 'update' ? shape.set : []
    const columns = [...set, ...where]
    const sql = this.#cached(`${shape.key}many`, () => {
      const target = quotedTable(this.#schema, table)
      const found = where.map(
        (column, at) => `t.${quote(column)} = ${this.#cast(table, column, `u.c${set.length + at}`)}`,
      )
      const from = `${this.#unnested(table, columns)} WITH ORDINALITY AS u (${aliases(columns)}, place)`
      const assigned = set.map((column, at) => `${quote(column)} = ${this.#cast(table, column, `u.c${at}`)}`)
      const changes =
        shape.kind === 'update'
          ? `UPDATE ${target} AS t SET ${assigned.join(', ')} FROM ${from}`
          : `DELETE FROM ${target} AS t USING ${from}`
      const changing = `${changes} WHERE ${found.join(' AND ')} RETURNING u.place`
      // Each is expected to change one row, or they would not go together.
      return shape.expect === undefined ? changing : expecting(changing, 'cardinality($1)')
    })
    return { sql, parameters: this.#arrays(table, columns, values), asArrays: true }
  }

  #arrays(table: string, columns: readonly string[], values: readonly Value[]): (string | Buffer)[] {
    const width = columns.length
    return columns.map((column, place) => {
      const kind = this.#arrayKind(table, column)
      const packed =
        kind === 'none' ? packedColumn(values, place, width, this.#sent(table, column)) : undefined
      return packed ?? columnOf(values, place, width, kind)
    })
  }

  #text(table: string, column: string, value: Value): string | null {
    const kind = this.#arrayKind(table, column)
    return value === null || kind === 'none' ? textOf(value) : arrayOf(value, kind)
  }

  #arrayKind(table: string, column: string): ArrayKind {
    return this.#column(table, column)?.array ?? 'none'
  }

  #unnested(table: string, columns: readonly string[]): string {
    return `unnest(${columns.map((column, at) => this.#parameter(table, column, at)).join(', ')})`
  }

  #selected(table: string, columns: readonly string[]): string {
    return columns
      .map((column, at) => this.#cast(table, column, `unnest(${this.#parameter(table, column, at)})`))
      .join(', ')
  }

  #parameter(table: string, column: string, at: number): string {
    return `$${at + 1}::${this.#sent(table, column)}[]`
  }

  /** The type as which its values go to the server. */
  #sent(table: string, column: string): string {
    const found = this.#column(table, column)
    return found?.isElement ? found.baseType : 'text'
  }

  /** What `unnest` would take apart travels as text; nor are composites compared with what has no type. */
  #cast(table: string, column: string, expression: string): string {
    const found = this.#column(table, column)
    return found && !found.isElement ? `${expression}::${found.baseType}` : expression
  }

  #column(table: string, column: string) {
    return this.#schema.traits.get(table)?.columns.get(column)
  }

  #cached(key: string, make: () => string): string {
    const known = this.#cache.get(key) ?? make()
    this.#cache.set(key, known)
    return known
  }
}

function aliases(columns: readonly string[]): string {
  return columns.map((_, at) => `c${at}`).join(', ')
}

function conflictClause({ columns, keyColumns }: UpsertShape): string {
  const rest = columns.filter((column) => !keyColumns.includes(column))
  const set = rest.map((column) => `${quote(column)} = excluded.${quote(column)}`).join(', ')
  return ` ON CONFLICT (${keyColumns.map(quote).join(', ')}) DO ${rest.length === 0 ? 'NOTHING' : `UPDATE SET ${set}`}`
}
