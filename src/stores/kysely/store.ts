/** The store over a Kysely instance as the engine sees it. The instance stays its caller's. */
import type { Mark, Seq, WriterName } from '../../contracts/position.ts'
import type { Schema } from '../../contracts/schema.ts'
import type {
  Batch,
  BatchOutcome,
  DatabaseIdentity,
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
import {
  closeEpoch,
  endEpoch,
  makeTables,
  openEpoch,
  readTidemark,
  touchEpoch,
  unknownTidemark,
  type Owner,
} from '../../sql/bookkeeping.ts'
import { NotSupportedError, StoreError } from '../../errors.ts'
import type { SqlDialect } from './dialect.ts'
import { Executor } from './executor.ts'
import { toStoreError } from '../../sql/failure.ts'
import { Interactive } from '../../sql/interactive.ts'
import { Reads } from './reads.ts'
import { Session, type AnyKysely } from './session.ts'

export class KyselyStore implements Store {
  readonly name: string
  readonly #kysely: AnyKysely
  readonly #dialect: SqlDialect
  /** Interactive transactions that hold the only connection there is. */
  readonly #holding = new Set<object>()

  constructor(kysely: AnyKysely, dialect: SqlDialect) {
    this.name = `kysely (${dialect.name})`
    // A plugin that renames columns would rename those of our tables too.
    this.#kysely = kysely.withoutPlugins()
    this.#dialect = dialect
  }

  async open(writer: WriterName, context: StoreContext): Promise<OpenedStore> {
    if (context.derivations.length > 0)
      throw new NotSupportedError('the store on a Kysely instance cannot write derived rows (`derive`).')
    let isLetGo = false
    const session = new Session(this.#kysely, this.#dialect, () => isLetGo)
    try {
      await makeTables(session, context.newIdentity)
      await this.#dialect.checkDriver(session)
      const reads = new Reads(session)
      await reads.prepare()
      const { leaseMs, epochStep, runtime } = context
      const request = { writer, leaseMs, epochStep, nowMs: runtime.wallMs() }
      const { epoch, identity } = await openEpoch(session, request)
      const owner = { writer, epoch }
      const schema = await this.#dialect.readSchema(session)
      const executor = new Executor(session, owner, runtime, schema, context.onSchemaChange)
      const letGo = (): void => void (isLetGo = true)
      return new OpenedKysely({
        session,
        owner,
        identity,
        reads,
        executor,
        context,
        letGo,
        holding: this.#holding,
      })
    } catch (error) {
      throw toStoreError(this.#dialect, error)
    }
  }
}

interface Parts {
  readonly session: Session
  readonly owner: Owner
  readonly identity: DatabaseIdentity
  readonly reads: Reads
  readonly executor: Executor
  readonly context: StoreContext
  readonly letGo: () => void
  readonly holding: Set<object>
}

class OpenedKysely implements OpenedStore {
  readonly dialect: OpenedStore['dialect']
  readonly database: DatabaseIdentity
  readonly epoch: OpenedStore['epoch']
  // Connections of a pool are not known to be one: a second batch could only wait for the first.
  readonly maxInFlight = 1
  readonly isSynchronous = false
  readonly keepsEffects = false
  readonly #parts: Parts
  #interactive: Interactive | undefined
  #closing: Promise<void> | undefined

  constructor(parts: Parts) {
    this.dialect = parts.session.dialect.name
    this.database = parts.identity
    this.epoch = parts.owner.epoch
    this.#parts = parts
  }

  get schema(): Schema {
    return this.#parts.executor.schema
  }

  commit(batch: Batch): Promise<BatchOutcome> {
    return this.#told(() => this.#parts.executor.commit(batch))
  }

  async begin(prev: Seq): Promise<StoreTransaction> {
    const { executor, reads, holding } = this.#parts
    const transaction = await this.#told(() => executor.begin(prev, (prev + 1) as Seq))
    const interactive = new Interactive(
      transaction,
      (answer, asArrays) => reads.resultOf(answer, asArrays),
      async (isCommitted) => {
        holding.delete(interactive)
        if (this.#interactive === interactive) this.#interactive = undefined
        // It may have made tables: they can be written to when its caller hears of the commit.
        if (isCommitted) await executor.reloadSchema().catch(() => undefined)
      },
    )
    holding.add(interactive)
    return (this.#interactive = interactive)
  }

  /** A connection of a pool cannot be broken from here, but what it still does holds the epoch's row: wait for that. */
  recover(since: Seq): Promise<Tidemark> {
    const { session, owner } = this.#parts
    return this.#told(async () => {
      await this.#interactive?.rollback()
      // A database that was restored from before its first writer has not even the table.
      if (!(await session.dialect.hasTable(session, 'tidemark_writers'))) return unknownTidemark
      return await session.transact(async (locked) => {
        await session.dialect.lockEpoch(locked, owner.epoch)
        return await readTidemark(locked, owner, since)
      })
    })
  }

  reserveIds(): Promise<never> {
    return Promise.reject(
      new StoreError('rejected', 'the store on a Kysely instance cannot reserve ids', {
        hint: 'Use the store for the database itself, or give the rows keys of your own, such as UUIDs.',
      }),
    )
  }

  query(query: SqlQuery): Promise<QueryResult> {
    return this.#parts.reads.query(query)
  }

  snapshot(query: SqlQuery, required: readonly Mark[]): Promise<Snapshot> {
    return this.#parts.reads.snapshot(query, required)
  }

  async endEpoch(seen: WriterTidemark): Promise<boolean> {
    const { session, holding } = this.#parts
    if (holding.size > 0 && session.hasOneConnection)
      throw new StoreError('transient', 'a transaction holds the connection')
    return await this.#told(() => endEpoch(session, seen))
  }

  sync(): Promise<void> {
    const { session, owner } = this.#parts
    return this.#told(() =>
      session.pinned((pinned) => session.dialect.sync(pinned, (inside) => touchEpoch(inside, owner.epoch))),
    )
  }

  reloadSchema(): Promise<Schema> {
    return this.#told(() => this.#parts.executor.reloadSchema())
  }

  stats(): StoreStats {
    return { walBytes: 0, walPages: 0, checkpoints: 0, reconnects: 0 }
  }

  close(timeoutMs: number): Promise<void> {
    return (this.#closing ??= this.#close(timeoutMs))
  }

  async #close(timeoutMs: number): Promise<void> {
    const { context, letGo } = this.#parts
    const expired = Promise.withResolvers<void>()
    const timer = context.runtime.after(timeoutMs, expired.resolve)
    await Promise.race([this.#end().catch(() => undefined), expired.promise])
    timer.cancel()
    // Past the deadline nothing more may run: the statements under way are the last.
    letGo()
  }

  async #end(): Promise<void> {
    const { session, owner } = this.#parts
    await this.#interactive?.rollback()
    await session.pinned((pinned) => closeEpoch(pinned, owner))
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw toStoreError(this.#parts.session.dialect, error)
    }
  }
}
