/**
 * One connection of `pg` on which statements are sent without awaiting each: the server runs them one after another.
 *
 * Keeps: law 1 (a connection on which nothing was answered for too long is given up, so that nobody waits for ever; and
 * so is one whose commit did not wait for the standby that it was to wait for) and law 3 (once it is lost nothing more
 * is sent on it; what was under way fails with what tells that nobody knows).
 */
import { Socket } from 'node:net'
import { Client, type ClientConfig } from 'pg'
import type { Runtime, Timer } from '../../contracts/runtime.ts'
import { StoreError } from '../../errors.ts'
import type { PostgresSettings } from './options.ts'
import { fitsOnePacket, Series, type KnownFields } from './series.ts'
import { typeParsers } from './values.ts'

export interface WireStatement {
  readonly sql: string
  /** Texts, or bytes in the binary form of their type. */
  readonly parameters?: readonly (string | Buffer | null)[]
  /** Under this name the server keeps it prepared. */
  readonly name?: string | undefined
  /** Rows come as arrays, which cost less than objects. */
  readonly asArrays?: boolean
}

export interface WireAnswer {
  readonly rows: readonly Record<string, unknown>[]
  /** Rows changed or found. */
  readonly count: number
  /** What the server says it did, such as `COMMIT`. */
  readonly command: string
}

/** Who the server knows this connection as. */
export interface Backend {
  readonly pid: number
  /** Tells it from a later one with the same number. */
  readonly startedAt: string
}

/** After so long without a word either side asks the other whether it is still there. */
const keepAliveMs = 10_000

/** `read`: it can write nothing, and what takes too long is ended by the server. */
type Purpose = 'write' | 'read'

/** So much longer than the server a read waits for its end, before the connection is given up. */
const readGraceMs = 5_000

/** The server's own name for where a commit waits. Somebody who cancels that leaves it carried out, with a warning. */
const waitForStandby = 'SyncRepWaitForLSN'
const unwaited = 'a commit was carried out and no longer waits for its standby; connection lost'

const committed = { status: 'fulfilled', value: { rows: [], count: 0, command: 'COMMIT' } } as const

export class Connection {
  readonly url: string
  readonly backend: Backend
  readonly isStandby: boolean
  readonly #client: Client
  readonly #runtime: Runtime
  readonly #answerTimeoutMs: number
  /** What the server keeps prepared. */
  readonly #prepared = new Set<string>()
  readonly #knownFields: KnownFields = new Map()
  #unanswered = 0
  #answeredAtMs = 0
  #timer: Timer | undefined
  #lostBy: Error | undefined
  /** Why it was given up here: from then on no answer is believed. */
  #givenUpBy: Error | undefined

