import type { Derivation, DerivationFailure } from './derivation.ts'
import type { Segment } from './effect.ts'
import type { Rejection, Step } from './operation.ts'
import type { Epoch, LogPosition, Mark, Seq, WriterName } from './position.ts'
import type { Runtime } from './runtime.ts'
import type { Schema } from './schema.ts'
import type { Value } from './values.ts'
import type { Patience, Wait } from './wait.ts'

/** A database that an engine can be opened on. */
export interface Store {
  /** For messages: what it is and where. */
  readonly name: string

  /**
   * Makes the bookkeeping tables where missing, closes the writer's earlier epochs with their final tidemark
   * and starts a new one at 0, in one transaction: an older owner can commit nothing afterwards.
   */
  open(writer: WriterName, context: StoreContext): Promise<OpenedStore>
}

export interface StoreContext {
  readonly runtime: Runtime
  /**
   * How long this writer may commit nothing although something is pending. Kept in its row: whoever waits for it
   * longer than this may take it for dead and end its epoch.
   */
  readonly leaseMs: number
  /** For a database that has none yet. */
  readonly newIdentity: DatabaseIdentity
  /** By how much the new epoch is higher than the last; see `Epoch`. */
  readonly epochStep: number
  /** Written at the end of every transaction of a batch that may concern them. A store that cannot fails to open. */
  readonly derivations: readonly Derivation[]
  /** Called when the store found that its tables have changed, before the next `commit` settles. */
  readonly onSchemaChange: (schema: Schema) => void
  /** Called when somebody elsewhere waits for this position of the writer's, and for all before it. */
  readonly onWanted: (seq: Seq) => void
  /** Called when effects of this kind may have been committed elsewhere. See `hearEffects`. */
  readonly onEffects: (kind: string) => void
}

/** One writer's hold on a store. Everything that fails, fails with a `StoreError`. */
export interface OpenedStore {
  readonly dialect: Dialect
  readonly database: DatabaseIdentity
  readonly epoch: Epoch
  readonly schema: Schema
  /** How many batches may be sent before the first has settled. */
  readonly maxInFlight: number
  /** `commit` always answers at once: batches are then sent by the call that accepts them. */
  readonly isSynchronous: boolean
  /** It has an outbox: a batch may have `segments`. */
  readonly keepsEffects: boolean

  /**
   * Applies the batch's operations in order and moves the tidemark from `prev` to `last`, all durable
   * together. Checks first that the tidemark is at `prev` and the epoch is still this writer's; if not,
   * changes nothing and fails with `chain`. A rejected operation goes to the dead letters in the same
   * transaction and never touches its neighbours. Usually one transaction; several only where constraints
   * must be checked one operation at a time, each of them moving the tidemark. A store that answers at once
   * returns the outcome itself.
   */
  commit(batch: Batch): BatchOutcome | Promise<BatchOutcome>

  /**
   * Starts a transaction that takes the one position after `prev`; no batch is sent until it ended.
   *
   * @param timeoutMs after which it will be rolled back
   */
  begin(prev: Seq, timeoutMs: number): Promise<StoreTransaction>

  /**
   * Reads the writer's tidemark again, on a new connection if the old one is gone, and waits until whatever
   * the old one was still doing has ended. After it, the outcome of every earlier `commit` is certain.
   */
  recover(since: Seq): Promise<Tidemark>

  /**
   * Takes `count` values of the table's generated id away from everybody: neither the database, for a row that comes
   * without one, nor another reservation gives one of them from now on. When it resolves, that is committed, and kept
   * as what batches commit is. They are whole numbers below 2^53, in the order in which they are to be used, in as
   * few ranges as there are.
   *
   * Like a batch, it takes effect only while the epoch is this writer's, and fails with `chain` otherwise. It stands
   * behind the batches that were sent before; while a transaction of this engine is open it may wait for its end. Fails
   * as `rejected`, with a hint if something helps, when the table is gone, or its ids cannot be kept from others. A
   * store that answers at once returns the ranges themselves.
   */
  reserveIds(table: string, count: number): readonly IdRange[] | Promise<readonly IdRange[]>

