/** `open()` puts the parts together; nothing else knows all of them. */
import type { Writable } from 'node:stream'
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely'
import type { UnreadableInput } from './contracts/operation.ts'
import type { Epoch, Position, WriterName } from './contracts/position.ts'
import type { OpenedStore, Store, StoreStats } from './contracts/store.ts'
import type { Json } from './contracts/values.ts'
import { InvalidOperationError } from './errors.ts'
import { gate, type Consistency } from './reads/consistency.ts'
import { kyselyOver } from './reads/kysely.ts'
import { systemRuntime } from './runtime/system.ts'
import { listDeadLetters, redrive, type DeadLetter, type DeadLetterFilter } from './writes/dead-letters.ts'
import { WriteEngine } from './writes/engine.ts'
import type { EventName, Listener } from './writes/events.ts'
import { parseCheckpoint, parseUnreadable } from './writes/load-input.ts'
import type { GuardOptions, Operations } from './writes/operations.ts'
import { parseOptions, type OpenOptions } from './writes/options.ts'
import type { Outcome, Receipt } from './writes/receipt.ts'
import type { WriteQuery } from './writes/statement.ts'
import { writableTo } from './writes/writable.ts'

/** The tables of a database, as Kysely describes them: a name and the columns of its rows. */
export type Tables = object
type TableName<DB> = keyof DB & string
type Key<Table> = Partial<Selectable<Table>>

/**
 * Opens an engine on a store. It reads the tables, takes the writer's name (fencing an older engine of the same
 * name) and is ready to write.
 *
 * @throws TidemarkError `INVALID_OPTIONS`, naming every problem; StoreError when the store cannot be opened
 */
export async function open<DB extends Tables = Record<string, Record<string, unknown>>>(
  store: Store,
  options?: OpenOptions,
): Promise<Tidemark<DB>> {
  const parsed = parseOptions(options)
  const runtime = systemRuntime
  const writer = parsed.writer ?? (`writer-${runtime.uniqueId()}` as WriterName)
  let engine: WriteEngine | undefined
  const opened = await store.open(writer, { runtime, onSchemaChange: (schema) => engine?.useSchema(schema) })
  engine = new WriteEngine(writer, opened, runtime, parsed)
  return new Tidemark<DB>(writer, opened, engine, () => runtime.monotonicMs())
}

/** The write calls of an atomic group. */
export interface Group<DB> {
  insert<T extends TableName<DB>>(table: T, row: Insertable<DB[T]>): void
  upsert<T extends TableName<DB>>(table: T, row: Insertable<DB[T]>): void
  update<T extends TableName<DB>>(
    table: T,
    key: Key<DB[T]>,
    set: Updateable<DB[T]>,
    options?: GuardOptions,
  ): void
  delete<T extends TableName<DB>>(table: T, key: Key<DB[T]>, options?: GuardOptions): void
  write(query: WriteQuery, options?: GuardOptions): void
}

export interface InsertManyOptions {
  /** True (default): the rows are one operation, all or nothing. False: each stands alone. */
  readonly atomic?: boolean
  /** With `atomic: false`: how far the source was read, any JSON value; committed together with the rows. */
  readonly checkpoint?: { readonly source: string; readonly value: unknown }
  /** With `atomic: false`: input between the rows that could not be read; kept as dead letters. */
  readonly unreadable?: readonly Omit<UnreadableInput, 'table'>[]
}

export interface Stats {
  /** Accepted and not yet settled. */
  readonly queued: { readonly operations: number; readonly bytes: number; readonly oldestMs: number }
  readonly inFlight: number
  /** The highest position known to be committed. */
  readonly tidemark: Position
  readonly committed: {
    readonly operations: number
    readonly batches: number
    readonly operationsPerBatch: number
  }
  readonly rejected: number
  readonly retries: number
  /** How often the write lock was taken, and for how long. */
  readonly transactions: { readonly count: number; readonly lastMs: number; readonly longestMs: number }
  readonly store: StoreStats
}

/** An open engine. */
export class Tidemark<DB extends Tables> implements AsyncDisposable {
  readonly writer: WriterName
  readonly epoch: Epoch
  readonly #store: OpenedStore
  readonly #engine: WriteEngine
  readonly #monotonicMs: () => number

