/**
 * SQL of somebody who is not trusted, on connections of its own: each question on a new one, which ends with it.
 *
 * Nothing is decided by looking at the text. It stands behind `DECLARE … CURSOR FOR`, where the server takes one SELECT
 * and nothing else, in a transaction that can only read. What a SELECT may call is for its role to allow: one that can
 * read the secret of bookmarks, or may do everything, runs nothing.
 */
import { Client, type ClientConfig } from 'pg'
import type {
  OpenedSqlRunner,
  SqlAnswer,
  SqlQuestion,
  SqlRunner,
  SqlRunnerStats,
} from '../../contracts/sql-runner.ts'
import type { Runtime, Timer } from '../../contracts/runtime.ts'
import { EngineStoppedError, NotSupportedError, StoreError, TidemarkError, unprefixed } from '../../errors.ts'
import { jsonOf } from '../../row-json.ts'
import { codeOf } from '../../sql/failure.ts'
import { withoutEnd } from '../../sql/guard.ts'
import { parseQueryOptions, Turns } from '../../sql/turns.ts'
import { isAddress } from './address.ts'
import { asStoreError } from './classify.ts'
import { clientConfig, sessionSettings } from './connection.ts'
import { POSTGRES_DEFAULTS } from './options.ts'
import { textOf } from './values.ts'

export interface PostgresQueryOptions {
  /** How long a query may run, in ms. Default 5,000. */
  readonly timeoutMs?: number
  /** Queries that run at once, each on a connection. Default 2. */
  readonly concurrency?: number
  /** Queries that wait for their turn. Default 16. */
  readonly maxWaiting?: number
  /** The most rows that can be asked for. Default 10,000. */
  readonly maxRows?: number
  /** Of an answer, as JSON text. Default 4 MiB. */
  readonly maxBytes?: number
}

export const POSTGRES_QUERY_DEFAULTS: Required<PostgresQueryOptions> = Object.freeze({
  timeoutMs: 5_000,
  concurrency: 2,
  maxWaiting: 16,
  maxRows: 10_000,
  maxBytes: 4 * 2 ** 20,
})

/** Rows asked for at once: they are held together, whatever is in them. */
const pageRows = 50
/** What a page may come to on the wire, as a multiple of an answer, before its connection is cut. */
const wireFactor = 4

/**
 * Where the server runs the SQL of its clients on PostgreSQL: `serve({ db, sql: postgresQueries(url) })`.
 *
 * @param url of the same database, with a role that can only read, and not the table `tidemark_database`
 * @throws TidemarkError `INVALID_OPTIONS`
 */
export function postgresQueries(url: string, options: PostgresQueryOptions = {}): SqlRunner {
  const settings = parseQueryOptions(POSTGRES_QUERY_DEFAULTS, options)
  if (!isAddress(url))
    throw new TidemarkError('INVALID_OPTIONS', 'postgresQueries() needs the URL of a database.')
  return { open: (runtime) => new ClientQueries(url, settings, runtime) }
}

class ClientQueries implements OpenedSqlRunner {
  readonly maxRows: number
  readonly #url: string
  readonly #settings: Required<PostgresQueryOptions>
  readonly #runtime: Runtime
  readonly #turns: Turns
  readonly #busy = new Set<Asked>()
  #runs = 0
  #kills = 0

  constructor(url: string, settings: Required<PostgresQueryOptions>, runtime: Runtime) {
    this.#url = url
    this.#settings = settings
    this.#runtime = runtime
    this.#turns = new Turns(settings.concurrency, settings.maxWaiting)
    this.maxRows = settings.maxRows
  }

  run(question: SqlQuestion, signal: AbortSignal): Promise<SqlAnswer> {
    return this.#turns.run(signal, () => this.#runOne(question, signal))
  }