  private constructor(
    url: string,
    client: Client,
    runtime: Runtime,
    answerTimeoutMs: number,
    backend: Backend,
    isStandby: boolean,
  ) {
    this.url = url
    this.isStandby = isStandby
    this.#client = client
    this.#runtime = runtime
    this.#answerTimeoutMs = answerTimeoutMs
    this.backend = backend
    client.on('error', (error) => void (this.#lostBy ??= error))
    client.on('end', () => void (this.#lostBy ??= new Error('Connection terminated')))
    client.on('notice', ({ routine }) => {
      if (routine === waitForStandby) this.#giveUp(unwaited)
    })
  }

  /** @throws what `pg` throws when the server cannot be reached, or refuses */
  static async open(
    url: string,
    settings: PostgresSettings,
    runtime: Runtime,
    purpose: Purpose = 'write',
  ): Promise<Connection> {
    const client = new Client({ ...clientConfig(url, settings), pipeline: true })
    const failed = Promise.withResolvers<never>()
    failed.promise.catch(() => undefined)
    // For good: it may tell more than once that it is lost.
    client.on('error', failed.reject)
    const { connectTimeoutMs } = settings
    const expired = `the server did not make a connection within ${connectTimeoutMs} ms`
    const timer = runtime.after(connectTimeoutMs, () => failed.reject(new Error(expired)), 'background')
    try {
      await Promise.race([client.connect(), failed.promise])
      // Behind the greeting it may fall silent as well.
      const introduced = introduce(client, settings, purpose)
      const { backend, isStandby } = await Promise.race([introduced, failed.promise])
      const answerTimeoutMs = settings.answerTimeoutMs + (purpose === 'read' ? readGraceMs : 0)
      return new Connection(url, client, runtime, answerTimeoutMs, backend, isStandby)
    } catch (error) {
      client.connection.stream.destroy()
      throw error
    } finally {
      timer.cancel()
    }
  }

  get isLost(): boolean {
    return this.#lostBy !== undefined
  }

  /** A transaction is open, or failed and not yet rolled back. */
  get isInTransaction(): boolean {
    return this.#client.getTransactionStatus() !== 'I'
  }

  /** Sends a statement behind all that were sent before. @throws what the server or `pg` says */
  async query({ sql, parameters = [], name, asArrays }: WireStatement): Promise<WireAnswer> {
    const { rows, rowCount, command } = await this.#asked(() =>
      this.#client.query<Record<string, unknown>>({
        text: sql,
        values: [...parameters],
        ...(name === undefined ? {} : { name }),
        ...(asArrays ? { rowMode: 'array' } : {}),
      }),
    )
    if (name !== undefined) this.#prepared.add(name)
    return { rows, count: rowCount ?? 0, command }
  }

  /** Sends all, one behind the other and in as few packets as they fit, and tells how each ended. */
  queryAll(statements: readonly WireStatement[]): Promise<PromiseSettledResult<WireAnswer>[]> {
    return this.together(() => Promise.allSettled(statements.map((statement) => this.query(statement))))
  }

  /** Whether `transact` can send these. */
  canTransact(statements: readonly WireStatement[]): boolean {
    return (
      statements.every(({ name }) => name !== undefined && this.#prepared.has(name)) &&
      fitsOnePacket(statements)
    )
  }

  /**
   * Sends all at once, as a transaction that the server makes around them. Tells how each ended up to the first that
   * did not succeed, and if all did, how the commit ended, as if it had been asked for.
   */
  async transact(statements: readonly WireStatement[]): Promise<PromiseSettledResult<WireAnswer>[]> {
    const ended = Promise.withResolvers<void>()
    const series = new Series(statements, this.#knownFields, (error) => {
      if (error) return ended.reject(error)
      // It was taken into one that was open: that is not to be gone on with.
      if (this.isInTransaction) this.#giveUp('a transaction was open on the connection; connection lost')
      ended.resolve()
    })
    const failed = await this.#asked(() => {
      this.together(() => this.#client.query(series))
      return ended.promise
    }).then(
      () => undefined,
      (reason: unknown) => ({ status: 'rejected', reason }) as const,
    )
    const answers = series.answers.map((value) => ({ status: 'fulfilled', value }) as const)
    return [...answers, failed ?? committed]
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#lostBy) throw this.#lostBy
    if (this.#unanswered++ === 0) this.#watch()
    try {
      const answer = await ask()
      if (this.#givenUpBy) throw this.#givenUpBy
      return answer
    } catch (error) {
      throw this.#givenUpBy ?? error
    } finally {
      this.#unanswered--
      this.#answeredAtMs = this.#runtime.monotonicMs()
    }
  }

  /** What `send` sends goes out in as few packets as it fits. */
  together<T>(send: () => T): T {
    const { stream } = this.#client.connection
    stream.cork()
    try {
      return send()
    } finally {
      stream.uncork()
    }
  }

  /** While nothing is asked of it, it keeps no process alive. */
  rest(): void {
    const { stream } = this.#client.connection
    if (stream instanceof Socket) stream.unref()
  }

  hold(): void {
    const { stream } = this.#client.connection
    if (stream instanceof Socket) stream.ref()
  }

  onNotification(listener: (payload: string) => void): void {
    this.#client.on('notification', ({ payload }) => listener(payload ?? ''))
  }

  /** Lets go at once. What is under way fails, and nobody knows how it ends. */
  destroy(reason: Error = new StoreError('fatal', 'the store was closed')): void {
    this.#lostBy ??= reason
    this.#timer?.cancel()
    this.#client.connection.stream.destroy()
  }

  /** Says goodbye when all that was sent is answered. */
  async end(): Promise<void> {
    if (this.isLost) return
    this.#lostBy = new StoreError('fatal', 'the store was closed')
    await this.#client.end().catch(() => undefined)
  }

  /** The time counts from the last answer, or from the statement before which nothing was under way. */
  #watch(): void {
    this.#answeredAtMs = this.#runtime.monotonicMs()
    this.#timer ??= this.#look(this.#answerTimeoutMs)
  }

  /** One timer looks for many statements: to set one for each would be work on the way of every write. */
  #look(afterMs: number): Timer {
    return this.#runtime.after(
      afterMs,
      () => {
        this.#timer = undefined
        if (this.#unanswered === 0 || this.isLost) return
        const leftMs = this.#answeredAtMs + this.#answerTimeoutMs - this.#runtime.monotonicMs()
        // Half a millisecond is what timers are wrong by.
        if (leftMs > 0.5) this.#timer = this.#look(leftMs)
        else this.#giveUp(`the server did not answer for ${this.#answerTimeoutMs} ms; connection lost`)
      },
      'background',
    )
  }

