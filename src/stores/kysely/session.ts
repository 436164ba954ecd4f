/** One connection of the caller's Kysely instance, or its pool: where a statement runs. */
import { CompiledQuery, type ControlledTransaction, type Kysely } from 'kysely'
import { StoreError } from '../../errors.ts'
import type { Answer, SqlSession, SqlTransaction } from '../../sql/dialect.ts'
import type { SqlDialect } from './dialect.ts'

export type AnyKysely = Kysely<object>

export class Session implements SqlSession {
  readonly dialect: SqlDialect
  readonly #kysely: AnyKysely
  readonly #isLetGo: () => boolean

  /** @param isLetGo past the deadline of `close` nothing more is sent */
  constructor(kysely: AnyKysely, dialect: SqlDialect, isLetGo: () => boolean) {
    this.#kysely = kysely
    this.dialect = dialect
    this.#isLetGo = isLetGo
  }

  /** All who use the instance take turns, as with SQLite and PGlite. */
  get hasOneConnection(): boolean {
    return this.#kysely.getExecutor().adapter.supportsMultipleConnections === false
  }

  /** Runs SQL in the database's own words, with values as its drivers take them. */
  async run(sql: string, parameters: readonly unknown[] = []): Promise<Answer> {
    if (this.#isLetGo()) throw new StoreError('fatal', 'the store was closed')
    const { rows, numAffectedRows, insertId } = await this.#kysely.executeQuery<Record<string, unknown>>(
      CompiledQuery.raw(sql, [...parameters]),
    )
    return { rows, changes: Number(numAffectedRows ?? rows.length), insertId }
  }

  /** Runs SQL of ours, in which `?` stands for a parameter whatever the database. */
  own(sql: string, parameters: readonly unknown[] = []): Promise<Answer> {
    let index = 0
    return this.run(
      sql.replaceAll('?', () => this.dialect.parameter(++index)),
      parameters,
    )
  }

  /** Runs `work` with one connection for all its statements. */
  pinned<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#kysely
      .connection()
      .execute((connection) => work(new Session(connection, this.dialect, this.#isLetGo)))
  }

  /** The driver begins and ends it, so that it knows: some lock out their other users meanwhile. */
  async begin(isolation?: 'read committed'): Promise<Transaction> {
    const builder = this.#kysely.startTransaction()
    const begun = await (isolation === undefined ? builder : builder.setIsolationLevel(isolation)).execute()
    return new Transaction(begun, new Session(begun, this.dialect, this.#isLetGo))
  }

  /** Commits what `work` did, or nothing. */
  async transact<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const transaction = await this.begin(this.dialect.isolation)
    try {
      const result = await work(transaction.session)
      await transaction.commit()
      return result
    } catch (error) {
      await transaction.rollback()
      throw error
    }
  }
}

export class Transaction implements SqlTransaction {
  readonly session: Session
  readonly #transaction: ControlledTransaction<object>
  #hasEnded = false

  constructor(transaction: ControlledTransaction<object>, session: Session) {
    this.#transaction = transaction
    this.session = session
  }

  /** When it fails the transaction may still be open, so that it can be looked into: roll it back. */
  async commit(): Promise<void> {
    await this.#transaction.commit().execute()
    this.#hasEnded = true
  }

  /** Never fails: what cannot be rolled back has ended already, or ends with its connection. */
  async rollback(): Promise<void> {
    if (this.#hasEnded) return
    this.#hasEnded = true
    await this.#transaction
      .rollback()
      .execute()
      .catch(() => undefined)
  }
}