  /** Use `open()`. */
  constructor(writer: WriterName, store: OpenedStore, engine: WriteEngine, monotonicMs: () => number) {
    this.writer = writer
    this.epoch = store.epoch
    this.#store = store
    this.#engine = engine
    this.#monotonicMs = monotonicMs
  }

  /**
   * Accepts one row for `table` and returns at once; it is committed with its neighbours.
   *
   * @returns a receipt: `await` it to know that the row is committed; ignore it and the engine still commits the
   *   row, or keeps it as a dead letter and emits `reject`.
   * @throws InvalidOperationError `UNKNOWN_TABLE`, `UNKNOWN_COLUMN`, `UNBINDABLE_VALUE`, … before anything is queued
   * @throws QueueFullError when the queue holds `maxOperations` or `maxBytes`; `retryAfterMs` estimates when there
   *   is room
   */
  insert<T extends TableName<DB>>(table: T, row: Insertable<DB[T]>): Receipt {
    return this.#engine.operations.insert(table, row)
  }

  /**
   * Accepts many rows with one receipt: by default all or nothing. With `atomic: false` each row stands alone, a
   * bad one becomes a dead letter, and a `checkpoint` is committed in the same transaction, so that a load that
   * is stopped anywhere can go on where the checkpoint says.
   *
   * @throws as `insert`
   */
  insertMany<T extends TableName<DB>>(
    table: T,
    rows: Iterable<Insertable<DB[T]>>,
    options: InsertManyOptions = {},
  ): Receipt {
    const { atomic = true, checkpoint, unreadable = [] } = options
    const insertAll = (operations: Operations<void>): void => {
      for (const row of rows) operations.insert(table, row)
    }
    if (!atomic) {
      const letters = unreadable.map((input) => parseUnreadable(input, table))
      return this.#engine.load(insertAll, letters, checkpoint && parseCheckpoint(checkpoint))
    }
    if (checkpoint !== undefined || unreadable.length > 0) {
      throw new InvalidOperationError(
        'INVALID_CALL',
        '`checkpoint` and `unreadable` go with `atomic: false`.',
      )
    }
    return this.#engine.group(insertAll)
  }

  /** Accepts one row that is inserted, or updates the row with the same primary key in the columns given. @throws as `insert`; `MISSING_KEY` */
  upsert<T extends TableName<DB>>(table: T, row: Insertable<DB[T]>): Receipt {
    return this.#engine.operations.upsert(table, row)
  }

  /**
   * Accepts an update of the row with this key. Columns beyond the primary key narrow it further:
   * `db.update('jobs', { id, version: 3 }, { state: 'done', version: 4 }, { expect: 1 })` is a guard.
   *
   * @throws as `insert`; `MISSING_KEY` when the key does not name the whole primary key
   */
  update<T extends TableName<DB>>(
    table: T,
    key: Key<DB[T]>,
    set: Updateable<DB[T]>,
    options?: GuardOptions,
  ): Receipt {
    return this.#engine.operations.update(table, key, set, options)
  }

  /** Accepts a delete of the row with this key. @throws as `update` */
  delete<T extends TableName<DB>>(table: T, key: Key<DB[T]>, options?: GuardOptions): Receipt {
    return this.#engine.operations.delete(table, key, options)
  }

  /**
   * Accepts several operations as one: all or nothing, one position, one receipt.
   *
   * @param collect writes to the group it is given, before it returns; asynchronous callbacks are refused
   */
  atomic(collect: (group: Group<DB>) => void): Receipt {
    // The group's tables and rows are typed by DB; underneath, names and rows are checked against the schema.
    return this.#engine.group((operations) => collect(operations as Group<DB>))
  }

  /**
   * Accepts one data-changing statement: a Kysely query, a Drizzle query, or `{ sql, parameters }`.
   *
   * @throws InvalidOperationError `BAD_STATEMENT` for two statements in one, for BEGIN, PRAGMA and the like
   */
  write(query: WriteQuery, options?: GuardOptions): Receipt {
    return this.#engine.operations.write(query, options)
  }

