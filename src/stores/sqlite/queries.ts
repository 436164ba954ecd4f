/**
 * Runs queries of the user's own on a connection and gives their rows as plain data.
 *
 * Hot: eventual reads are this and two messages. Many rows come from SQLite as arrays and cross threads as such, their
 * columns' names once: of twenty rows that halves the work of reading, sending and receiving them. To ask for the
 * names costs more than a few rows as objects. Integers are read as numbers until one does not fit. Measured with
 * `npm run bench -- reads --sections eventual`.
 */
import type { StatementSync } from 'node:sqlite'
import type { QueryResult, SqlQuery } from '../../contracts/store.ts'
import type { Value } from '../../contracts/values.ts'
import { checkParameters, checkRead, checkSingle, countParameters } from './check.ts'
import { toReadError, toStoreError } from './classify.ts'

const maxCached = 100
/** A query that gave so many rows the last time has them as objects. */
const fewRows = 4

/** A result as it crosses between threads. */
export interface PackedResult {
  /** Of rows that are arrays and should be objects. */
  readonly columns: readonly string[] | undefined
  readonly rows: unknown[]
  readonly changes: number
  readonly lastInsertId: number | bigint | undefined
}

interface Prepared {
  readonly statement: StatementSync
  /** Whether it has columns at all never changes, which ones may: SQLite prepares it anew when a table has changed. */
  readonly givesRows: boolean
  readonly parameters: number
  /** An integer did not fit a number: they are read as bigint from now on. */
  needsBigInts: boolean
  lastCount: number
}

export class Queries {
  readonly #prepare: (sql: string) => StatementSync
  readonly #onlyReads: boolean
  readonly #prepared = new Map<string, Prepared>()

  /** @param options `onlyReads`: what would change something is refused, by us or by the connection */
  constructor(prepare: (sql: string) => StatementSync, options: { readonly onlyReads?: boolean } = {}) {
    this.#prepare = prepare
    this.#onlyReads = options.onlyReads ?? false
  }

  /** @throws StoreError */
  run(query: SqlQuery): QueryResult {
    // SQLite's objects have no prototype; only a message gives them one.
    return unpack(this.#read(query, false))
  }

  /** @throws StoreError */
  pack(query: SqlQuery): PackedResult {
    return this.#read(query, true)
  }

  #read({ sql, parameters, asArrays = false }: SqlQuery, mayBeObjects: boolean): PackedResult {
    try {
      const prepared = this.#statement(sql)
      const { statement, givesRows } = prepared
      if (parameters.length !== prepared.parameters) checkParameters(prepared.parameters, parameters.length)
      if (!givesRows) {
        const { changes, lastInsertRowid } = statement.run(...parameters)
        return { columns: undefined, rows: [], changes: Number(changes), lastInsertId: lastInsertRowid }
      }
      const asObjects = mayBeObjects && !asArrays && prepared.lastCount <= fewRows
      statement.setReturnArrays(!asObjects)
      const rows = this.#all(prepared, parameters)
      prepared.lastCount = rows.length
      const isNamed = asArrays || asObjects || rows.length === 0
      const columns = isNamed ? undefined : statement.columns().map(({ name }) => name)
      return { columns, rows, changes: this.#onlyReads ? 0 : this.#changes(), lastInsertId: undefined }
    } catch (error) {
      throw this.#onlyReads ? toReadError(error) : toStoreError(error)
    }
  }

  #all(prepared: Prepared, parameters: readonly Value[]): Record<string, unknown>[] {
    const { statement } = prepared
    if (!prepared.needsBigInts) {
      try {
        return statement.all(...parameters)
      } catch (error) {
        if (!isTooLarge(error)) throw error
        // Nothing was changed, so it can be run again.
        prepared.needsBigInts = true
        statement.setReadBigInts(true)
      }
    }
    const rows = statement.all(...parameters)
    rows.forEach(makeExact)
    return rows
  }

  #changes(): number {
    return Number(this.#statement('SELECT changes() AS changes').statement.get()?.['changes'])
  }

  #statement(sql: string): Prepared {
    const known = this.#prepared.get(sql)
    if (known) return known
    if (this.#onlyReads) checkRead(sql)
    const statement = this.#prepare(sql)
    checkSingle(sql, statement.sourceSQL)
    const parameters = countParameters(statement.sourceSQL)
    // What changes rows cannot be run again for its integers' sake.
    const needsBigInts = !this.#onlyReads
    statement.setReadBigInts(needsBigInts)
    const givesRows = statement.columns().length > 0
    const prepared = { statement, givesRows, parameters, needsBigInts, lastCount: 0 }
    if (this.#prepared.size >= maxCached) this.#prepared.clear()
    this.#prepared.set(sql, prepared)
    return prepared
  }
}

export function unpack({ columns, rows, changes, lastInsertId }: PackedResult): QueryResult {
  if (columns === undefined) return { rows: rows as unknown as QueryResult['rows'], changes, lastInsertId }
  return { rows: (rows as unknown[][]).map((row) => named(columns, row)), changes, lastInsertId }
}

function named(columns: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let index = 0; index < columns.length; index++) {
    const name = columns[index] as string
    // Set like the others, this one would be the row's prototype.
    if (name === '__proto__') Object.defineProperty(row, name, { ...ordinary, value: values[index] })
    else row[name] = values[index]
  }
  return row
}

const ordinary = { enumerable: true, configurable: true, writable: true }

/** Numbers where they are exact. */
function makeExact(row: Record<string, unknown>): void {
  for (const name in row) {
    const value = row[name]
    if (typeof value === 'bigint' && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER)
      row[name] = Number(value)
  }
}

/** What node:sqlite throws for an integer past 2^53 that is read as a number. */
function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_OUT_OF_RANGE'
}
