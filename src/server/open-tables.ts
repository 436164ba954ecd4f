/**
 * Which tables are for clients: not those of the engine, and none that SQLite keeps for itself. What is written to a
 * full-text index by hand is no row but a command to it, or breaks it.
 */
import type { Engine } from './context.ts'
import { RequestError } from './request-error.ts'

const maxKnown = 1_000

export class OpenTables {
  readonly #db: Engine
  readonly #ordinary = new Set<string>()

  constructor(db: Engine) {
    this.#db = db
  }

  /** @throws RequestError `FORBIDDEN` */
  requireReadable(table: string): void {
    if (/^(tidemark|sqlite)_/i.test(table))
      throw new RequestError(
        'FORBIDDEN',
        'Tables whose names begin with tidemark_ or sqlite_ are not for clients.',
      )
  }

  /** @throws RequestError `FORBIDDEN`; one that is not there is for the engine to tell */
  async requireWritable(table: string): Promise<void> {
    this.requireReadable(table)
    if (this.#ordinary.has(table)) return
    const { rows } = await this.#db.query<{ type: string }>({
      sql: "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ?",
      parameters: [table],
    })
    const type = rows[0]?.type
    if (type === 'virtual' || type === 'shadow')
      throw new RequestError(
        'FORBIDDEN',
        'A virtual table is written by what it was made for, not by clients.',
      )
    if (type === 'table' && this.#ordinary.size < maxKnown) this.#ordinary.add(table)
  }
}
