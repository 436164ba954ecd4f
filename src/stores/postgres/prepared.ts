import type { WireStatement } from './connection.ts'

/** Statements kept prepared at once; those after them are parsed each time. */
const maxPrepared = 500

let generations = 0

/**
 * The names under which a connection keeps statements prepared. When tables change they are all made anew, under
 * names that were never used: one that the server failed to parse, or whose result has other columns now, would
 * fail for ever.
 */
export class Prepared {
  readonly #prefix = `tidemark_${++generations}_`
  readonly #names = new Map<string, string>()

  /** Statements without parameters are those that begin and end transactions: there is nothing to prepare. */
  named(statement: WireStatement): WireStatement {
    return statement.parameters === undefined ? statement : { ...statement, name: this.nameOf(statement.sql) }
  }

  /** @returns undefined when there are too many */
  nameOf(sql: string): string | undefined {
    let name = this.#names.get(sql)
    if (name === undefined && this.#names.size < maxPrepared) {
      name = `${this.#prefix}${this.#names.size}`
      this.#names.set(sql, name)
    }
    return name
  }
}
