/**
 * The memory store: SQLite's own executor on a private connection, on the caller's thread. One mechanism with
 * the SQLite store, so what a test sees here is what the file does.
 *
 * There is one connection, so an interactive transaction has it alone: reads wait for its end, and a batch of
 * another engine is told to try again.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { Segment } from '../../contracts/effect.ts'
import type { Mark, Seq, WriterName } from '../../contracts/position.ts'
import type { Schema } from '../../contracts/schema.ts'
import type {
  Batch,
  BatchOutcome,
  DatabaseIdentity,
  IdRange,
  OpenedStore,
  QueryResult,
  Snapshot,
  SqlQuery,
  Store,
  StoreContext,
  StoreStats,
  StoreTransaction,
  Tidemark,
  WriterTidemark,
} from '../../contracts/store.ts'
import type { Patience } from '../../contracts/wait.ts'
import { StoreError } from '../../errors.ts'
import { closeEpoch, endEpoch, openEpoch, readTidemark } from '../sqlite/bookkeeping.ts'
import { toStoreError } from '../sqlite/classify.ts'
import { guarded } from '../sqlite/connection.ts'
import { Executor } from '../sqlite/executor.ts'
import { Queries } from '../sqlite/queries.ts'
import { takeSnapshot, type SnapshotQuery } from '../sqlite/snapshot.ts'

export interface MemoryOptions {
  /** SQL that makes the tables, run once. */
  readonly schema?: string
  /** `async` (default): as a store on disk. `sync`: every write is committed when its call returns. */
  readonly commit?: 'async' | 'sync'
}

export class MemoryStore implements Store {
  readonly name = 'memory'
  readonly commitMode: 'async' | 'sync'
  readonly database: DatabaseSync
  readonly #queries = new Queries((sql) => guarded(this.database, () => this.database.prepare(sql)), {
    onlyReads: true,
  })
  #transaction: PromiseWithResolvers<void> | undefined

  /** @param database a connection that nobody else uses */
  constructor(database: DatabaseSync, schema: string, commitMode: 'async' | 'sync') {
    this.database = database
    this.commitMode = commitMode
    try {
      this.database.exec(schema)
    } catch (error) {
      throw toStoreError(error)
    }
  }

  async open(writer: WriterName, context: StoreContext): Promise<OpenedStore> {
    await this.whenFree()
    try {
      return new OpenedMemory(this, writer, context)
    } catch (error) {
      throw toStoreError(error)
    }
  }

  get isTaken(): boolean {
    return this.#transaction !== undefined
  }

  async whenFree(): Promise<void> {
    while (this.#transaction) await this.#transaction.promise
  }

  read(query: SqlQuery): QueryResult {
    return this.#readOnly(() => this.#queries.run(query))
  }

  snapshot(request: SnapshotQuery): Snapshot {
    return this.#readOnly(() => takeSnapshot(this.database, this.#queries, request))
  }

  /** The connection could also write. */
  #readOnly<T>(read: () => T): T {
    this.database.exec('PRAGMA query_only = ON')
    try {
      return read()
    } finally {
      this.database.exec('PRAGMA query_only = OFF')
    }
  }

  take(): void {
    this.#transaction = Promise.withResolvers()
  }

  free(): void {
    this.#transaction?.resolve()
    this.#transaction = undefined
  }
}

class OpenedMemory implements OpenedStore {
  readonly dialect = 'sqlite'
  readonly maxInFlight = 3
  readonly isSynchronous: boolean
  readonly keepsEffects = true
  readonly epoch: OpenedStore['epoch']
  readonly database: DatabaseIdentity
  readonly #store: MemoryStore
  readonly #writer: WriterName
  readonly #context: StoreContext
  readonly #executor: Executor
  /** This engine's own transaction, while it is open. */
  #transaction: object | undefined

  constructor(store: MemoryStore, writer: WriterName, context: StoreContext) {
    this.#store = store
    this.#writer = writer
    this.#context = context
    this.isSynchronous = store.commitMode === 'sync'
    const { leaseMs, newIdentity, epochStep, runtime } = context
    const request = { writer, leaseMs, newIdentity, epochStep, nowMs: runtime.wallMs() }
    const opened = openEpoch(store.database, request)
    this.epoch = opened.epoch
    this.database = opened.identity
    const { onSchemaChange, derivations } = context
    this.#executor = new Executor(store.database, writer, this.epoch, runtime, onSchemaChange, derivations)
  }

