/** A log store: entries in, searched, followed and kept within bounds. An application of the engine's public calls. */
import type { Runtime } from '../contracts/runtime.ts'
import type { Receipt } from '../writes/receipt.ts'
import { acceptedEntries, type AcceptedEntry } from './accepted.ts'
import { Arrivals } from './arrivals.ts'
import { rowOf, type LogEntry, type StoredEntry } from './entry.ts'
import type { Filter } from './filter.ts'
import type { LogRow } from './formats/format.ts'
import { Maintenance } from './maintenance.ts'
import { checkRetention, type LogSettings } from './options.ts'
import { sizeOf, type Cleanup, type Retention } from './retention.ts'
import { search, type SearchPage, type SearchQuery } from './search.ts'
import { INDEX_SLICE, indexedUpToSql, type LogEngine, type LogTable } from './table.ts'
import { tail } from './tail.ts'

export interface TailOptions extends Filter {
  /** Entries as they are committed, in the order of their ids, once each, from every process that writes. */
  readonly when: 'committed'
  /** The last id that is known already. Default: what comes from now on. */
  readonly after?: number
  /** Ends it. */
  readonly signal?: AbortSignal
}

export interface AcceptedOptions {
  /** Entries as this engine accepts them, before they are committed; one may still be rejected. */
  readonly when: 'accepted'
  readonly signal?: AbortSignal
}

export interface LogStatus {
  /** The lowest and the highest id, 0 for none. */
  readonly oldestId: number
  readonly newestId: number
  readonly oldestMs: number | undefined
  readonly newestMs: number | undefined
  /** Rows that the full-text index has not reached yet. */
  readonly unindexed: number
  /** Of the database: in use, and room in the file that new rows take. */
  readonly usedBytes: number
  readonly freeBytes: number
  /** What is deleted by itself. */
  readonly retention: Retention
}

export class LogStore implements AsyncDisposable {
  /** The engine, for everything that is not about logs. */
  readonly tidemark: LogEngine
  readonly #table: LogTable
  readonly #runtime: Runtime
  readonly #retention: Retention
  readonly #arrivals: Arrivals
  readonly #maintenance: Maintenance
  readonly #ending = new AbortController()

  /** Use `openLogs()`. */
  constructor(db: LogEngine, table: LogTable, runtime: Runtime, { retention }: LogSettings) {
    this.tidemark = db
    this.#table = table
    this.#runtime = runtime
    const { everyMs: _, ...policy } = retention
    this.#retention = policy
    this.#arrivals = new Arrivals(db, table, runtime)
    this.#maintenance = new Maintenance({ db, table, runtime, arrivals: this.#arrivals }, retention)
    this.#maintenance.start()
  }

  /**
   * Accepts one entry and returns at once. Its receipt gives the id when it is committed.
   *
   * @throws InvalidOperationError `INVALID_CALL`, `UNBINDABLE_VALUE`; QueueFullError
   */
  store(entry: LogEntry): Receipt {
    const receipt = this.tidemark.insert(this.#table.plainName, rowOf(entry, this.#runtime))
    this.#arrivals.urge()
    return receipt
  }

  /**
   * Accepts rows as the formats give them, with one receipt. Each stands alone: a bad one is a dead letter, and so is each
   * of `unreadable`, input that gave no row. They are committed together; of more than 1,000 the full-text index gets the
   * rest in the transactions behind it, and a search in between tells so.
   *
   * @throws as `store`
   */
  storeRows(
    rows: readonly LogRow[],
    unreadable: readonly { readonly text: string; readonly error: string }[] = [],
  ): Receipt {
    const receipt = this.tidemark.insertMany(this.#table.plainName, rows, { atomic: false, unreadable })
    this.#arrivals.urge()
    // Who stops the engine meanwhile is told so by the receipt.
    if (rows.length > INDEX_SLICE)
      receipt
        .outcome()
        .then(() => this.whenIndexed())
        .catch(() => undefined)
    return receipt
  }

  /**
   * The newest entries that the query asks for, a page at a time.
   *
   * @throws TidemarkError `INVALID_CALL` for what cannot be searched; StaleReadError and others as `db.query`
   */
  search(query: SearchQuery = {}): Promise<SearchPage> {
    return search({ db: this.tidemark, table: this.#table, runtime: this.#runtime }, query)
  }

  /** The newest entries, newest first. @param limit up to 1,000 */
  async getRecent(limit = 100): Promise<readonly StoredEntry[]> {
    return (await this.search({ limit })).entries
  }

  /**
   * Entries as they come. `committed` is read from the database at the consumer's own pace and can be taken up again by
   * the last id; while one waits here, writes do not linger. `accepted` is told without a moment's delay; a consumer
   * that falls 10,000 entries behind gets one that says how many it `missed`.
   *
   * @throws TidemarkError `INVALID_CALL`; its iteration fails when the engine stops
   */
  subscribe(options: TailOptions): AsyncGenerator<StoredEntry, void, undefined>
  subscribe(options: AcceptedOptions): AsyncGenerator<AcceptedEntry, void, undefined>
  subscribe(
    options: TailOptions | AcceptedOptions,
  ): AsyncGenerator<StoredEntry, void, undefined> | AsyncGenerator<AcceptedEntry, void, undefined> {
    const signal = options.signal
      ? AbortSignal.any([options.signal, this.#ending.signal])
      : this.#ending.signal
    if (options.when === 'accepted') return acceptedEntries(this.tidemark, this.#table, signal)
    const context = { db: this.tidemark, table: this.#table, arrivals: this.#arrivals }
    return tail(context, options, options.after, signal)
  }

  /**
   * Deletes old entries in bounded slices; see `Retention`. The newest entry always stays.
   *
   * @throws TidemarkError `INVALID_CALL`; what `signal` was aborted with, behind the slice that was under way
   */
  async cleanup(policy: Retention & { readonly signal?: AbortSignal }): Promise<Cleanup> {
    const { signal, ...retention } = policy
    checkRetention(retention)
    return await this.#maintenance.cleanup(retention, signal)
  }

  /**
   * Resolves when the full-text index has every row that was there at the call. It is behind only where a table was
   * there before its index, or another process writes to it without.
   */
  whenIndexed(): Promise<void> {
    return this.#maintenance.index()
  }

  async status(): Promise<LogStatus> {
    const { name } = this.#table
    const { rows } = await this.tidemark.query<Record<string, number | null>>(
      {
        sql:
          `SELECT (SELECT min(id) FROM ${name}) AS oldestId, (SELECT max(id) FROM ${name}) AS newestId, ` +
          `(SELECT min(ts) FROM ${name}) AS oldestMs, (SELECT max(ts) FROM ${name}) AS newestMs, ` +
          `${indexedUpToSql(this.#table)} AS indexed`,
        parameters: [],
      },
      'eventual',
    )
    const { oldestId, newestId, oldestMs, newestMs, indexed: upTo } = rows[0] ?? {}
    const { used, free } = await sizeOf(this.tidemark)
    return {
      oldestId: oldestId ?? 0,
      newestId: newestId ?? 0,
      oldestMs: oldestMs ?? undefined,
      newestMs: newestMs ?? undefined,
      unindexed: Math.max(0, (newestId ?? 0) - (upTo ?? 0)),
      usedBytes: used,
      freeBytes: free,
      retention: this.#retention,
    }
  }

  /** Ends the subscriptions, commits everything accepted, lets the store go. @throws as `db.close` */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#ending.abort(new Error('the log store is closed'))
    await this.#maintenance.stop()
    this.#arrivals.close()
    await this.tidemark.close(options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
