/**
 * Reads of the database itself, on a pool of connections of their own that can write nothing.
 *
 * Keeps: law 6 (a query runs in a snapshot that begins after the call: a statement's own, or that of a transaction in
 * which the tidemarks are read first; and never on a standby, which may lag) and law 7 (`pool.ts`).
 *
 * Where several addresses are given, it reads where the writer writes: it follows when the writer has found another
 * server, and looks itself when the one it knows does not answer.
 */
import type { LogPosition, Mark } from '../../contracts/position.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import type { PoolStats, QueryResult, Snapshot, SqlQuery } from '../../contracts/store.ts'
import type { Patience } from '../../contracts/wait.ts'
import { StoreError } from '../../errors.ts'
import { holds } from '../../sql/bookkeeping.ts'
import { checkRead } from '../../sql/guard.ts'
import { Connection } from './connection.ts'
import { postgresDialect } from './dialect.ts'
import { positionOf, primaryPosition } from './log-position.ts'
import type { PostgresSettings } from './options.ts'
import { ConnectionPool, storeClosed } from './pool.ts'
import { Prepared } from './prepared.ts'
import { isStandby, openPrimary } from './primary.ts'
import { runInSnapshot, runQuery } from './reading.ts'

export class Readers {
  readonly #urls: readonly string[]
  readonly #settings: PostgresSettings
  readonly #runtime: Runtime
  #url: string
  #pool: ConnectionPool
  #moving: Promise<void> | undefined
  #prepared = new Prepared()
  #isClosed = false

  /** @param url where the writer writes */
  constructor(urls: readonly string[], url: string, settings: PostgresSettings, runtime: Runtime) {
    this.#urls = urls
    this.#settings = settings
    this.#runtime = runtime
    this.#url = url
    this.#pool = this.#poolOf(url)
  }

  /** @throws StoreError */
  async query(query: SqlQuery, patience?: Patience): Promise<QueryResult> {
    checkRead(postgresDialect, query.sql)
    const name = query.isRecurring ? this.#prepared.nameOf(query.sql) : undefined
    try {
      return await this.#reading((connection) => runQuery(connection, query, name), patience)
    } catch (error) {
      // What it was prepared for may not be there any more. What a lost connection kept prepared is gone with it.
      if (name !== undefined && error instanceof StoreError && error.failure === 'rejected')
        this.#prepared = new Prepared()
      throw error
    }
  }

  /** @throws StoreError */
  async snapshot(query: SqlQuery, required: readonly Mark[], patience?: Patience): Promise<Snapshot> {
    checkRead(postgresDialect, query.sql)
    const isFresh =
      required.length === 0
        ? undefined
        : ({ tidemarks }: Pick<Snapshot, 'tidemarks'>) => holds(tidemarks, required)
    return await this.#reading((connection) => runInSnapshot(connection, query, required, isFresh), patience)
  }

  /** @throws StoreError */
  async position(patience?: Patience): Promise<LogPosition> {
    return await this.#reading(
      async (connection) => positionOf(await connection.query(primaryPosition)),
      patience,
    )
  }

  /** The writer has found this server. What is still being read on another one ends there. */
  follow(url: string): void {
    if (url === this.#url || this.#isClosed) return
    const left = this.#pool
    this.#url = url
    this.#pool = this.#poolOf(url)
    left.close().catch(() => undefined)
  }

  stats(): PoolStats {
    return this.#pool.stats()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#pool.close()
  }

  /** Ends what is still being read. */
  abandon(): void {
    this.#pool.abandon()
  }

  async #reading<T>(
    read: (connection: Connection) => Promise<T>,
    patience: Patience | undefined,
  ): Promise<T> {
    const pool = this.#pool
    try {
      return await pool.use(read, patience)
    } catch (error) {
      if (this.#isClosed) throw storeClosed()
      if (!(error instanceof StoreError) || !(await this.#hasMoved(pool, error))) throw error
      return await this.#pool.use(read, patience)
    }
  }

  /** Whether there is another server to ask, after this pool's has failed. */
  async #hasMoved(pool: ConnectionPool, { failure }: StoreError): Promise<boolean> {
    if (this.#pool === pool && failure === 'transient' && this.#urls.length > 1) {
      this.#moving ??= this.#move().finally(() => (this.#moving = undefined))
      await this.#moving
    }
    return this.#pool !== pool
  }

  async #move(): Promise<void> {
    const found = await openPrimary(this.#urls, this.#settings, this.#runtime).catch(() => undefined)
    if (!found) return
    this.follow(found.url)
    await found.end()
  }

  #poolOf(url: string): ConnectionPool {
    const open = async (): Promise<Connection> => {
      const connection = await Connection.open(url, this.#settings, this.#runtime, 'read')
      if (!connection.isStandby) return connection
      connection.destroy()
      throw isStandby()
    }
    return new ConnectionPool(open, this.#settings.readers, this.#runtime)
  }
}