  #giveUp(reason: string): void {
    this.#givenUpBy ??= new Error(reason)
    this.destroy(this.#givenUpBy)
  }
}

async function introduce(
  client: Client,
  settings: PostgresSettings,
  purpose: Purpose,
): Promise<{ readonly backend: Backend; readonly isStandby: boolean }> {
  await client.query(sessionSettings(settings, purpose))
  const { rows } = await client.query<{ pid: number; started: string; standby: boolean }>(
    `SELECT pid, backend_start::text AS started, pg_is_in_recovery() AS standby
     FROM pg_stat_get_activity(pg_backend_pid())`,
  )
  const [row] = rows
  return {
    backend: { pid: Number(row?.pid), startedAt: row?.started ?? '' },
    isStandby: row?.standby === true,
  }
}

/** What `pg` makes of it is the same for all connections of a store. */
export function clientConfig(url: string, settings: PostgresSettings): ClientConfig {
  return {
    connectionString: url,
    application_name: settings.applicationName,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    types: typeParsers,
    ...(settings.tls === undefined ? {} : { ssl: settings.tls }),
  }
}

/** How texts are read and written, and what ends when nobody answers. The zone is the server's, or the URL's. */
export function sessionSettings(settings: PostgresSettings, purpose: Purpose): string {
  return [
    `SET synchronous_commit = ${settings.synchronousCommit}`,
    `SET idle_in_transaction_session_timeout = ${settings.idleInTransactionTimeoutMs}`,
    `SET lock_timeout = ${Math.ceil(settings.answerTimeoutMs / 2)}`,
    // Also when nobody is there any more to give it up.
    `SET statement_timeout = ${settings.answerTimeoutMs}`,
    `SET tcp_user_timeout = ${settings.answerTimeoutMs}`,
    `SET tcp_keepalives_idle = ${keepAliveMs / 1_000}`,
    `SET tcp_keepalives_interval = ${keepAliveMs / 1_000}`,
    "SET default_transaction_isolation = 'read committed'",
    `SET default_transaction_read_only = ${purpose === 'read' ? 'on' : 'off'}`,
    // Where the server has a compiler, it takes half a second for our query of a catalog with many tables, which it
    // guesses to be costly; what writes is short: https://www.postgresql.org/docs/current/jit-decision.html
    ...(purpose === 'write' ? ['SET jit = off'] : []),
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'postgres'",
    "SET bytea_output = 'hex'",
    'SET extra_float_digits = 1',
    'SET standard_conforming_strings = on',
    "SET client_encoding = 'UTF8'",
    'SET client_min_messages = warning',
  ].join('; ')
}
