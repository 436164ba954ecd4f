/**
 * Reads, on a pool of connections of their own that can write nothing.
 *
 * Keeps: law 6 (a query runs in a snapshot that begins after the call: a statement's own, or that of a transaction in
 * which the tidemarks are read first) and law 7 (no more connections than `maxReaders`; who finds none waits).
 */
import { Pool, type PoolClient } from 'pg'
import type { Mark } from '../../contracts/position.ts'
import type { QueryResult, Snapshot, SqlQuery, WriterTidemark } from '../../contracts/store.ts'
import { StoreError } from '../../errors.ts'
import { forgottenUpTo, readTidemarks } from '../../sql/bookkeeping.ts'
import type { Answer, SqlSession } from '../../sql/dialect.ts'
import { checkRead } from '../../sql/guard.ts'
import { withParameters } from '../../sql/text.ts'
import { asStoreError } from './classify.ts'
import { clientConfig, sessionSettings } from './connection.ts'
import { postgresDialect } from './dialect.ts'
import type { PostgresSettings } from './options.ts'
import { textOf } from './values.ts'

export interface ReaderStats {
  readonly open: number
  readonly idle: number
  readonly waiting: number
  readonly max: number
}

/** In which a server that has ended a query says so. */
const graceMs = 1_000

const snapshotBegin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'

export class Readers {
  readonly #pool: Pool
  readonly #busy = new Set<PoolClient>()
  readonly #closed = Promise.withResolvers<never>()
  readonly #max: number

  constructor(url: string, settings: PostgresSettings) {
    this.#max = settings.maxReaders
    this.#closed.promise.catch(() => undefined)
    this.#pool = new Pool({
      ...clientConfig(url, settings),
      max: settings.maxReaders,
      // The server ends what takes too long; one that does not even do that is waited for no longer.
      query_timeout: settings.answerTimeoutMs + graceMs,
      // An engine that only waits keeps no process alive.
      allowExitOnIdle: true,
      pipeline: true,
    })
    this.#pool.on('connect', (client) => {
      client.on('error', () => undefined)
      const statements = `${sessionSettings(settings)}; SET default_transaction_read_only = on`
      client.query(statements).catch(() => undefined)
    })
    this.#pool.on('error', () => undefined)
  }

  /** @throws StoreError */
  async query({ sql, parameters, asArrays }: SqlQuery): Promise<QueryResult> {
    checkRead(postgresDialect, sql)
    return await this.#reading((client) => run(client, sql, parameters.map(textOf), asArrays))
  }

  /** @throws StoreError */
  async snapshot(query: SqlQuery, required: readonly Mark[]): Promise<Snapshot> {
    checkRead(postgresDialect, query.sql)
    return await this.#reading(async (client) => {
      const session = sessionOf(client)
      const ask = () => run(client, query.sql, query.parameters.map(textOf), query.asArrays)
      try {
        const begun = client.query(snapshotBegin)
        const known = Promise.all([begun, readTidemarks(session, required), forgottenUpTo(session)])
        // Nothing to wait for: all goes out at once.
        const asked = required.length === 0 ? ask() : undefined
        asked?.catch(() => undefined)
        const [, tidemarks, forgotten] = await known
        const result = asked ?? (holds(tidemarks, required) ? ask() : undefined)
        return { tidemarks, forgottenUpTo: forgotten, result: await result }
      } finally {
        await client.query('ROLLBACK').catch(() => undefined)
      }
    })
  }

  stats(): ReaderStats {
    const { totalCount, idleCount, waitingCount } = this.#pool
    return { open: totalCount, idle: idleCount, waiting: waitingCount, max: this.#max }
  }

  async close(): Promise<void> {
    if (this.#pool.ending) return
    const ended = this.#pool.end()
    this.#closed.reject(new StoreError('fatal', 'the store was closed'))
    await ended
  }

  /** Ends what is still being read. */
  abandon(): void {
    for (const client of this.#busy) client.connection.stream.destroy()
  }

  /** The pool forgets those who wait when it ends, so they are told here. */
  async #connect(): Promise<PoolClient> {
    const connecting = this.#pool.connect()
    try {
      return await Promise.race([connecting, this.#closed.promise])
    } catch (error) {
      connecting.then(
        (client) => client.release(),
        () => undefined,
      )
      throw this.#pool.ending
        ? new StoreError('fatal', 'the store was closed')
        : asStoreError(error, 'not-committed')
    }
  }

  async #reading<T>(read: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect()
    let failure: StoreError | undefined
    this.#busy.add(client)
    try {
      return await read(client)
    } catch (error) {
      failure = asRead(asStoreError(error, 'not-committed'))
      throw failure
    } finally {
      this.#busy.delete(client)
      // A connection on which something else than the query went wrong is not used again.
      client.release(failure !== undefined && failure.failure !== 'rejected')
    }
  }
}

async function run(
  client: PoolClient,
  sql: string,
  parameters: readonly (string | null)[],
  asArrays = false,
): Promise<QueryResult> {
  const { rows, rowCount } = await client.query<Record<string, unknown>>({
    text: sql,
    values: [...parameters],
    ...(asArrays ? { rowMode: 'array' } : {}),
  })
  return { rows, changes: rowCount ?? 0, lastInsertId: undefined }
}

/** For what the stores share of reading the bookkeeping: all on this connection, in the transaction that is open. */
function sessionOf(client: PoolClient): SqlSession {
  const session: SqlSession = {
    dialect: postgresDialect,
    async run(sql, parameters = []): Promise<Answer> {
      const { rows, rowCount } = await client.query<Record<string, unknown>>(sql, parameters.map(String))
      return { rows, changes: rowCount ?? 0, insertId: undefined }
    },
    own: (sql, parameters) => session.run(withParameters(sql, 'postgres'), parameters),
    pinned: (work) => work(session),
    transact: (work) => work(session),
  }
  return session
}

/** That nothing can be written is the read's fault here, not the database's. */
function asRead(error: StoreError): StoreError {
  if (error.storeCode !== postgresDialect.codes.readOnly) return error
  return new StoreError('rejected', error.message.replace(/^tidemark: /, ''), {
    cause: error.cause,
    storeCode: error.storeCode,
  })
}

function holds(tidemarks: readonly WriterTidemark[], required: readonly Mark[]): boolean {
  return required.every(({ epoch, seq }) =>
    tidemarks.some((tidemark) => tidemark.epoch === epoch && tidemark.watermark >= seq),
  )
}
