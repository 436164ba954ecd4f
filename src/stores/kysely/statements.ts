/** The SQL of each shape. It is built for the values at hand, since a null is looked for in other words. */
import type { Run, Shape, UpsertShape } from '../../contracts/operation.ts'
import type { ColumnSchema } from '../../contracts/schema.ts'
import type { Value } from '../../contracts/values.ts'
import type { Statement } from '../../sql/dialect.ts'
import type { DatabaseSchema, SqlDialect } from './dialect.ts'

/** One INSERT takes at most so many rows, and about so many bytes: some servers limit what they take at once. */
const maxRows = 500
const maxBytes = 2 ** 20

/** How many rows from `index` on one statement can take. */
export function chunkOf({ maxParameters }: SqlDialect, run: Run, index: number): number {
  const { width } = run.shape
  const most = Math.min(maxRows, run.count - index, Math.max(1, Math.floor(maxParameters / width)))
  let bytes = 0
  for (let rows = 0; rows < most; rows++) {
    for (let at = 0; at < width; at++) bytes += sizeOf(run.values[(index + rows) * width + at] as Value)
    if (bytes > maxBytes && rows > 0) return rows
  }
  return most
}

function sizeOf(value: Value): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 8
}

/**
 * How many of the rows have keys that are apart, for a database that refuses a statement whose rows meet. Two that
 * only the database finds equal come apart when the statement has failed.
 */
export function apartBy(shape: UpsertShape, run: Run, index: number, rows: number): number {
  const places = shape.keyColumns.map((column) => shape.columns.indexOf(column))
  const seen = new Set<string>()
  for (let row = 0; row < rows; row++) {
    const key = places.map((place) => String(run.values[(index + row) * shape.width + place])).join('\u0000')
    if (seen.has(key)) return row
    seen.add(key)
  }
  return rows
}

/** The statement for `rows` operations of a run, from `index` on. All but inserts and upserts take one. */
export function statementOf(
  dialect: SqlDialect,
  schema: DatabaseSchema,
  run: Run,
  index: number,
  rows: number,
): Statement {
  const { shape } = run
  const values = run.values.slice(index * shape.width, (index + rows) * shape.width)
  if (shape.kind === 'statement') return dialect.statement(shape.sql, values)
  const table = schema.tables.get(shape.table)
  const build = new Builder(dialect, (column) => table?.columns.get(column))
  const tableName = dialect.quote(shape.table)
  switch (shape.kind) {
    case 'insert':
    case 'upsert': {
      const tail =
        shape.kind === 'upsert'
          ? dialect.upsertClause(shape, schema.traits.get(shape.table))
          : table?.generatedId !== undefined && !shape.columns.includes(table.generatedId)
            ? dialect.returning(table.generatedId)
            : ''
      return build.done(`${build.insert(shape, tableName, values)}${tail ?? ''}`)
    }
    case 'update': {
      const set = shape.set.map((column, at) => build.equals(column, values[at] as Value)).join(', ')
      const where = build.where(shape.where, values.slice(shape.set.length))
      return build.done(`UPDATE ${tableName} SET ${set} WHERE ${where}`)
    }
    case 'delete':
      return build.done(`DELETE FROM ${tableName} WHERE ${build.where(shape.where, values)}`)
  }
}

/** An upsert in two, where a clause would meet rows by other keys too: the update. The insert is one of the row. */
export function updateOfUpsert(
  dialect: SqlDialect,
  schema: DatabaseSchema,
  shape: UpsertShape,
  values: readonly Value[],
): Statement {
  const build = new Builder(dialect, (column) => schema.tables.get(shape.table)?.columns.get(column))
  const valueOf = (column: string) => values[shape.columns.indexOf(column)] as Value
  const rest = shape.columns.filter((column) => !shape.keyColumns.includes(column))
  const [key] = shape.keyColumns
  const set = rest.map((column) => build.equals(column, valueOf(column))).join(', ')
  const nothing = `${dialect.quote(key ?? '')} = ${dialect.quote(key ?? '')}`
  const where = build.where(shape.keyColumns, shape.keyColumns.map(valueOf))
  return build.done(`UPDATE ${dialect.quote(shape.table)} SET ${set || nothing} WHERE ${where}`)
}

/** The same, of an upsert's row. */
export function insertOfUpsert(
  dialect: SqlDialect,
  schema: DatabaseSchema,
  shape: UpsertShape,
  values: readonly Value[],
): Statement {
  const build = new Builder(dialect, (column) => schema.tables.get(shape.table)?.columns.get(column))
  return build.done(build.insert(shape, dialect.quote(shape.table), values))
}

class Builder {
  readonly #dialect: SqlDialect
  readonly #column: (name: string) => ColumnSchema | undefined
  readonly #parameters: unknown[] = []

  constructor(dialect: SqlDialect, column: (name: string) => ColumnSchema | undefined) {
    this.#dialect = dialect
    this.#column = column
  }

  done(sql: string): Statement {
    return { sql, parameters: this.#parameters }
  }

  insert(
    shape: Extract<Shape, { kind: 'insert' | 'upsert' }>,
    table: string,
    values: readonly Value[],
  ): string {
    const { columns } = shape
    const rows: string[] = []
    for (let at = 0; at < values.length; at += columns.length)
      rows.push(
        `(${columns.map((column, place) => this.#bound(column, values[at + place] as Value)).join(',')})`,
      )
    const names = columns.map((column) => this.#dialect.quote(column)).join(', ')
    return `INSERT INTO ${table} (${names}) VALUES ${rows.join(',')}`
  }

  equals(column: string, value: Value): string {
    return `${this.#dialect.quote(column)} = ${this.#bound(column, value)}`
  }

  /** `IS NULL` where null is meant: what finds null and values alike (`IS NOT DISTINCT FROM`) uses no index. */
  where(columns: readonly string[], values: readonly Value[]): string {
    return columns
      .map((column, at) =>
        values[at] === null
          ? `${this.#dialect.quote(column)} IS NULL`
          : this.equals(column, values[at] as Value),
      )
      .join(' AND ')
  }

  #bound(column: string, value: Value): string {
    this.#parameters.push(this.#dialect.bind(value, this.#column(column)))
    return this.#dialect.parameter(this.#parameters.length)
  }
}
