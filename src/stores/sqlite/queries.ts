/** Runs queries of the user's own on a connection and gives their rows as plain data. */
import type { StatementSync } from 'node:sqlite'
import type { QueryResult, SqlQuery } from '../../contracts/store.ts'
import { toStoreError } from './classify.ts'

const maxCached = 100

export class Queries {
  readonly #prepare: (sql: string) => StatementSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(prepare: (sql: string) => StatementSync) {
    this.#prepare = prepare
  }

  /** @throws StoreError */
  run({ sql, parameters }: SqlQuery): QueryResult {
    try {
      const statement = this.#statement(sql)
      if (statement.columns().length === 0) {
        const { changes, lastInsertRowid } = statement.run(...parameters)
        return { rows: [], changes: Number(changes), lastInsertId: lastInsertRowid }
      }
      const rows = statement.all(...parameters).map(plain)
      const changes = Number(this.#statement('SELECT changes() AS changes').get()?.['changes'])
      return { rows, changes, lastInsertId: undefined }
    } catch (error) {
      throw toStoreError(error)
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known) return known
    const statement = this.#prepare(sql)
    // Read as bigint, so that integers over 2^53 arrive; `plain` turns the others back into numbers.
    statement.setReadBigInts(true)
    if (this.#prepared.size >= maxCached) this.#prepared.clear()
    this.#prepared.set(sql, statement)
    return statement
  }
}

/** An ordinary object (SQLite's rows have no prototype) with numbers where they are exact. */
function plain(row: Record<string, unknown>): Record<string, unknown> {
  const copy = { ...row }
  for (const name in copy) {
    const value = copy[name]
    if (typeof value === 'bigint' && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER)
      copy[name] = Number(value)
  }
  return copy
}
