/**
 * A Kysely for code that has one already: its writes are batched with everybody's, its reads pass the gate, its
 * transactions take their turn in the line.
 *
 * Keeps: law 1 (a write's promise settles with its receipt), law 2 (all go through one engine, in call order), law 6
 * (reads have the level of their engine or session).
 *
 *   SELECT ─▶ the gate            INSERT, UPDATE, DELETE, MERGE ─▶ one operation of a batch
 *   RETURNING, schema changes, SQL that could be either ─▶ a transaction of its own
 */
import {
  DeleteQueryNode,
  InsertQueryNode,
  MergeQueryNode,
  SelectQueryNode,
  UpdateQueryNode,
  type CompiledQuery,
  type Kysely,
  type TransactionSettings,
} from 'kysely'
import type { Dialect, QueryResult, SqlQuery, StoreTransaction } from '../contracts/store.ts'
import { NotSupportedError } from '../errors.ts'
import type { WriteLane } from '../writes/engine.ts'
import { encodeQuery, kyselyOn, type QueryPort } from './kysely.ts'

/** A transaction of existing code has the time that `db.transaction` gives by default. */
const transactionTimeoutMs = 30_000

type Way = 'read' | 'write' | 'transaction'

export function dropIn<DB>(
  lane: WriteLane,
  read: (query: SqlQuery) => Promise<QueryResult>,
  dialect: Dialect,
): Kysely<DB> {
  return kyselyOn<DB>(() => new DropInConnection(lane, read, dialect), dialect, 'Use `db.transaction()`.')
}

/** One query, or one transaction with its queries. */
class DropInConnection implements QueryPort {
  readonly #lane: WriteLane
  readonly #read: (query: SqlQuery) => Promise<QueryResult>
  readonly #dialect: Dialect
  #transaction: OpenTransaction | undefined

  constructor(lane: WriteLane, read: (query: SqlQuery) => Promise<QueryResult>, dialect: Dialect) {
    this.#lane = lane
    this.#read = read
    this.#dialect = dialect
  }

  async run(query: CompiledQuery): Promise<QueryResult> {
    if (this.#transaction) return await this.#transaction.query(encodeQuery(query))
    switch (wayOf(query)) {
      case 'read':
        return await this.#read(encodeQuery(query))
      case 'write': {
        const { changes = 0, id } = await this.#lane.operations.write(query)
        return { rows: [], changes, lastInsertId: id }
      }
      case 'transaction':
        // What the lane resolves with is what the callback returned.
        return (await this.#lane.transaction(
          (transaction) => Promise.resolve(transaction.query(encodeQuery(query))),
          transactionTimeoutMs,
        )) as QueryResult
    }
  }

  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    if (this.#dialect !== 'sqlite' && (isolationLevel !== undefined || accessMode !== undefined)) {
      throw new NotSupportedError(
        'a transaction has the isolation of the write connection.',
        'Leave out `setIsolationLevel` and `setAccessMode`.',
      )
    }
    const transaction = new OpenTransaction()
    const ended = this.#lane.transaction((opened) => transaction.run(opened), transactionTimeoutMs)
    await transaction.begun(ended)
    this.#transaction = transaction
  }

  async commit(): Promise<void> {
    await this.#transaction?.end('commit')
  }

  async rollback(): Promise<void> {
    await this.#transaction?.end('rollback')
  }
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

function wayOf({ query, sql }: CompiledQuery): Way {
  if (SelectQueryNode.is(query)) return 'read'
  const isWrite =
    InsertQueryNode.is(query) ||
    UpdateQueryNode.is(query) ||
    DeleteQueryNode.is(query) ||
    MergeQueryNode.is(query)
  if (isWrite) return query.returning === undefined ? 'write' : 'transaction'
  return query.kind === 'RawNode' ? wayOfText(sql) : 'transaction'
}

/** SQL of the caller's own. What could be either is run where both are possible. */
function wayOfText(sql: string): Way {
  const [, first = ''] = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/|\()*([a-z]+)/i.exec(sql) ?? []
  const returns = /\breturning\b/i.test(sql)
  if (/^(?:select|values|explain|show|table|describe)$/i.test(first)) return 'read'
  if (/^with$/i.test(first)) return /\b(?:insert|update|delete|merge)\b/i.test(sql) ? 'transaction' : 'read'
  return /^(?:insert|replace|update|delete)$/i.test(first) && !returns ? 'write' : 'transaction'
}
