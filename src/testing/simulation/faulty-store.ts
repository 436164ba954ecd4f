/**
 * Puts time and faults between an engine and a store that answers at once: requests take a while, answers are lost,
 * processes die before, inside and after a commit. It keeps the contract of `OpenedStore`, so whatever it makes happen
 * may happen with a real database.
 */
import type { Mark, Seq, WriterName } from '../../contracts/position.ts'
import type {
  Batch,
  BatchOutcome,
  IdRange,
  OpenedStore,
  QueryResult,
  Snapshot,
  SqlQuery,
  Store,
  StoreContext,
  StoreTransaction,
  Tidemark,
  WriterTidemark,
} from '../../contracts/store.ts'
import type { Patience } from '../../contracts/wait.ts'
import { StoreError, type Certainty, type StoreFailure } from '../../errors.ts'
import { Connection, locked, type WriteLock } from './connection.ts'
import type { Faults } from './faults.ts'
import type { SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'

export interface Surroundings {
  readonly process: SimulatedProcess
  readonly random: Random
  readonly faults: Faults
  readonly lock: WriteLock
  /** Runs what this process does to the database, so that it is known who dies there. */
  as<T>(execute: () => T): T
  onSync(): void
}

function failure(kind: StoreFailure, message: string, outcome: Certainty): StoreError {
  return new StoreError(kind, `simulated: ${message}`, { outcome })
}

export class FaultyStore implements Store {
  readonly name = 'simulated'
  readonly #inner: Store
  readonly #surroundings: Surroundings

  /** @param inner commits at once, on the caller's thread */
  constructor(inner: Store, surroundings: Surroundings) {
    this.#inner = inner
    this.#surroundings = surroundings
  }

  async open(writer: WriterName, context: StoreContext): Promise<OpenedStore> {
    const { process, random, lock } = this.#surroundings
    const connection = new Connection(process, random, lock)
    const inner = await connection.ask({ serviceMs: random.between(0.05, 1) }, () =>
      this.#surroundings.as(() => this.#inner.open(writer, context)),
    )
    return new OpenedFaulty(inner, connection, this.#surroundings)
  }
}

class OpenedFaulty implements OpenedStore {
  readonly dialect: OpenedStore['dialect']
  readonly database: OpenedStore['database']
  readonly epoch: OpenedStore['epoch']
  readonly maxInFlight: number
  readonly isSynchronous = false
  readonly keepsEffects: boolean
  readonly #inner: OpenedStore
  readonly #connection: Connection
  readonly #surroundings: Surroundings

  constructor(inner: OpenedStore, connection: Connection, surroundings: Surroundings) {
    this.#inner = inner
    this.#connection = connection
    this.#surroundings = surroundings
    this.dialect = inner.dialect
    this.database = inner.database
    this.epoch = inner.epoch
    this.maxInFlight = inner.maxInFlight
    this.keepsEffects = inner.keepsEffects
    surroundings.process.onDeath(() => this.#letGo())
  }

  get schema(): OpenedStore['schema'] {
    return this.#inner.schema
  }

  commit({ prev, last, steps, segments }: Batch): Promise<BatchOutcome> {
    const { faults, random, process } = this.#surroundings
    const fault = faults.at('commit')
    // What was sent is sent: the engine may forget its own.
    const batch = { prev, last, steps: [...steps], segments }
    const execute = (): BatchOutcome => {
      if (fault === 'dies-before-commit') {
        process.kill()
        throw failure('transient', 'the process died', 'unknown')
      }
      if (fault === 'commit-outlives-process') process.kill()
      const outcome = this.#inner.commit(batch) as BatchOutcome
      if (fault === 'dies-after-commit') process.kill()
      if (fault === 'reply-lost') throw failure('transient', 'the reply was lost', 'unknown')
      return outcome
    }
    const serviceMs =
      fault === 'slow' || fault === 'reply-lost-while-running'
        ? random.between(10, 60)
        : random.between(0.1, 1.5)
    const outlives = fault === 'commit-outlives-process'
    switch (fault) {
      case 'store-fatal':
        return this.#write(serviceMs, () => {
          throw failure('fatal', 'the store is broken', 'not-committed')
        })
      case 'request-lost':
        return this.#write(serviceMs, () => {
          throw failure('transient', 'the request was lost', 'unknown')
        })
      case 'reply-lost-while-running': {
        this.#write(serviceMs, execute, outlives).catch(() => undefined)
        const lost = Promise.withResolvers<never>()
        process.after(random.between(0.1, 5), () =>
          lost.reject(failure('transient', 'the connection was lost', 'unknown')),
        )
        return lost.promise
      }
      default:
        return this.#write(serviceMs, execute, outlives)
    }
  }

  async begin(prev: Seq, timeoutMs: number): Promise<StoreTransaction> {
    const { random, process } = this.#surroundings
    const transaction = await this.#write(random.between(0.05, 1), async () => {
      const begun = await this.#inner.begin(prev, timeoutMs)
      // A process that died meanwhile has let go of its connection.
      if (process.isDead) await begun.rollback()
      else this.#connection.lock.holder = this.#connection
      return begun
    })
    const end = async (how: () => Promise<void>): Promise<void> =>
      await this.#write(random.between(0.05, 1), async () => {
        await how()
        this.#release()
      })
    return {
      query: (query) => this.#write(random.between(0.05, 0.5), () => transaction.query(query)),
      commit: (segments) => this.#commitTransaction(() => end(() => transaction.commit(segments))),
      rollback: () => end(() => transaction.rollback()),
    }
  }

  async #commitTransaction(commit: () => Promise<void>): Promise<void> {
    const { faults, process } = this.#surroundings
    const fault = faults.at('commit')
    if (fault === 'dies-before-commit') process.kill()
    if (fault === 'request-lost') throw failure('transient', 'the request was lost', 'unknown')
    await commit()
    if (fault === 'dies-after-commit') process.kill()
    if (fault === 'reply-lost' || fault === 'reply-lost-while-running')
      throw failure('transient', 'the reply was lost', 'unknown')
  }

  async recover(since: Seq): Promise<Tidemark> {
    const { faults, random } = this.#surroundings
    return await this.#write(random.between(0.05, 2), () => {
      if (faults.at('recover')) throw failure('transient', 'the tidemark could not be read', 'not-committed')
      this.#release()
      return this.#inner.recover(since)
    })
  }

  reserveIds(table: string, count: number): Promise<readonly IdRange[]> {
    return this.#write(this.#surroundings.random.between(0.05, 1), () => this.#inner.reserveIds(table, count))
  }

  query(query: SqlQuery, patience?: Patience, where?: 'here'): QueryResult | Promise<QueryResult> {
    if (
      where === 'here' &&
      this.#connection.lock.holder === undefined &&
      this.#surroundings.random.chance(0.7)
    )
      return this.#inner.query(query, patience, 'here')
    return this.#read(() => this.#inner.query(query))
  }

  snapshot(query: SqlQuery, required: readonly Mark[]): Promise<Snapshot> {
    return this.#read(() => this.#inner.snapshot(query, required))
  }

  async endEpoch(seen: WriterTidemark): Promise<boolean> {
    return await this.#write(0.1, () => {
      if (this.#connection.lock.holder !== undefined) throw locked()
      return this.#inner.endEpoch(seen)
    })
  }

  async sync(): Promise<void> {
    const { faults, random } = this.#surroundings
    await this.#write(random.between(0.5, 3), () => {
      // What fails whoever waits for a read fails whoever waits for the disk.
      if (faults.at('read') === 'read-fails') throw failure('transient', 'the disk failed', 'not-committed')
      this.#surroundings.onSync()
    })
  }

  reloadSchema(): Promise<OpenedStore['schema']> {
    return this.#write(0.1, () => this.#inner.reloadSchema())
  }

  stats(): ReturnType<OpenedStore['stats']> {
    return this.#inner.stats()
  }

  async close(timeoutMs: number): Promise<void> {
    const expired = Promise.withResolvers<void>()
    const timer = this.#surroundings.process.after(timeoutMs, expired.resolve)
    const closed = this.#write(this.#surroundings.random.between(0.05, 1), () => {
      this.#release()
      return this.#inner.close(timeoutMs)
    })
    await Promise.race([closed.catch(() => undefined), expired.promise])
    timer.cancel()
    this.#connection.abandon()
  }

  /** Its process is gone: what it had begun is undone. */
  #letGo(): void {
    if (this.#connection.lock.holder !== this.#connection) return
    this.#release()
    void this.#inner.recover(0 as Seq)
  }

  #release(): void {
    const { lock } = this.#connection
    if (lock.holder === this.#connection) lock.holder = undefined
  }

  #write<T>(serviceMs: number, execute: () => T | Promise<T>, outlives = false): Promise<T> {
    const surroundings = this.#surroundings
    return this.#connection.ask({ serviceMs, outlives }, () => surroundings.as(execute))
  }

  /** Readers have connections of their own. While a transaction runs on the only connection there is, they wait. */
  async #read<T>(execute: () => T | Promise<T>): Promise<T> {
    const { process, random, faults } = this.#surroundings
    const fault = faults.at('read')
    await this.#pause(fault === 'reader-lags' ? random.between(5, 40) : random.between(0.02, 1))
    while (this.#connection.lock.holder !== undefined) await this.#pause(0.3)
    if (fault === 'read-fails') throw failure('transient', 'the reader failed', 'not-committed')
    const result = await execute()
    await this.#pause(random.between(0.01, 0.3))
    return await new Promise<T>((resolve) => process.run(() => resolve(result)))
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#surroundings.process.after(ms, resolve))
  }
}
