/**
 * A read-only connection on the caller's thread, for reads that take microseconds: a thread of their own would
 * cost them ten times that.
 *
 * It never waits for a lock; what it cannot answer at once goes to the readers' threads. Measured with
 * `npm run bench -- reads`.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { QueryResult, SqlQuery } from '../../contracts/store.ts'
import { guarded, openReader } from './connection.ts'
import type { SqliteSettings } from './options.ts'
import { Queries } from './queries.ts'

export class PointReader {
  readonly #path: string
  readonly #settings: SqliteSettings
  #connection: { readonly database: DatabaseSync; readonly queries: Queries } | undefined
  #isClosed = false

  constructor(path: string, settings: SqliteSettings) {
    this.#path = path
    this.#settings = { ...settings, busyTimeoutMs: 0 }
  }

  /** @returns undefined when it cannot answer here and now */
  query(query: SqlQuery): QueryResult | undefined {
    // Without the log a reader would hold up the writer, and be held up by it.
    if (this.#isClosed || this.#settings.journalMode !== 'wal') return undefined
    try {
      this.#connection ??= this.#open()
      return this.#connection.queries.run(query)
    } catch {
      // Whatever is wrong, the readers' threads meet it too and can say so.
      return undefined
    }
  }

  close(): void {
    this.#isClosed = true
    this.#connection?.database.close()
    this.#connection = undefined
  }

  #open() {
    const database = openReader(this.#path, this.#settings)
    const queries = new Queries((sql) => guarded(database, () => database.prepare(sql)), { onlyReads: true })
    return { database, queries }
  }
}