  stats(): SqlRunnerStats {
    return { running: this.#busy.size, waiting: this.#turns.waiting, runs: this.#runs, kills: this.#kills }
  }

  async close(): Promise<void> {
    this.#turns.end(closed())
    await Promise.all([...this.#busy].map((asked) => asked.cut(closed())))
  }

  async #runOne(question: SqlQuestion, signal: AbortSignal): Promise<SqlAnswer> {
    const asked = new Asked(this.#url, this.#settings, this.#runtime)
    const hangUp = (): void => void asked.cut(signal.reason)
    signal.addEventListener('abort', hangUp, { once: true })
    this.#busy.add(asked)
    this.#runs++
    try {
      return await asked.answer(question)
    } finally {
      signal.removeEventListener('abort', hangUp)
      // A place is free again when nothing of it runs any more, here or there.
      if (await asked.end()) this.#kills++
      this.#busy.delete(asked)
    }
  }
}

/** One question and its connection. */
class Asked {
  readonly #settings: Required<PostgresQueryOptions>
  readonly #runtime: Runtime
  readonly #config: ClientConfig
  readonly #client: Client
  readonly #over = Promise.withResolvers<never>()
  #backend: { readonly pid: string; readonly started: string } | undefined
  #deadlineMs = Number.POSITIVE_INFINITY
  #received = 0
  #isCut = false
  #killed: Promise<void> | undefined

  constructor(url: string, settings: Required<PostgresQueryOptions>, runtime: Runtime) {
    this.#settings = settings
    this.#runtime = runtime
    this.#config = clientConfig(url, { ...POSTGRES_DEFAULTS, applicationName: 'tidemark query' })
    this.#client = new Client(this.#config)
    this.#client.on('error', () => undefined)
    this.#over.promise.catch(() => undefined)
  }

  async answer(question: SqlQuestion): Promise<SqlAnswer> {
    let timer: Timer | undefined
    try {
      await this.#orOver(this.#client.connect())
      this.#client.connection.stream.on('data', (piece: Buffer) => this.#receive(piece.length))
      await this.#orOver(this.#begin())
      // The time of a query is its own, not that of its connection.
      const { timeoutMs } = this.#settings
      this.#deadlineMs = this.#runtime.monotonicMs() + timeoutMs
      timer = this.#runtime.after(timeoutMs, () => void this.cut(tooLong(timeoutMs)))
      return await this.#orOver(this.#read(question))
    } catch (error) {
      throw codeOf(error) === cancelled ? tooLong(this.#settings.timeoutMs) : asRefused(error)
    } finally {
      timer?.cancel()
    }
  }

  /** Nobody waits for it any more. */
  cut(reason: unknown): Promise<void> {
    this.#over.reject(reason)
    this.#isCut = true
    return (this.#killed ??= this.#kill())
  }

  /** @returns whether it was ended by force */
  async end(): Promise<boolean> {
    if (this.#isCut) await this.#killed
    else await this.#client.end().catch(() => undefined)
    return this.#isCut
  }

  async #begin(): Promise<void> {
    await this.#client.query(sessionSettings(POSTGRES_DEFAULTS, 'read'))
    const { rows } = await this.#client.query<Record<string, string | boolean>>(roleSql)
    const [role] = rows
    this.#backend = { pid: String(role?.['pid']), started: String(role?.['started']) }
    if (role?.['may_too_much'] !== false)
      throw new NotSupportedError(
        'the role that the SQL of clients runs as may read the secret of bookmarks, or do everything.',
        'Give it the right to SELECT from the tables that clients may read, and no other.',
      )
    await this.#client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  }

  async #read({ sql, parameters, maxRows }: SqlQuestion): Promise<SqlAnswer> {
    await this.#limitTime()
    await this.#client.query({
      // With a name it is sent as one that is prepared: of several statements, none is run.
      name: 'found',
      text: `DECLARE found NO SCROLL CURSOR FOR ${withoutEnd(sql)}`,
      values: parameters.map(textOf),
    })
    const { maxBytes } = this.#settings
    const most = Math.min(maxRows, this.#settings.maxRows)
    const rows: string[] = []
    let bytes = 0
    for (;;) {
      await this.#limitTime()
      this.#received = 0
      const page = await this.#client.query<unknown[]>({
        text: `FETCH ${pageRows} FROM found`,
        rowMode: 'array',
      })
      const columns = page.fields.map(({ name }) => name)
      const answer = (isTruncated: boolean): SqlAnswer => ({
        columns,
        rows: `[${rows.join(',')}]`,
        rowCount: rows.length,
        isTruncated,
      })
      for (const row of page.rows) {
        const text = rows.length < most ? JSON.stringify(row.map(jsonOf)) : undefined
        bytes += text === undefined ? 0 : Buffer.byteLength(text) + 1
        if (text === undefined || bytes > maxBytes) return answer(true)
        rows.push(text)
      }
      if (page.rows.length < pageRows) return answer(false)
    }
  }

  /** Before each step: what a SELECT has set it to itself holds no longer. */
  async #limitTime(): Promise<void> {
    const leftMs = Math.max(1, Math.ceil(this.#deadlineMs - this.#runtime.monotonicMs()))
    await this.#client.query(`SET LOCAL statement_timeout = ${leftMs}`)
  }

  /** A row can be larger than this process: it is not waited for to its end. */
  #receive(bytes: number): void {
    this.#received += bytes
    const most = wireFactor * this.#settings.maxBytes
    if (this.#received > most) void this.cut(tooLarge(most))
  }

  #orOver<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined)
    return Promise.race([work, this.#over.promise])
  }

  /** The server notices only at its next word that nobody listens. */
  async #kill(): Promise<void> {
    this.#client.connection.stream.destroy()
    if (this.#backend === undefined) return
    const { pid, started } = this.#backend
    const killer = new Client(this.#config)
    killer.on('error', () => undefined)
    try {
      await killer.connect()
      await killer.query(
        `SELECT pg_terminate_backend(pid, ${lastWordMs}) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2::timestamptz`,
        [pid, started],
      )
    } catch {
      // The time that it has there ends it.
    } finally {
      await killer.end().catch(() => undefined)
    }
  }
}

const roleSql = `
  SELECT pid::text AS pid, backend_start::text AS started,
    current_setting('is_superuser') = 'on' OR EXISTS (
      SELECT 1 FROM pg_class c WHERE c.relname = 'tidemark_database' AND c.relkind = 'r'
        AND has_schema_privilege(c.relnamespace, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
    ) AS may_too_much
  FROM pg_stat_activity WHERE pid = pg_backend_pid()`

/** How long a connection that is ended by force may take for that. */
const lastWordMs = 5_000

const cancelled = '57014'
/** The transaction can only read, and stays so. */
const transactionState = /^25/

/** That nothing can be written is the query's fault here. */
function asRefused(error: unknown): unknown {
  if (error instanceof TidemarkError || !(error instanceof Error)) return error
  const { failure, message, storeCode } = asStoreError(error, 'not-committed')
  const told = transactionState.test(storeCode ?? '') ? 'rejected' : failure
  return new StoreError(told, unprefixed(message), { cause: error, storeCode })
}

function tooLong(ms: number): TidemarkError {
  return new TidemarkError('QUERY_STOPPED', `the query had run for ${ms} ms and was stopped.`)
}

function tooLarge(bytes: number): TidemarkError {
  return new TidemarkError('QUERY_STOPPED', `a few rows of it had over ${bytes} bytes, and it was stopped.`)
}

function closed(): TidemarkError {
  return new EngineStoppedError('CLOSED', 'the server is closed; the query was not answered.')
}
