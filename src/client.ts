/**
 * What can be written and read: the calls that an engine and its sessions have in common, typed by the tables.
 */
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely'
import type { UnreadableInput } from './contracts/operation.ts'
import { InvalidOperationError } from './errors.ts'
import { dropIn } from './reads/drop-in.ts'
import { kyselyOver } from './reads/kysely.ts'
import type { Consistency, ReadOptions, WaitOptions } from './reads/read-options.ts'
import type { FoundRow, PendingRow, QueryOptions, ReadQuery, ReadReport, Reader } from './reads/reader.ts'
import type { WriteLane } from './writes/write-lane.ts'
import type { Inserted } from './writes/group.ts'
import { parseCheckpoint, parseUnreadable } from './writes/load-input.ts'
import type { EffectOptions, EffectRequest } from './writes/effect-input.ts'
import type { Enqueue } from './writes/transaction-turn.ts'
import type { GuardOptions, Operations } from './writes/operations.ts'
import type { Receipt } from './writes/receipt.ts'
import type { WriteQuery } from './writes/statement.ts'

/** The tables of a database, as Kysely describes them: a name and the columns of its rows. */
export type Tables = object
export type TableName<DB> = keyof DB & string
export type Key<Table> = Partial<Selectable<Table>>

/** The write calls of an atomic group. */
export interface Group<DB> {
  /** @returns the row's id, where the table's ids are preallocated: for the rows of the group that refer to it */
  insert<T extends TableName<DB>>(table: T, row: Insertable<DB[T]>, options?: EffectOptions): Inserted
  upsert<T extends TableName<DB>>(table: T, row: Insertable<DB[T]>, options?: EffectOptions): void
  update<T extends TableName<DB>>(
    table: T,
    key: Key<DB[T]>,
    set: Updateable<DB[T]>,
    options?: GuardOptions,
  ): void
  delete<T extends TableName<DB>>(table: T, key: Key<DB[T]>, options?: GuardOptions): void
  write(query: WriteQuery, options?: GuardOptions): void
  /** Effects of the group itself. */
  enqueue(...effects: readonly EffectRequest[]): void
}

export interface InsertManyOptions<Row = unknown> {
  /** The effects that a row carries. With `atomic: false` those of a row that is rejected are rejected with it. */
  readonly effects?: (row: Row) => readonly EffectRequest[]
  /** True (default): the rows are one operation, all or nothing. False: each stands alone. */
  readonly atomic?: boolean
  /** With `atomic: false`: how far the source was read, any JSON value; committed together with the rows. */
  readonly checkpoint?: { readonly source: string; readonly value: unknown }
  /** With `atomic: false`: input between the rows that could not be read; kept as dead letters. */
  readonly unreadable?: readonly Omit<UnreadableInput, 'table'>[]
}

/** The calls. Use `open()` for an engine, and `db.session()` for a session. */
export abstract class Client<DB extends Tables> {
  readonly #lane: WriteLane
  readonly #reader: Reader

