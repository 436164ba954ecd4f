/**
 * The query that reads one row and this writer's tidemark in one statement, and so in one snapshot.
 *
 * Owns: its text, made once a table; what a caller gives as a key, checked against the schema.
 * Keeps: law 6 (row and tidemark belong together). A statement is one snapshot in every store, also where two in one
 * transaction would not be.
 */
import type { Epoch, Seq } from '../contracts/position.ts'
import type { RowKey } from '../contracts/processor.ts'
import type { Dialect, SqlQuery } from '../contracts/store.ts'
import type { Value } from '../contracts/values.ts'
import { InvalidOperationError, TidemarkError, type ErrorCode, unprefixed } from '../errors.ts'
import type { PendingTable } from '../writes/pending-table.ts'
import { encodeForColumn } from '../writes/values.ts'
import { allFieldsOf, parameterOf, quoted, recordOf, wordsOf } from '../sql/text.ts'
import type { Row } from './fold.ts'

/** What is committed of a row, and the tidemark of the snapshot that says so. */
export interface CommittedRow {
  readonly tidemark: Seq
  readonly row: Row | undefined
}

export class RowQuery {
  readonly table: PendingTable
  /** Where the values of a key stand in what `encode` gives. */
  readonly offsets: readonly number[]
  readonly #sql: string
  /** The row comes as it is, with whatever is in it. */
  readonly #isDocument: boolean
  readonly #names: readonly string[]
  /** Where the key's first column stands in the answer: it is NULL only where there is no row. */
  readonly #keyAt: number

  constructor(table: PendingTable, dialect: Dialect, epoch: Epoch) {
    const { name, sqlName, columns, primaryKey } = table.schema
    this.table = table
    this.offsets = primaryKey.map((_, index) => index)
    this.#names = [...columns.keys()]
    this.#keyAt = 1 + this.#names.indexOf(primaryKey[0] ?? '')
    const quote = (text: string): string => quoted(text, dialect)
    // Put where they stand: a name may have a `?` of its own.
    const conditions = primaryKey.map(
      (column, index) => `t.${quote(column)} = ${parameterOf(index + 1, dialect)}`,
    )
    const own = {
      sql: [
        `SELECT w.watermark, ${this.#names.map((column) => `t.${quote(column)}`).join(', ')}`,
        `FROM tidemark_writers AS w LEFT JOIN ${sqlName ?? quote(name)} AS t ON ${conditions.join(' AND ')}`,
        `WHERE w.epoch = ${epoch}`,
      ].join(' '),
      surrealql: `SELECT watermark, (SELECT ${allFieldsOf(primaryKey)} FROM ONLY ${recordOf(name, primaryKey.length)}) AS row FROM tidemark_writers:${epoch}`,
    }
    this.#isDocument = dialect === 'surrealql'
    this.#sql = wordsOf(own, dialect)
  }

  query(values: readonly Value[]): SqlQuery {
    return { sql: this.#sql, parameters: values, asArrays: !this.#isDocument }
  }

  /** @returns undefined when the database does not know this writer */
  read(rows: readonly unknown[]): CommittedRow | undefined {
    if (rows[0] === undefined) return undefined
    if (this.#isDocument) {
      const { watermark, row } = rows[0] as { watermark: Seq; row: Row | null }
      return { tidemark: watermark, row: row ?? undefined }
    }
    const values = rows[0] as readonly unknown[]
    const tidemark = Number(values[0]) as Seq
    if (values[this.#keyAt] === null) return { tidemark, row: undefined }
    const row: Row = {}
    for (let index = 0; index < this.#names.length; index++)
      row[this.#names[index] as string] = values[index + 1]
    return { tidemark, row }
  }

  /** @throws TidemarkError `INVALID_CALL`, `UNKNOWN_COLUMN`, `MISSING_KEY`, `UNBINDABLE_VALUE` */
  encode(key: RowKey): Value[] {
    const { name, columns, primaryKey } = this.table.schema
    if (typeof key !== 'object' || key === null)
      throw invalidKey('INVALID_CALL', `the key of a row of table "${name}" must be an object of columns.`)
    for (const given in key) {
      if (primaryKey.includes(given)) continue
      if (columns.has(given))
        throw invalidKey(
          'INVALID_CALL',
          `"${given}" is not part of the primary key of table "${name}" (${listed(primaryKey)}).`,
          'Read other rows with `db.read()`.',
        )
      const known = [...columns.keys()].join(', ')
      throw invalidKey('UNKNOWN_COLUMN', `no column "${given}" in table "${name}" (columns: ${known}).`)
    }
    return this.table.keyColumns.map((column) => {
      const value = key[column.name]
      if (value === undefined || value === null)
        throw invalidKey(
          'MISSING_KEY',
          `a row of table "${name}" is found by ${listed(primaryKey)}, and "${column.name}" is ${value === null ? 'null' : 'missing'}.`,
        )
      try {
        return encodeForColumn(value, column, () => `column "${column.name}" of table "${name}"`)
      } catch (error) {
        throw asReadError(error)
      }
    })
  }
}

export function invalidKey(code: ErrorCode, message: string, hint?: string): TidemarkError {
  return new TidemarkError(code, message, hint === undefined ? {} : { hint })
}

/** The same fault, but there was nothing to queue. */
function asReadError(error: unknown): unknown {
  if (!(error instanceof InvalidOperationError)) return error
  const { code, message, hint } = error
  return invalidKey(code, unprefixed(message).replace(/ Nothing was queued\.$/, ''), hint)
}

function listed(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ')
}