  /**
   * Runs an interactive transaction: it waits until all that was accepted before is committed, runs alone on the
   * write connection, and what is accepted meanwhile is committed after it. Await only `trx` inside.
   *
   * @returns what the callback returned, once that is committed
   * @throws what the callback threw, after rolling back; TidemarkError `TRANSACTION_FAILED`; StoreError when a
   *   constraint that is checked at COMMIT refuses it
   */
  async transaction<R>(
    work: (trx: Kysely<DB>) => Promise<R>,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<R> {
    const hint = 'It is inside a transaction already.'
    const result = await this.#engine.transaction(
      (transaction) => work(kyselyOver<DB>((query) => transaction.query(query), hint)),
      options.timeoutMs ?? 30_000,
    )
    return result as R
  }

  /**
   * Resolves when all that was accepted before the call is committed or in the dead letters.
   *
   * @param options `durable: true`: and survives a power loss, by one disk sync for everything before it
   * @throws EngineStoppedError when the engine stops first
   */
  async flush(options: { readonly durable?: boolean } = {}): Promise<void> {
    await this.#engine.flush()
    if (options.durable) await this.#held.sync()
  }

  /** The queue reached a limit and has not yet fallen to half of it. */
  get isFull(): boolean {
    return this.#engine.queue.isFull
  }

  /** Resolves when the queue has room again; at once when it is not full. */
  ready(): Promise<void> {
    return this.#engine.whenRoom()
  }

  /** A Node stream in object mode that inserts what is written to it and holds its source back when the queue is full. */
  writable<T extends TableName<DB>>(table: T): Writable {
    return writableTo(this.#engine, table)
  }

  /** A Kysely whose every query first waits for what its consistency level asks. */
  read(consistency: Consistency = 'eventual'): Kysely<DB> {
    return kyselyOver<DB>(
      gate(
        consistency,
        (query) => this.#held.query(query),
        () => this.#engine.flush(),
      ),
      'Use `db.transaction()`.',
    )
  }

  /** What the last committed load of this source gave as its checkpoint. */
  async checkpoint(source: string): Promise<Json | undefined> {
    const { rows } = await this.#held.query({
      sql: 'SELECT value FROM tidemark_checkpoints WHERE source = ?',
      parameters: [source],
    })
    return rows.length === 0 ? undefined : (JSON.parse(String(rows[0]?.['value'])) as Json)
  }

  /** Operations that the store refused for good, oldest first. */
  deadLetters(filter?: DeadLetterFilter): Promise<DeadLetter[]> {
    return listDeadLetters((query) => this.#held.query(query), filter)
  }

  /** Writes dead letters' operations again, at new positions. One that is refused again stays a dead letter. */
  async redrive(ids: readonly number[]): Promise<{ id: number; outcome: Outcome }[]> {
    return await redrive(this.#engine, this.#held, ids)
  }

  /** Reads the tables again, after they were changed by another connection. */
  async reloadSchema(): Promise<void> {
    this.#engine.useSchema(await this.#held.reloadSchema())
  }

  /** @returns a function that takes the listener off again */
  on<E extends EventName>(event: E, listener: Listener<E>): () => void {
    return this.#engine.events.on(event, listener)
  }

  stats(): Stats {
    const { queue, committer, tally } = this.#engine
    const { oldestAcceptedAtMs } = committer
    return {
      queued: {
        operations: queue.operations,
        bytes: queue.bytes,
        oldestMs: oldestAcceptedAtMs === undefined ? 0 : this.#monotonicMs() - oldestAcceptedAtMs,
      },
      inFlight: committer.inFlight,
      tidemark: this.#engine.position(committer.tidemark),
      committed: {
        operations: tally.operations,
        batches: tally.batches,
        operationsPerBatch: tally.batches === 0 ? 0 : tally.operations / tally.batches,
      },
      rejected: tally.rejections,
      retries: tally.retries,
      transactions: {
        count: tally.transactions,
        lastMs: tally.lastTransactionMs,
        longestMs: tally.longestTransactionMs,
      },
      store: this.#store.stats(),
    }
  }

  /**
   * Commits everything accepted, then lets the store go. Writes from now on throw `CLOSED`.
   *
   * @param options `timeoutMs`: what is not committed by then is abandoned, and told so on its receipt. Default 30,000
   * @throws EngineStoppedError `DEADLINE_PASSED` when something was abandoned, or why the engine had stopped
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#engine.close(options.timeoutMs ?? 30_000)
  }

  /** The store, until it is let go. */
  get #held(): OpenedStore {
    this.#engine.requireOpen()
    return this.#store
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