  constructor(lane: WriteLane, reader: Reader) {
    this.#lane = lane
    this.#reader = reader
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
  insert<T extends TableName<DB>>(table: T, row: Insertable<DB[T]>, options?: EffectOptions): Receipt {
    return this.#lane.operations.insert(table, row, options)
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
    options: InsertManyOptions<Insertable<DB[T]>> = {},
  ): Receipt {
    const { atomic = true, checkpoint, unreadable = [], effects } = options
    const insertAll = (operations: Operations<Inserted>): void => {
      for (const row of rows) operations.insert(table, row, effects && { effects: effects(row) })
    }
    if (!atomic) {
      const letters = unreadable.map((input) => parseUnreadable(input, table))
      return this.#lane.load(insertAll, letters, checkpoint && parseCheckpoint(checkpoint))
    }
    if (checkpoint !== undefined || unreadable.length > 0) {
      throw new InvalidOperationError(
        'INVALID_CALL',
        '`checkpoint` and `unreadable` go with `atomic: false`.',
      )
    }
    return this.#lane.group(insertAll)
  }

  /** Accepts one row that is inserted, or updates the row with the same primary key in the columns given. @throws as `insert`; `MISSING_KEY` */
  upsert<T extends TableName<DB>>(table: T, row: Insertable<DB[T]>, options?: EffectOptions): Receipt {
    return this.#lane.operations.upsert(table, row, options)
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
    return this.#lane.operations.update(table, key, set, options)
  }

  /** Accepts a delete of the row with this key. @throws as `update` */
  delete<T extends TableName<DB>>(table: T, key: Key<DB[T]>, options?: GuardOptions): Receipt {
    return this.#lane.operations.delete(table, key, options)
  }

  /**
   * Accepts effects that belong to no row: as one operation, all or nothing, with one receipt.
   *
   * @throws InvalidOperationError `INVALID_CALL`, `UNBINDABLE_VALUE`; NotSupportedError; QueueFullError
   */
  enqueue(...effects: readonly EffectRequest[]): Receipt {
    return this.#lane.group((operations) => operations.enqueue(...effects))
  }

  /**
   * Accepts several operations as one: all or nothing, one position, one receipt.
   *
   * @param collect writes to the group it is given, before it returns; asynchronous callbacks are refused
   */
  atomic(collect: (group: Group<DB>) => void): Receipt {
    // The group's tables and rows are typed by DB; underneath, names and rows are checked against the schema.
    return this.#lane.group((operations) => collect(operations as Group<DB>))
  }

  /**
   * Accepts one data-changing statement: a Kysely query, a Drizzle query, or `{ sql, parameters }`.
   *
   * @throws InvalidOperationError `BAD_STATEMENT` for two statements in one, for BEGIN, PRAGMA and the like
   */
  write(query: WriteQuery, options?: GuardOptions): Receipt {
    return this.#lane.operations.write(query, options)
  }

  /**
   * Runs an interactive transaction: it waits until all that was accepted before is committed, runs alone on the
   * write connection, and what is accepted meanwhile is committed after it. Await only `trx` inside.
   *
   * @param work `enqueue` adds effects, which are committed with it
   * @returns what the callback returned, once that is committed
   * @throws what the callback threw, after rolling back; TidemarkError `TRANSACTION_FAILED`; StoreError when a
   *   constraint that is checked at COMMIT refuses it
   */
  async transaction<R>(
    work: (trx: Kysely<DB>, enqueue: Enqueue) => Promise<R>,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<R> {
    const hint = 'It is inside a transaction already.'
    const result = await this.#lane.transaction(
      (transaction, enqueue) =>
        work(
          kyselyOver<DB>((query) => transaction.query(query), this.#reader.dialect, hint),
          enqueue,
        ),
      options.timeoutMs ?? 30_000,
    )
    return result as R
  }

  /**
   * A Kysely whose every query first waits for what is asked: a level, or more in options.
   *
   * @throws TidemarkError `INVALID_CALL`, naming every problem. Its queries throw StaleReadError when their time is
   *   over, TidemarkError `POSITION_LOST`, `BOOKMARK_EXPIRED`, `INVALID_BOOKMARK`, `PROCESSOR_FAILED`; in a session
   *   also WriteRejectedError
   */
  read(options?: Consistency | ReadOptions): Kysely<DB> {
    return this.#reader.kysely<DB>(options)
  }

  /**
   * A Kysely for code that has one already: its writes are batched with everybody's and resolve when they are
   * committed, its reads have the default level, `transaction()` is `db.transaction()`. A query with RETURNING, or
   * one that changes the schema, runs in a transaction of its own.
   */
  get kysely(): Kysely<DB> {
    const reader = this.#reader
    return dropIn<DB>({
      lane: this.#lane,
      read: (query) => reader.run(query),
      whenRoom: () => reader.whenRoom(),
      dialect: reader.dialect,
    })
  }

  /**
   * Runs one query as `read` does, and tells what its rows have seen, how long it waited, and what was still pending
   * for the `keys` named.
   *
   * @param query built with Kysely or Drizzle, or `{ sql, parameters }`
   * @throws as `read` and its queries
   */
  query<R = Record<string, unknown>>(
    query: ReadQuery<R>,
    options?: Consistency | QueryOptions,
  ): Promise<ReadReport<R>> {
    return this.#reader.query<R>(query, options)
  }

  /**
   * The row with this key as it is once everything is committed that this process has accepted: at once where that
   * follows from the schema, else when it is committed. `pending` says that some of it is not committed yet, and
   * could still be rejected.
   *
   * @param key the whole primary key
   * @throws TidemarkError `UNKNOWN_TABLE`, `UNKNOWN_COLUMN`, `MISSING_KEY`; StaleReadError when it had to wait for
   *   longer than `timeoutMs`
   */
  get<T extends TableName<DB>>(
    table: T,
    key: Key<DB[T]>,
    options?: WaitOptions,
  ): Promise<FoundRow<Selectable<DB[T]>>> {
    return this.#reader.get(table, key, options) as Promise<FoundRow<Selectable<DB[T]>>>
  }

  /**
   * What is under way for a row: operations accepted and not yet committed, and the processors that have work for
   * it. Undefined when there is nothing. Takes the same time however much is pending.
   *
   * @throws TidemarkError as `get`
   */
  pending<T extends TableName<DB>>(table: T, key: Key<DB[T]>): PendingRow | undefined {
    return this.#reader.pending(table, key)
  }
}
