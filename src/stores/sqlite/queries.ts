/**
 * Runs queries of the user's own on a connection and gives their rows as plain data.
 *
 * Hot: eventual reads are this and two messages. Rows come from SQLite as arrays and cross threads as such, their
 * columns' names once: of twenty rows that halves the work of reading, sending and receiving them. Measured with
 * `npm run bench -- reads --sections eventual`.
 */
import type { StatementSync } from 'node:sqlite'
import type { QueryResult, SqlQuery } from '../../contracts/store.ts'
import { toStoreError } from './classify.ts'

const maxCached = 100

/** A result as it crosses between threads. */
export interface PackedResult {
  /** Undefined: the rows are wanted as arrays. */
  readonly columns: readonly string[] | undefined
  readonly rows: unknown[][]
  readonly changes: number
  readonly lastInsertId: number | bigint | undefined
}

interface Prepared {
  readonly statement: StatementSync
  /** Whether it has columns at all never changes, which ones may: SQLite prepares it anew when a table has changed. */
  readonly givesRows: boolean
}

export class Queries {
  readonly #prepare: (sql: string) => StatementSync
  readonly #onlyReads: boolean
  readonly #prepared = new Map<string, Prepared>()

  /** @param options `onlyReads`: nothing can be changed on this connection */
  constructor(prepare: (sql: string) => StatementSync, options: { readonly onlyReads?: boolean } = {}) {
    this.#prepare = prepare
    this.#onlyReads = options.onlyReads ?? false
  }

  /** @throws StoreError */
  run(query: SqlQuery): QueryResult {
    return unpack(this.pack(query))
  }

  /** @throws StoreError */
  pack({ sql, parameters, asArrays = false }: SqlQuery): PackedResult {
    try {
      const { statement, givesRows } = this.#statement(sql)
      if (!givesRows) {
        const { changes, lastInsertRowid } = statement.run(...parameters)
        return { columns: undefined, rows: [], changes: Number(changes), lastInsertId: lastInsertRowid }
      }
      const rows = statement.all(...parameters) as unknown as unknown[][]
      rows.forEach(makeExact)
      const columns = asArrays || rows.length === 0 ? undefined : statement.columns().map(({ name }) => name)
      return { columns, rows, changes: this.#onlyReads ? 0 : this.#changes(), lastInsertId: undefined }
    } catch (error) {
      throw toStoreError(error)
    }
  }

  #changes(): number {
    const row = this.#statement('SELECT changes()').statement.get() as unknown as unknown[]
    return Number(row[0])
  }

  #statement(sql: string): Prepared {
    const known = this.#prepared.get(sql)
    if (known) return known
    const statement = this.#prepare(sql)
    statement.setReturnArrays(true)
    // Read as bigint, so that integers over 2^53 arrive; `makeExact` turns the others back into numbers.
    statement.setReadBigInts(true)
    const prepared = { statement, givesRows: statement.columns().length > 0 }
    if (this.#prepared.size >= maxCached) this.#prepared.clear()
    this.#prepared.set(sql, prepared)
    return prepared
  }
}

export function unpack({ columns, rows, changes, lastInsertId }: PackedResult): QueryResult {
  if (columns === undefined) return { rows: rows as unknown as QueryResult['rows'], changes, lastInsertId }
  return { rows: rows.map((row) => named(columns, row)), changes, lastInsertId }
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
function makeExact(row: unknown[]): void {
  for (let index = 0; index < row.length; index++) {
    const value = row[index]
    if (typeof value === 'bigint' && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER)
      row[index] = Number(value)
  }
}
