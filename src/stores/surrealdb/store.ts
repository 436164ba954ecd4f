/** SurrealDB as the engine sees it: one client for all engines of a store. */
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
import { NotSupportedError, StoreError } from '../../errors.ts'
import type { Owner } from '../../sql/bookkeeping.ts'
import {
  closeEpoch,
  endEpoch,
  epochEnded,
  fenceFailed,
  makeTables,
  openEpoch,
  recoverTidemark,
  requireOpen,
} from './bookkeeping.ts'
import { messageOf } from '../../sql/failure.ts'
import { toStoreError } from './classify.ts'
import type { Connection } from './connection.ts'
import { beginFenced, Executor } from './executor.ts'
import { Interactive } from './interactive.ts'
import type { SurrealSettings } from './options.ts'
import { lineOf, type Line } from './line.ts'
import { Reads } from './reads.ts'
import { readSchema, type DatabaseSchema } from './schema.ts'
import type { Script } from './script.ts'
import { Session } from './session.ts'

export class SurrealStore implements Store {
  readonly name: string
  readonly #connection: Connection
  readonly #numbered: readonly string[]

  constructor(connection: Connection, { numbered }: Pick<SurrealSettings, 'numbered'>) {
    this.name = connection.name
    this.#connection = connection
    this.#numbered = numbered
  }

  async open(writer: WriterName, context: StoreContext): Promise<OpenedStore> {
    if (context.derivations.length > 0)
      throw new NotSupportedError('the store on SurrealDB cannot write derived rows (`derive`).')
    const client = await this.#connection.take(context.runtime)
    const session = new Session(client)
    const line = lineOf(client)
    try {
      const { epoch, identity } = await line.run(async () => {
        await makeTables(session)
        return await openEpoch(session, writer, context)
      })
      const owner = { writer, epoch }
      const look = (): Promise<DatabaseSchema> => readSchema(session, this.#numbered)
      const executor = new Executor(session, owner, context, await look(), look)
      const connection = this.#connection
      return new OpenedSurreal({ connection, session, line, owner, identity, executor, context })
    } catch (error) {
      await this.#connection.letGo()
      throw toStoreError(error)
    }
  }
}

interface Parts {
  readonly connection: Connection
  readonly session: Session
  readonly line: Line
  readonly owner: Owner
  readonly identity: DatabaseIdentity
  readonly executor: Executor
  readonly context: StoreContext
}

class OpenedSurreal implements OpenedStore {
  readonly dialect = 'surrealql'
  readonly database: DatabaseIdentity
  readonly epoch: OpenedStore['epoch']
  // Transactions run beside each other: a second batch would meet the fence before the first had moved it.
  readonly maxInFlight = 1
  readonly isSynchronous = false
  readonly keepsEffects = true
  readonly #parts: Parts
  readonly #reads: Reads
  #interactive: Interactive | undefined
  #closing: Promise<void> | undefined

  constructor(parts: Parts) {
    this.database = parts.identity
    this.epoch = parts.owner.epoch
    this.#parts = parts
    this.#reads = new Reads(parts.session)
  }

  get schema(): Schema {
    return this.#parts.executor.schema
  }

  commit(batch: Batch): Promise<BatchOutcome> {
    return this.#inLine(() => this.#parts.executor.commit(batch))
  }

  async begin(prev: Seq): Promise<StoreTransaction> {
    const { session, line, owner, executor } = this.#parts
    const release = await line.take()
    const transaction = await told(() => beginFenced(session, owner, prev, (prev + 1) as Seq)).catch(
      (error: unknown) => {
        release()
        throw error
      },
    )
    const interactive = new Interactive(
      transaction,
      (segments) => executor.keepEffects(transaction, segments),
      async (isCommitted) => {
        release()
        if (this.#interactive === interactive) this.#interactive = undefined
        // It may have made tables: they can be written to when its caller hears of the commit.
        if (isCommitted) await executor.reloadSchema().catch(() => undefined)
      },
    )
    return (this.#interactive = interactive)
  }

  async recover(since: Seq): Promise<Tidemark> {
    const { session, owner } = this.#parts
    await this.#interactive?.rollback()
    // Behind the commit that is under way, if one is.
    return await this.#inLine(() => recoverTidemark(session, owner, since))
  }

  async reserveIds(table: string, count: number): Promise<readonly IdRange[]> {
    const { executor, owner } = this.#parts
    if (executor.schema.tables.get(table)?.generatedId === undefined)
      throw new StoreError('rejected', `table "${table}" has no numbers for keys`, {
        hint: 'Name it in the option `numbered` of surrealdb(), or give the rows keys of your own.',
      })
    try {
      const isOurs = (script: Script): void => requireOpen(script, owner)
      return [{ first: await this.#inLine(() => executor.counters.take(table, count, isOurs)), count }]
    } catch (error) {
      throw messageOf(error).includes(fenceFailed) ? epochEnded(owner) : error
    }
  }

  query(query: SqlQuery): Promise<QueryResult> {
    return this.#reads.query(query)
  }

  snapshot(query: SqlQuery, required: readonly Mark[]): Promise<Snapshot> {
    return this.#reads.snapshot(query, required)
  }

  async endEpoch(seen: WriterTidemark): Promise<boolean> {
    const { line, session } = this.#parts
    if (line.isTaken) throw new StoreError('transient', 'somebody writes to the database')
    return await this.#inLine(() => endEpoch(session, seen))
  }

  sync(): Promise<void> {
    return told(() => this.#parts.connection.sync())
  }

  reloadSchema(): Promise<Schema> {
    return told(() => this.#parts.executor.reloadSchema())
  }

  stats(): StoreStats {
    return { walBytes: 0, walPages: 0, checkpoints: 0, reconnects: 0 }
  }

  close(timeoutMs: number): Promise<void> {
    return (this.#closing ??= this.#close(timeoutMs))
  }

  async #close(timeoutMs: number): Promise<void> {
    const { context, session, connection } = this.#parts
    const expired = Promise.withResolvers<void>()
    const timer = context.runtime.after(timeoutMs, expired.resolve)
    const ending = this.#end().catch(() => undefined)
    await Promise.race([ending, expired.promise])
    timer.cancel()
    // Past the deadline nothing more may run: the statements under way are the last.
    session.isLetGo = true
    await connection.letGo()
  }

  async #end(): Promise<void> {
    await this.#interactive?.rollback()
    const { session, owner } = this.#parts
    await this.#inLine(() => closeEpoch(session, owner))
  }

  #inLine<T>(work: () => Promise<T>): Promise<T> {
    return told(() => this.#parts.line.run(work))
  }
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toStoreError(error)
  }
}
