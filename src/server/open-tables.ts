/**
 * Which tables are for clients: not those of the engine, and none that SQLite keeps for itself. What is written to a
 * full-text index by hand is no row but a command to it, or breaks it.
 *
 * Also sees to it that tables and columns which another program has made are known.
 */
import type { Runtime } from '../contracts/runtime.ts'
import { TidemarkError } from '../errors.ts'
import type { Engine } from './context.ts'
import { RequestError } from './request-error.ts'

const maxKnown = 1_000
/** Whoever asks for what is not there makes the server read its tables no more often. */
const reloadEveryMs = 1_000

export class OpenTables {
  readonly #db: Engine
  readonly #runtime: Runtime
  readonly #ordinary = new Set<string>()
  #reloadedAtMs = Number.NEGATIVE_INFINITY

  constructor(db: Engine, runtime: Runtime) {
    this.#db = db
    this.#runtime = runtime
  }

  /** Tries again what met a table or column that the engine does not know, once the tables were read again. */
  async known<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt()
    } catch (error) {
      const nowMs = this.#runtime.monotonicMs()
      if (!isUnknown(error) || nowMs - this.#reloadedAtMs < reloadEveryMs) throw error
      this.#reloadedAtMs = nowMs
      await this.#db.reloadSchema()
      return await attempt()
    }
  }

  /** @throws RequestError `FORBIDDEN` */
  requireReadable(table: string): void {
    // Of `schema.table` too.
    if (/^(?:.*\.)?(tidemark|sqlite)_/i.test(table))
      throw new RequestError(
        'FORBIDDEN',
        'Tables whose names begin with tidemark_ or sqlite_ are not for clients.',
      )
  }

  /** @throws RequestError `FORBIDDEN`; one that is not there is for the engine to tell */
  async requireWritable(table: string): Promise<void> {
    this.requireReadable(table)
    // Elsewhere the engine knows of tables only that take rows.
    if (this.#db.dialect !== 'sqlite' || this.#ordinary.has(table)) return
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

function isUnknown(error: unknown): boolean {
  return error instanceof TidemarkError && ['UNKNOWN_TABLE', 'UNKNOWN_COLUMN'].includes(error.code)
}