  /**
   * Runs a query on what is committed, in a snapshot that begins after the call.
   *
   * @param patience how long it may wait for its turn, where not all can run at once; without, as long as it takes
   * @param where `here`: on the caller's thread if it can be answered at once; for point reads, which take
   *   microseconds. The store may still answer later, from elsewhere.
   */
  query(query: SqlQuery, patience?: Patience, where?: 'here'): QueryResult | Promise<QueryResult>

  /**
   * Reads tidemarks, and runs the query in the same snapshot, but only if that holds everything in `required`:
   * otherwise the answer has no result, and its tidemarks tell what is missing.
   */
  snapshot(query: SqlQuery, required: readonly Mark[], patience?: Patience): Promise<Snapshot>

  /** Servers that follow the database and can be read. Absent: there are none. */
  readonly replicas?: Replicas | undefined

  /**
   * Asks those who write these positions to commit them, and to tell. It is done at a sign that one of them may be
   * committed, and never fails; a sign may be lost, so that whoever waits must look all the same. Absent: nobody can be
   * asked.
   */
  awaken?(marks: readonly Mark[]): Wait

  /**
   * Has `onEffects` called for so long when other processes have committed effects of this kind. A sign may be lost, so
   * that whoever does effects must look all the same. Absent: nothing is heard of other processes.
   */
  hearEffects?(kind: string, forMs: number): void

  /**
   * Ends the epoch of another writer that is taken for dead, if its tidemark is still where it was seen. Waits
   * for no lock, since what holds one may be the writer: fails as `transient` then. After it, that writer can commit
   * nothing more.
   *
   * @returns whether it is ended, by this call or before
   */
  endEpoch(seen: WriterTidemark): Promise<boolean>

  /** When it resolves, all that was committed before the call survives a power loss. */
  sync(): Promise<void>

  reloadSchema(): Promise<Schema>

  stats(): StoreStats

  /** Closes the epoch with its final tidemark if the store can be reached within `timeoutMs`, then lets go. */
  close(timeoutMs: number): Promise<void>
}

/** Copies of the database, each some way behind. */
export interface Replicas {
  /** How long to wait for one to come as far as a read must have seen, in ms. */
  readonly waitMs: number
  /** After that the database itself is read; else the read fails. */
  readonly fallBack: boolean

  /** Where the database itself is: whoever has come so far shows all that was committed before the call. */
  position(patience?: Patience): Promise<LogPosition>

  /**
   * As `OpenedStore.snapshot`, on whichever copy holds what is required. None has to be waited for: the answer is
   * that of another one then, without a result. Copies that cannot be read, or are none of this database, are passed
   * over.
   *
   * @param position to which its log must have been replayed before the snapshot began
   * @throws StoreError `transient` when none can be read; `rejected` when the query is at fault
   */
  snapshot(
    query: SqlQuery,
    required: readonly Mark[],
    position: LogPosition | undefined,
    patience: Patience,
  ): Promise<ReplicaSnapshot>
}

export interface ReplicaSnapshot extends Snapshot {
  /** Which one, for messages. */
  readonly replica: string
  /** Nothing that it shows is behind this. */
  readonly shown: LogPosition
}

export interface Batch {
  /** The tidemark before. */
  readonly prev: Seq
  /** The tidemark after. */
  readonly last: Seq
  readonly steps: readonly Step[]
  /**
   * The effects of its operations: written in the same transaction, behind all rows, without those of operations that
   * were rejected. None where `keepsEffects` is false.
   */
  readonly segments: readonly Segment[]
}

export interface BatchOutcome {
  /** What single operations left behind, by rising `first`; operations not listed have nothing to tell. */
  readonly results: readonly RunResult[]
  readonly rejections: readonly Rejection[]
  /** How often the write lock was taken. */
  readonly transactions: number
  /** The longest of these transactions. */
  readonly longestTransactionMs: number
  /** What was to follow from its rows and could not be written. Absent: nothing. */
  readonly derivationFailures?: readonly DerivationFailure[]
}

