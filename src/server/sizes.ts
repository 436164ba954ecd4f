/** What takes a query to know, looked up beside the requests and never by more than one query at a time. */
import { sizeOf } from '../logs/retention.ts'
import type { LogStore, Retention } from '../logs/index.ts'
import type { Engine } from './context.ts'

export interface Counts {
  readonly databaseBytes: number
  readonly usedBytes: number
  readonly freeBytes: number
  readonly deadLetters: number
  /** Null where there is no log store. */
  readonly logs: LogCounts | null
}

export interface LogCounts {
  readonly newestId: number
  readonly oldestMs: number | null
  readonly newestMs: number | null
  readonly unindexed: number
  /** What is deleted by itself; null when nothing is. */
  readonly retention: Retention | null
}

type Bytes = Pick<Counts, 'databaseBytes' | 'usedBytes' | 'freeBytes'>

const none: Counts = { databaseBytes: 0, usedBytes: 0, freeBytes: 0, deadLetters: 0, logs: null }

export class Sizes {
  readonly #db: Engine
  readonly #logs: LogStore | undefined
  #latest = none
  #lookup: Promise<Counts> | undefined
  #next: Promise<Counts> | undefined

  constructor(db: Engine, logs: LogStore | undefined) {
    this.#db = db
    this.#logs = logs
  }

  /** As they were when somebody looked; of a database that cannot be read, the last that was known. */
  get latest(): Counts {
    return this.#latest
  }

  refresh(): void {
    if (this.#lookup === undefined) this.look().catch(() => undefined)
  }

  /**
   * Begins anew behind one that is under way: that may not have seen what the caller has. All who ask meanwhile share it.
   *
   * @throws what the store fails with
   */
  look(): Promise<Counts> {
    if (this.#lookup === undefined)
      return (this.#lookup = this.#ask().finally(() => (this.#lookup = undefined)))
    return (this.#next ??= this.#lookup
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.look()
      }))
  }

  async #ask(): Promise<Counts> {
    const [sizes, letters] = await Promise.all([
      this.#logs === undefined
        ? bytesOf(this.#db).then((bytes) => ({ ...bytes, logs: null }))
        : logsOf(this.#logs),
      this.#db.query<{ count: number }>({
        sql: 'SELECT count(*) AS count FROM tidemark_dead_letters',
        parameters: [],
      }),
    ])
    return (this.#latest = { ...sizes, deadLetters: letters.rows[0]?.count ?? 0 })
  }
}

async function logsOf(store: LogStore): Promise<Bytes & { logs: LogCounts }> {
  const { newestId, oldestMs, newestMs, unindexed, usedBytes, freeBytes, retention } = await store.status()
  return {
    databaseBytes: usedBytes + freeBytes,
    usedBytes,
    freeBytes,
    logs: {
      newestId,
      oldestMs: oldestMs ?? null,
      newestMs: newestMs ?? null,
      unindexed,
      retention: Object.keys(retention).length === 0 ? null : retention,
    },
  }
}

/** Of a server only the sum is told, and of some databases nothing. */
async function bytesOf(db: Engine): Promise<Bytes> {
  switch (db.dialect) {
    case 'sqlite': {
      const { used, free } = await sizeOf(db)
      return { databaseBytes: used + free, usedBytes: used, freeBytes: free }
    }
    case 'postgres': {
      const { rows } = await db.query<{ bytes: number }>({
        sql: 'SELECT pg_database_size(current_database()) AS bytes',
        parameters: [],
      })
      const bytes = rows[0]?.bytes ?? 0
      return { databaseBytes: bytes, usedBytes: bytes, freeBytes: 0 }
    }
    case 'mysql':
    case 'surrealql':
      return { databaseBytes: 0, usedBytes: 0, freeBytes: 0 }
  }
}
