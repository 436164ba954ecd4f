/** The SQL of each shape, prepared once and kept. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Shape, StatementShape } from '../../contracts/operation.ts'
import { StoreError } from '../../errors.ts'
import { isInternalTable } from './bookkeeping.ts'
import { countParameters } from './check.ts'
import { guarded } from './connection.ts'

/**
 * Rows put into one INSERT, largest first: a statement of many rows costs a fraction of as many statements, and
 * what does not fill one goes into the next smaller. Between 20 and 100 rows `npm run bench -- writes` shows no
 * difference that stands out of the noise.
 */
const rowsPerStatement = [64, 8, 1] as const

/** SQLite's own limit of parameters in one statement. */
const maxParameters = 32_766

const maxCached = 500

export interface PreparedShape {
  /** Largest first; the last one takes a single operation. */
  readonly sizes: readonly { readonly rows: number; readonly statement: StatementSync }[]
  readonly single: StatementSync
}

export class Statements {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, PreparedShape>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** After a change of the tables. */
  clear(): void {
    this.#prepared.clear()
  }

  of(shape: Shape): PreparedShape {
    const known = this.#prepared.get(shape.key)
    if (known) return known
    const made = this.#prepare(shape)
    if (this.#prepared.size >= maxCached) this.#prepared.clear()
    this.#prepared.set(shape.key, made)
    return made
  }

  #prepare(shape: Shape): PreparedShape {
    const prepare = () => this.#database.prepare(sqlOf(shape, 1))
    // Tables of ours are refused to everybody else.
    const isOwn = shape.kind !== 'statement' && isInternalTable(shape.table)
    const single = isOwn ? prepare() : guarded(this.#database, prepare)
    if (shape.kind === 'statement') {
      // Named ones would be NULL, whatever was given.
      countParameters(shape.sql)
      checkProgram(this.#database, shape)
    }
    if (shape.kind !== 'insert' && shape.kind !== 'upsert')
      return { sizes: [{ rows: 1, statement: single }], single }
    const sizes = rowsPerStatement
      .filter((rows) => rows * shape.width <= maxParameters)
      .map((rows) => ({ rows, statement: rows === 1 ? single : this.#database.prepare(sqlOf(shape, rows)) }))
    return { sizes, single }
  }
}

/**
 * Refuses a statement with too few parameters, and one that only reads.
 *
 * SQLite takes a parameter that is not given for NULL, and tells nobody how many there are. But it refuses one
 * too many: so a statement that takes one more than it was given was given too few.
 */
function checkProgram(database: DatabaseSync, { sql, width }: StatementShape): void {
  const explained = guarded(database, () => database.prepare(`EXPLAIN ${sql}`))
  const explain = (parameters: number) => {
    try {
      return explained.all(...Array<null>(parameters).fill(null))
    } catch {
      return undefined
    }
  }
  if (explain(width + 1)) {
    throw new StoreError('rejected', `the statement takes more parameters than the ${width} it was given`)
  }
  const program = explain(width)
  if (program && !program.some(({ opcode, p2 }) => opcode === 'Transaction' && p2 !== 0)) {
    throw new StoreError('rejected', 'the statement changes nothing')
  }
}

export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function sqlOf(shape: Shape, rows: number): string {
  switch (shape.kind) {
    case 'insert':
      return insertSql(shape.table, shape.columns, rows)
    case 'upsert': {
      const rest = shape.columns.filter((column) => !shape.keyColumns.includes(column))
      const action =
        rest.length === 0
          ? 'NOTHING'
          : `UPDATE SET ${rest.map((column) => `${quote(column)} = excluded.${quote(column)}`).join(', ')}`
      return `${insertSql(shape.table, shape.columns, rows)} ON CONFLICT (${shape.keyColumns.map(quote).join(', ')}) DO ${action}`
    }
    case 'update':
      return `UPDATE ${quote(shape.table)} SET ${shape.set.map((column) => `${quote(column)} = ?`).join(', ')}${whereSql(shape.where)}`
    case 'delete':
      return `DELETE FROM ${quote(shape.table)}${whereSql(shape.where)}`
    case 'statement':
      return shape.sql
  }
}

function insertSql(table: string, columns: readonly string[], rows: number): string {
  const row = `(${columns.map(() => '?').join(',')})`
  return `INSERT INTO ${quote(table)} (${columns.map(quote).join(', ')}) VALUES ${Array(rows).fill(row).join(',')}`
}

/** `IS` finds NULL too, and uses an index as `=` does. */
function whereSql(columns: readonly string[]): string {
  return ` WHERE ${columns.map((column) => `${quote(column)} IS ?`).join(' AND ')}`
}
