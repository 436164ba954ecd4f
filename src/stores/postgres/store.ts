/** The PostgreSQL store as the engine sees it: a connection that commits, a pool that reads, and one beside them. */
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
import type { Patience, Wait } from '../../contracts/wait.ts'
import { NotSupportedError, StoreError, TidemarkError, unprefixed } from '../../errors.ts'
import {
  closeEpoch,
  endEpoch,
  makeTables,
  openEpoch,
  readTidemark,
  unknownTidemark,
  type Owner,
} from '../../sql/bookkeeping.ts'
import type { Answer } from '../../sql/dialect.ts'
import { Interactive } from '../../sql/interactive.ts'
import { withoutPassword } from './address.ts'
import { asStoreError } from './classify.ts'
import type { Backend, Connection } from './connection.ts'
import { Executor } from './executor.ts'
import { beginBehindFence, type Hold } from './fence.ts'
import type { PostgresSettings } from './options.ts'
import { endBackends, isUsable, openPrimary, takeOver } from './primary.ts'
import { Readers } from './readers.ts'
import { StreamingReplicas } from './replicas.ts'
import { readSchema, type DatabaseSchema } from './schema.ts'
import { Session, Transaction } from './session.ts'
import { keepEffects, outboxOf } from './outbox.ts'
import { Side } from './side.ts'
import { syncLog } from './sync-log.ts'
import { WakeCalls } from './wake-calls.ts'

export class PostgresStore implements Store {
  readonly name: string
  readonly #urls: readonly string[]
  readonly #settings: PostgresSettings

  constructor(urls: readonly string[], settings: PostgresSettings) {
    this.name = `postgres ${urls.map(withoutPassword).join(', ')}`
    this.#urls = urls
    this.#settings = settings
  }

