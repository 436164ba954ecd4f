/**
 * A Kysely for code that has one already: its writes are batched with everybody's, its reads pass the gate, its
 * transactions take their turn in the line.
 *
 * Keeps: law 1 (a write's promise settles with its receipt), law 2 (all go through one engine, in call order; those
 * that a full queue refuses stand in line when there is room), law 6 (reads have the level of their engine or session).
 */
import type { CompiledQuery, Kysely, TransactionSettings } from 'kysely'
import type { Dialect, QueryResult, SqlQuery, StoreTransaction } from '../contracts/store.ts'
import { NotSupportedError, QueueFullError, StoreError, TidemarkError } from '../errors.ts'
import type { WriteLane } from '../writes/write-lane.ts'
import type { Committed } from '../writes/receipt.ts'
import { encodeQuery, kyselyOn, type QueryPort } from './kysely.ts'
import { wayOf } from './way.ts'

/** A transaction of existing code has the time that `db.transaction` gives by default. */
const transactionTimeoutMs = 30_000

/** What PostgreSQL says of a read that would have written: nothing of it is done. */
const readOnlyTransaction = '25006'

/** Where the queries of existing code go. */
export interface DropInPorts {
  readonly lane: WriteLane
  readonly read: (query: SqlQuery) => Promise<QueryResult>
  /** Resolves when a queue that refused a write has room again. */
  readonly whenRoom: () => Promise<void>
  readonly dialect: Dialect
}

export function dropIn<DB>(ports: DropInPorts): Kysely<DB> {
  return kyselyOn<DB>(() => new DropInConnection(ports), ports.dialect, 'Use `db.transaction()`.')
}

/** One query, or one transaction with its queries; one that is held has both, in turn. */
class DropInConnection implements QueryPort {
  readonly #ports: DropInPorts
  #transaction: OpenTransaction | undefined

  constructor(ports: DropInPorts) {
    this.#ports = ports
  }

  async run(query: CompiledQuery): Promise<QueryResult> {
    const { dialect } = this.#ports
    if (this.#transaction) return await this.#transaction.query(encodeQuery(query, dialect))
    switch (wayOf(query, dialect)) {
      case 'read':
        return await this.#read(encodeQuery(query, dialect))
      case 'write': {
        const { changes, id } = await this.#write(query)
        if (changes === undefined) throw countUnknown()
        return { rows: [], changes, lastInsertId: id }
      }
      case 'transaction':
        return await this.#runAlone(encodeQuery(query, dialect))
    }
  }

  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const { lane, dialect } = this.#ports
    const isOwnLevel =
      isolationLevel === undefined || (dialect === 'sqlite' && isolationLevel === 'serializable')
    if (!isOwnLevel || accessMode !== undefined) {
      throw new NotSupportedError(
        'a transaction has the isolation of the write connection, and may write.',
        'Leave out `setIsolationLevel` and `setAccessMode`.',
      )
    }
    const transaction = new OpenTransaction()
    const ended = lane.transaction((opened) => transaction.run(opened), transactionTimeoutMs)
    await transaction.begun(ended)
    this.#transaction = transaction
  }

  async commit(): Promise<void> {
    await this.#transaction?.end('commit')
    // Not when that failed: Kysely then rolls back.
    this.#transaction = undefined
  }

  async rollback(): Promise<void> {
    const transaction = this.#transaction
    this.#transaction = undefined
    await transaction?.end('rollback')
  }

  async #read(query: SqlQuery): Promise<QueryResult> {
    try {
      return await this.#ports.read(query)
    } catch (error) {
      const wouldWrite = error instanceof StoreError && error.storeCode === readOnlyTransaction
      if (!wouldWrite || this.#ports.dialect !== 'postgres') throw error
      return await this.#runAlone(query)
    }
  }

  /** Existing code knows of no queue: it waits for its place. */
  async #write(query: CompiledQuery): Promise<Committed> {
    const { lane, whenRoom, dialect } = this.#ports
    let given: SqlQuery | CompiledQuery = query
    for (;;) {
      try {
        return await lane.operations.write(given)
      } catch (error) {
        if (!(error instanceof QueueFullError)) throw error
        // A snapshot, as the queue would have made: the caller may change what it gave.
        if (given === query) given = encodeQuery(query, dialect)
        await whenRoom()
      }
    }
  }

  async #runAlone(query: SqlQuery): Promise<QueryResult> {
    const result = await this.#ports.lane.transaction(
      (transaction) => Promise.resolve(transaction.query(query)),
      transactionTimeoutMs,
    )
    // What the lane resolves with is what the callback returned.
    return result as QueryResult
  }
}

/** Told by a write that is in the database: 0 would be a lie, and code acts on it. */
function countUnknown(): TidemarkError {
  return new TidemarkError(
    'STORE_FAILED',
    'the write IS committed, but the reply that told how many rows it changed was lost.',
    { outcome: 'unknown', hint: 'Do not run it again: read the rows to see what it did.' },
  )
}

/** Undoes the transaction; its caller has an error of its own. */
class RolledBack extends Error {}

/** Turns a callback that is run with a transaction into begin, queries and end. */
class OpenTransaction {
  readonly #begun = Promise.withResolvers<StoreTransaction>()
  readonly #ending = Promise.withResolvers<void>()
  #opened: StoreTransaction | undefined
  #ended: Promise<unknown> = Promise.resolve()

  run(opened: StoreTransaction): Promise<void> {
    this.#begun.resolve(opened)
    return this.#ending.promise
  }

  /** @throws what kept it from beginning */
  async begun(ended: Promise<unknown>): Promise<void> {
    this.#ended = ended
    // It ends by itself at its timeout, or when the engine stops: told where somebody asks for its end.
    ended.catch(() => undefined)
    this.#opened = (await Promise.race([this.#begun.promise, ended])) as StoreTransaction
  }

  async query(query: SqlQuery): Promise<QueryResult> {
    return await (this.#opened as StoreTransaction).query(query)
  }

  async end(how: 'commit' | 'rollback'): Promise<void> {
    if (how === 'commit') this.#ending.resolve()
    else this.#ending.reject(new RolledBack())
    try {
      await this.#ended
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error
    }
  }
}