  get schema(): Schema {
    return this.#executor.schema
  }

  commit(batch: Batch): BatchOutcome | Promise<BatchOutcome> {
    if (this.isSynchronous) return this.#commit(batch)
    return this.#atEndOfTick(() => this.#commit(batch))
  }

  async begin(prev: Seq): Promise<StoreTransaction> {
    await this.#store.whenFree()
    try {
      this.#executor.begin(prev, (prev + 1) as Seq)
    } catch (error) {
      throw toStoreError(error)
    }
    this.#store.take()
    const transaction = (this.#transaction = {})
    const queries = new Queries((sql) =>
      guarded(this.#store.database, () => this.#store.database.prepare(sql)),
    )
    return {
      query: async (query) => {
        this.#require(transaction)
        return queries.run(query)
      },
      commit: async (segments) => {
        this.#require(transaction)
        this.#commitTransaction(segments)
      },
      rollback: async () => {
        if (this.#transaction === transaction) this.#rollback()
      },
    }
  }

  reserveIds(table: string, count: number): readonly IdRange[] | Promise<readonly IdRange[]> {
    if (this.#store.isTaken) return this.#store.whenFree().then(() => this.reserveIds(table, count))
    if (this.isSynchronous) return this.#executor.reserveIds(table, count)
    return this.#atEndOfTick(() => this.#executor.reserveIds(table, count))
  }

  async recover(since: Seq): Promise<Tidemark> {
    this.#rollback()
    await this.#store.whenFree()
    return readTidemark(this.#store.database, this.#writer, this.epoch, since)
  }

  query(query: SqlQuery, _patience?: Patience, where?: 'here'): QueryResult | Promise<QueryResult> {
    if (where === 'here' && !this.#store.isTaken) return this.#store.read(query)
    return this.#store.whenFree().then(() => this.#store.read(query))
  }

  async snapshot(query: SqlQuery, required: readonly Mark[]): Promise<Snapshot> {
    await this.#store.whenFree()
    return this.#store.snapshot({ query, required })
  }

  async endEpoch(seen: WriterTidemark): Promise<boolean> {
    if (this.#store.isTaken)
      throw new StoreError('transient', 'an engine runs a transaction on this database')
    return endEpoch(this.#store.database, seen, 0)
  }

  /** There is no power loss that it could survive. */
  async sync(): Promise<void> {
    await this.#store.whenFree()
  }

  async reloadSchema(): Promise<Schema> {
    await this.#store.whenFree()
    return this.#executor.reloadSchema()
  }

  stats(): StoreStats {
    return { walBytes: 0, walPages: 0, checkpoints: 0, reconnects: 0 }
  }

  async close(): Promise<void> {
    this.#rollback()
    await this.#store.whenFree()
    closeEpoch(this.#store.database, this.epoch)
  }

  #commit(batch: Batch): BatchOutcome {
    if (this.#store.isTaken)
      throw new StoreError('transient', 'another engine runs a transaction on this database')
    return this.#executor.commit(batch)
  }

  #commitTransaction(segments: readonly Segment[]): void {
    try {
      this.#executor.keepEffects(segments)
      this.#store.database.exec('COMMIT')
    } catch (error) {
      throw toStoreError(error)
    }
    this.#ended()
  }

  #rollback(): void {
    if (this.#transaction === undefined) return
    this.#executor.rollback()
    this.#ended()
  }

  #ended(): void {
    this.#transaction = undefined
    this.#store.free()
    // It may have made tables: they can be written to when its caller hears of the commit.
    this.#executor.reloadSchema()
  }

  /** A statement may have ended the transaction itself (OR ROLLBACK), and a later one may be open. */
  #require(transaction: object): void {
    if (this.#transaction !== transaction || !this.#store.database.isTransaction)
      throw new StoreError('rejected', 'the transaction has ended; nothing more can run in it')
  }

  #atEndOfTick<T>(task: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#context.runtime.atEndOfTick(() => {
        try {
          resolve(task())
        } catch (error) {
          reject(error)
        }
      })
    })
  }
}
