/** What the code that all SQL stores share asks of a database, and of a connection to it. */
import type { Dialect } from '../contracts/store.ts'
import type { Value } from '../contracts/values.ts'
import type { StoreFailure } from '../errors.ts'

/** What a statement left behind. */
export interface Answer {
  readonly rows: readonly Record<string, unknown>[]
  readonly changes: number
  readonly insertId: bigint | undefined
}

export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** Where a statement runs: one connection, or any of several. */
export interface SqlSession {
  readonly dialect: SharedDialect
  /** Runs SQL in the database's own words, with values as its drivers take them. */
  run(sql: string, parameters?: readonly unknown[]): Promise<Answer>
  /** Runs SQL of ours, in which `?` stands for a parameter whatever the database. */
  own(sql: string, parameters?: readonly unknown[]): Promise<Answer>
  /** Runs `work` with one connection for all its statements. */
  pinned<T>(work: (session: SqlSession) => Promise<T>): Promise<T>
  /** Commits what `work` did, or nothing. */
  transact<T>(work: (session: SqlSession) => Promise<T>): Promise<T>
}

/** A transaction that is open on a connection of its own. */
export interface SqlTransaction {
  readonly session: SqlSession
  commit(): Promise<void>
  /** Never fails: what cannot be rolled back has ended already, or ends with its connection. */
  rollback(): Promise<void>
}

export interface Failure {
  readonly failure: Exclude<StoreFailure, 'chain'>
  /** The database's own code: `SQLITE_BUSY`, `23505`, `ER_DUP_ENTRY`; or the operating system's. */
  readonly code: string
  /** It is a constraint that was violated. */
  readonly isViolation: boolean
  readonly hint?: string
}

export interface SharedDialect {
  readonly name: Dialect
  /** The codes of refusals by us that are like some of the database's own. */
  readonly codes: { readonly denied: string; readonly syntax: string; readonly readOnly: string }
  /** CREATE, ALTER and DROP end the transaction they stand in. */
  readonly schemaChangesCommit: boolean
  /** The statements that make the bookkeeping tables. */
  readonly tables: readonly string[]

  /** What an error of a driver means. */
  classify(error: unknown): Failure
  /** A statement of the user's own as the drivers take it. @throws StoreError when its values do not fit it */
  statement(sql: string, values: readonly Value[]): Statement
  /** What stands behind an INSERT so that `idsOf` can tell the generated ids. */
  returning(id: string): string
  /** The ids that an INSERT of `rows` rows made, in their order; none where they are not known. */
  idsOf(answer: Answer, id: string, rows: number): readonly bigint[]

  hasTable(session: SqlSession, name: string): Promise<boolean>
  /** Runs `work` while nobody else makes the bookkeeping tables. */
  whileMakingTables(pinned: SqlSession, work: (session: SqlSession) => Promise<void>): Promise<void>
  /** Runs `locked` with the epoch's row locked, without waiting. @returns false when somebody holds it */
  lockEpochAtOnce(
    pinned: SqlSession,
    epoch: number,
    locked: (session: SqlSession) => Promise<void>,
  ): Promise<boolean>
}
