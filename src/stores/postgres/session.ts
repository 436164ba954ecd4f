/** A connection for the code that SQL stores share: one statement after another, and transactions. */
import type { Value } from '../../contracts/values.ts'
import { StoreError } from '../../errors.ts'
import type { Answer, SqlSession, SqlTransaction } from '../../sql/dialect.ts'
import { withParameters } from '../../sql/text.ts'
import { asStoreError } from './classify.ts'
import type { Connection, WireAnswer } from './connection.ts'
import { postgresDialect } from './dialect.ts'
import { textOf } from './values.ts'

export const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE'

export class Session implements SqlSession {
  readonly dialect: typeof postgresDialect = postgresDialect
  readonly connection: Connection

  constructor(connection: Connection) {
    this.connection = connection
  }

  async run(sql: string, parameters: readonly unknown[] = []): Promise<Answer> {
    const texts = parameters.map((value) => textOf(value as Value))
    const { rows, count } = await this.connection.query({ sql, parameters: texts })
    return { rows, changes: count, insertId: undefined }
  }

  own(sql: string, parameters: readonly unknown[] = []): Promise<Answer> {
    return this.run(withParameters(sql, 'postgres'), parameters)
  }

  pinned<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return work(this)
  }

  async transact<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const transaction = new Transaction(this.connection)
    try {
      await this.run(begin)
      const result = await work(this)
      await transaction.commit()
      return result
    } catch (error) {
      await transaction.rollback()
      throw error
    }
  }
}

/** One that was begun on this connection. */
export class Transaction implements SqlTransaction {
  readonly session: Session
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
    this.session = new Session(connection)
  }

  async commit(): Promise<void> {
    let answer: WireAnswer
    try {
      answer = await this.#connection.query({ sql: 'COMMIT' })
    } catch (error) {
      throw asStoreError(error, 'unknown')
    }
    requireCommitted(answer)
  }

  async rollback(): Promise<void> {
    if (this.#connection.isLost || !this.#connection.isInTransaction) return
    await this.#connection.query({ sql: 'ROLLBACK' }).catch(() => undefined)
  }
}

/** A transaction in which something failed is ended by COMMIT without an error: only what the server says it did tells. */
export function requireCommitted({ command }: WireAnswer): void {
  if (command !== 'COMMIT') throw new StoreError('chain', `the server answered COMMIT with ${command}`)
}