  async open(writer: WriterName, context: StoreContext): Promise<OpenedStore> {
    if (context.derivations.length > 0)
      throw new NotSupportedError(
        'the PostgreSQL store cannot write derived rows (`derive`).',
        'Use a trigger.',
      )
    const { leaseMs, epochStep, runtime, newIdentity } = context
    const connect = (): Promise<Connection> => openPrimary(this.#urls, this.#settings, runtime)
    let connection: Connection | undefined
    let readers: Readers | undefined
    let replicas: StreamingReplicas | undefined
    try {
      connection = await connect()
      const session = new Session(connection)
      await makeTables(session, newIdentity)
      await addHolder(session)
      const { epoch, identity } = await openEpoch(session, {
        writer,
        leaseMs,
        epochStep,
        nowMs: runtime.wallMs(),
      })
      const schema = await readSchema(session)
      const reads = (readers = new Readers(this.#urls, connection.url, this.#settings, runtime))
      if (this.#settings.replicas.length > 0) {
        replicas = new StreamingReplicas({
          settings: this.#settings,
          runtime,
          identity: identity.id,
          primaryPosition: (patience) => reads.position(patience),
        })
        await replicas.position()
      }
      return new OpenedPostgres({
        owner: { writer, epoch },
        identity,
        hold: { connection, holder: 0 },
        schema,
        connect,
        readers,
        replicas,
        context,
      })
    } catch (error) {
      connection?.destroy()
      readers?.abandon()
      if (error instanceof TidemarkError && !(error instanceof StoreError)) throw error
      throw cannotOpen(this.name, asStoreError(error, 'not-committed'))
    }
  }
}

interface Parts {
  readonly owner: Owner
  readonly identity: DatabaseIdentity
  readonly hold: Hold
  readonly schema: DatabaseSchema
  readonly connect: () => Promise<Connection>
  readonly readers: Readers
  readonly replicas: StreamingReplicas | undefined
  readonly context: StoreContext
}

class OpenedPostgres implements OpenedStore {
  readonly dialect = 'postgres'
  readonly maxInFlight = 2
  readonly isSynchronous = false
  readonly keepsEffects = true
  readonly database: DatabaseIdentity
  readonly epoch: OpenedStore['epoch']
  readonly #parts: Parts
  readonly #side: Side
  readonly #calls: WakeCalls
  readonly #executor: Executor
  #hold: Hold
  /** Those that may hold the writer's row: of the connection, or of one that was given up on the way to it. */
  #backends: readonly Backend[]
  /** That which is taking over. */
  #next: Connection | undefined
  #interactive: Interactive | undefined
  /** Resolves when the interactive transaction that is open, or begins, is over. */
  #transactionOver: Promise<void> | undefined
  #reconnects = 0
  #closing: Promise<void> | undefined

  constructor(parts: Parts) {
    const { owner, identity, hold, schema, connect, context } = parts
    this.#parts = parts
    this.database = identity
    this.epoch = owner.epoch
    this.#hold = hold
    this.#backends = [hold.connection.backend]
    this.#side = new Side(connect)
    const at = { database: identity.id, epoch: owner.epoch, side: this.#side }
    this.#calls = new WakeCalls({ ...context, ...at })
    this.#calls.hearOn(hold.connection)
    this.#executor = new Executor(owner, hold, context.runtime, schema, () => this.#reloadSchema())
  }

  get schema(): Schema {
    return this.#executor.schema
  }

  get replicas(): StreamingReplicas | undefined {
    return this.#parts.replicas
  }

  async commit(batch: Batch): Promise<BatchOutcome> {
    const outcome = await this.#executor.commit(batch)
    this.#calls.committed(batch.last)
    this.#calls.committedEffects(batch.segments)
    return outcome
  }

  async begin(prev: Seq, timeoutMs: number): Promise<StoreTransaction> {
    const over = Promise.withResolvers<void>()
    this.#transactionOver = over.promise
    const end = (): void => {
      this.#transactionOver = undefined
      over.resolve()
    }
    try {
      return await this.#begin(prev, timeoutMs, end)
    } catch (error) {
      end()
      throw error
    }
  }

  async #begin(prev: Seq, timeoutMs: number, onOver: () => void): Promise<StoreTransaction> {
    const { connection } = this.#hold
    const transaction = new Transaction(connection)
    // Its caller may think for longer than a batch does.
    const idleMs = Math.min(2 ** 31 - 1, Math.ceil(timeoutMs) + 10_000)
    const patience = { sql: `SET LOCAL idle_in_transaction_session_timeout = ${idleMs}` }
    try {
      await beginBehindFence(this.#parts.owner, this.#hold, prev, (prev + 1) as Seq, patience)
    } catch (error) {
      await transaction.rollback()
      throw error
    }
    const onEnded = async (isCommitted: boolean, segments: readonly Segment[]): Promise<void> => {
      if (this.#interactive === interactive) this.#interactive = undefined
      onOver()
      if (!isCommitted) return
      this.#calls.committed((prev + 1) as Seq)
      this.#calls.committedEffects(segments)
      // It may have made tables: they can be written to when its caller hears of the commit.
      await this.#reloadSchema().catch(() => undefined)
    }
    const { epoch } = this
    const nowMs = this.#parts.context.runtime.wallMs()
    const interactive = new Interactive(transaction, resultOf, onEnded, (segments) =>
      keepEffects(connection, outboxOf(segments, { epoch, nowMs })),
    )
    return (this.#interactive = interactive)
  }

  recover(since: Seq): Promise<Tidemark> {
    return this.#told(async () => {
      await this.#interactive?.rollback()
      const { owner } = this.#parts
      if (!(await isUsable(this.#hold, owner)) && !(await this.#reconnect())) return unknownTidemark
      const tidemark = await readTidemark(new Session(this.#hold.connection), owner, since)
      this.#calls.committed(tidemark.watermark)
      return tidemark
    })
  }

  /** @returns whether the database knows the writer */
  async #reconnect(): Promise<boolean> {
    const { owner, connect } = this.#parts
    const lost = this.#hold.connection
    lost.destroy(new StoreError('transient', 'the connection was given up'))
    const connection = await connect()
    try {
      if (this.#closing) throw new StoreError('fatal', 'the store was closed')
      this.#next = connection
      await endBackends(connection, this.#backends)
      this.#backends = [connection.backend]
      const hold = await takeOver(connection, owner)
      if (hold === undefined) {
        connection.destroy()
        return false
      }
      this.#hold = hold
      this.#executor.hold(hold)
      this.#calls.hearOn(connection)
      this.#parts.readers.follow(connection.url)
      // There may have been a failover: replicas that were not a part of it are not to be read any more.
      this.replicas?.position().catch(() => undefined)
      this.#reconnects++
      return true
    } catch (error) {
      connection.destroy()
      throw error
    } finally {
      this.#next = undefined
    }
  }

  reserveIds(table: string, count: number): Promise<readonly IdRange[]> {
    return this.#told(async () => {
      // It would be a part of the transaction that is open, and given again if that were rolled back.
      while (this.#transactionOver) await this.#transactionOver
      return await this.#executor.reserveIds(table, count)
    })
  }

  query(query: SqlQuery, patience?: Patience): Promise<QueryResult> {
    return this.#parts.readers.query(query, patience)
  }

  snapshot(query: SqlQuery, required: readonly Mark[], patience?: Patience): Promise<Snapshot> {
    return this.#parts.readers.snapshot(query, required, patience)
  }

  awaken(marks: readonly Mark[]): Wait {
    return this.#calls.call(marks)
  }

  hearEffects(kind: string, forMs: number): void {
    this.#calls.hear(kind, forMs)
  }

  endEpoch(seen: WriterTidemark): Promise<boolean> {
    return this.#told(() => this.#side.run((session) => endEpoch(session, seen)))
  }

  sync(): Promise<void> {
    return this.#told(() => this.#side.run(({ connection }) => syncLog(connection, this.epoch)))
  }

  reloadSchema(): Promise<Schema> {
    return this.#told(() => this.#reloadSchema())
  }

  async #reloadSchema(): Promise<DatabaseSchema> {
    const schema = await this.#side.run(readSchema)
    if (schema.version === this.#executor.schema.version) return schema
    this.#executor.use(schema)
    this.#parts.context.onSchemaChange(schema)
    return schema
  }

  stats(): StoreStats {
    return {
      walBytes: 0,
      walPages: 0,
      checkpoints: 0,
      reconnects: this.#reconnects,
      readers: this.#parts.readers.stats(),
      ...(this.replicas && { replicas: this.replicas.stats() }),
    }
  }

  close(timeoutMs: number): Promise<void> {
    return (this.#closing ??= this.#close(timeoutMs))
  }

  async #close(timeoutMs: number): Promise<void> {
    const { context, readers } = this.#parts
    const expired = Promise.withResolvers<void>()
    const timer = context.runtime.after(timeoutMs, expired.resolve)
    await Promise.race([this.#end().catch(() => undefined), expired.promise])
    timer.cancel()
    // Past the deadline nothing more may run: the statements under way are the last.
    this.#hold.connection.destroy()
    this.#next?.destroy()
    this.#side.abandon()
    readers.abandon()
    this.replicas?.abandon()
  }

  /** Beside the batches: one that is still under way holds the row, and is waited for. */
  async #end(): Promise<void> {
    const { owner, readers } = this.#parts
    await this.#interactive?.rollback()
    await Promise.all([
      readers.close(),
      this.replicas?.close(),
      this.#side.run((session) => closeEpoch(session, owner)),
    ])
    await Promise.all([this.#hold.connection.end(), this.#side.end()])
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw asStoreError(error, 'not-committed')
    }
  }
}

/** A database whose bookkeeping another store made has no holders yet. */
async function addHolder(session: Session): Promise<void> {
  const { rows } = await session.own(
    "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('tidemark_writers') AND attname = 'holder'",
  )
  if (rows.length === 0)
    await session.run(
      'ALTER TABLE tidemark_writers ADD COLUMN IF NOT EXISTS holder integer NOT NULL DEFAULT 0',
    )
}

function resultOf({ rows, changes }: Answer, asArrays = false): QueryResult {
  return {
    // Columns in their order; of two with one name the later is left.
    rows: asArrays ? rows.map((row) => Object.values(row) as unknown as Record<string, unknown>) : rows,
    changes,
    lastInsertId: undefined,
  }
}

function cannotOpen(name: string, error: StoreError): StoreError {
  const { failure, message, storeCode, hint } = error
  const text = `cannot open ${name}: ${unprefixed(message)}`
  return new StoreError(failure, text, { cause: error, storeCode, ...(hint === undefined ? {} : { hint }) })
}