/** What consecutive operations left behind, `first` onwards. */
export type RunResult =
  /** Generated ids: the first operation's, and the others' follow without gaps. */
  | { readonly first: Seq; readonly count: number; readonly firstId: number }
  /** Rows changed, for each; and for a statement that inserted rows, the id that the database tells of it. */
  | {
      readonly first: Seq
      readonly changes: readonly number[]
      readonly ids?: readonly (number | undefined)[]
    }

/** `first`, `first + 1`, …: `count` of them. */
export interface IdRange {
  readonly first: number
  readonly count: number
}

/** The state of one writer as its database tells it. */
export interface Tidemark {
  readonly watermark: Seq
  /** A newer owner or `close` has ended this epoch. */
  readonly isClosed: boolean
  /** False when the row is gone: the database is not the one that was written to. */
  readonly exists: boolean
  /** The operations after `since` that were rejected. */
  readonly rejections: readonly Rejection[]
}

/** What a snapshot says of one writer's epoch. */
export interface WriterTidemark {
  readonly writer: WriterName
  readonly epoch: Epoch
  readonly watermark: Seq
  readonly isClosed: boolean
  readonly leaseMs: number
}

export interface Snapshot {
  /** Of every epoch that is open, and of those required where they are known. */
  readonly tidemarks: readonly WriterTidemark[]
  /** Epochs that ended are forgotten up to this one, 0 for none. A newer one without a tidemark never was. */
  readonly forgottenUpTo: Epoch
  /** Absent when the snapshot lacks something that was required. */
  readonly result: QueryResult | undefined
}

/** Made when a database gets its bookkeeping, and kept in it: a copy of the database has it too. */
export interface DatabaseIdentity {
  /** 16 hexadecimal digits. */
  readonly id: string
  /** What bookmarks are signed with, 64 hexadecimal digits. Who can read the database can read it. */
  readonly secret: string
}

export type Dialect = 'sqlite' | 'postgres' | 'mysql' | 'surrealql'

/** An interactive transaction on the write connection. */
export interface StoreTransaction {
  query(query: SqlQuery): Promise<QueryResult>
  /** Moves the tidemark, keeps these effects, and commits. */
  commit(segments: readonly Segment[]): Promise<void>
  rollback(): Promise<void>
}

export interface SqlQuery {
  readonly sql: string
  readonly parameters: readonly Value[]
  /** Rows as arrays of values in the order of the columns, so that columns of one name keep apart. */
  readonly asArrays?: boolean
  /** It comes again and again in these words: a store may keep it prepared. */
  readonly isRecurring?: boolean
}

export interface QueryResult {
  /** Arrays where `asArrays` was asked for. */
  readonly rows: readonly Record<string, unknown>[]
  readonly changes: number
  readonly lastInsertId: number | bigint | undefined
}

/** What a store can tell of itself; 0 where it does not apply. */
export interface StoreStats {
  /** Size of the write-ahead log's file. */
  readonly walBytes: number
  /** Pages in the log that are not yet copied back into the database. */
  readonly walPages: number
  /** How often they were copied back beside the writes. */
  readonly checkpoints: number
  /** How often the connection had to be made again. */
  readonly reconnects: number
  /** Connections for reads. Absent: it has no pool of them. */
  readonly readers?: PoolStats
  readonly replicas?: readonly ReplicaStats[]
}

/** A pool of connections, which grows while reads wait and shrinks when none do. */
export interface PoolStats {
  readonly open: number
  /** Of them, those that nobody uses. */
  readonly idle: number
  /** Reads that wait for one now. */
  readonly waiting: number
  /** How many there may be now, and at most. */
  readonly limit: number
  readonly max: number
  /** Reads that found none free, and for how long they waited together. */
  readonly waits: number
  readonly waitedMs: number
}

export interface ReplicaStats {
  /** Host and port. */
  readonly name: string
  /** Why it was passed over when it was last asked. */
  readonly trouble: string | undefined
  readonly readers: PoolStats
}
