/**
 * What differs between the databases behind a Kysely instance. The shared code asks these and never which
 * database it is.
 */
import type { UpsertShape } from '../../contracts/operation.ts'
import type { ColumnSchema, Schema } from '../../contracts/schema.ts'
import type { Value } from '../../contracts/values.ts'
import type { SharedDialect, Statement } from '../../sql/dialect.ts'
import type { Session } from './session.ts'

export interface SqlDialect extends SharedDialect, Wording, Ways, Catalog, Locking {}

/** How things are said. */
interface Wording {
  /** How its drivers are told to give integers over 2^53 as they are. */
  readonly exactHint: string

  quote(name: string): string
  /** How the `index`-th parameter (from 1) of a statement is written. */
  parameter(index: number): string
  /** A value as the drivers of this database take it. */
  bind(value: Value, column?: ColumnSchema): unknown
  /** What stands behind an INSERT to make it an upsert; undefined where it takes an update and an insert. */
  upsertClause(shape: UpsertShape, traits: TableTraits | undefined): string | undefined
}

/** How the database behaves. */
interface Ways {
  readonly maxParameters: number
  /** A statement of many rows applies them in order, also where two meet on one key. */
  readonly setsApplyInOrder: boolean
  readonly isolation: 'read committed' | undefined
  /** What stands around an INSERT that gives 0 as an id which would be made up otherwise. */
  readonly keepsZero: { readonly begin: string; readonly end: string } | undefined
}

/** What must be known of a table beyond its columns. */
export interface TableTraits {
  /**
   * One statement of many rows does what as many statements do: no triggers or rules, no reference to itself
   * that one row could satisfy for another.
   */
  readonly isPlain: boolean
  /** A constraint that this database checks at COMMIT only may be at stake. */
  readonly isDeferred: boolean
  /** A row may meet another by a unique key that is not the primary one. */
  readonly hasOtherKeys: boolean
}

export interface DatabaseSchema extends Schema {
  readonly traits: ReadonlyMap<string, TableTraits>
  /**
   * Constraints that wait for COMMIT. `apart`: nothing judges them before, so each operation that could meet one
   * needs a transaction of its own. Otherwise statements that have them judged now, and wait again.
   */
  readonly deferred: 'none' | 'apart' | { readonly judge: string; readonly wait: string }
}

/** What is there. */
interface Catalog {
  readSchema(session: Session): Promise<DatabaseSchema>
  /** What changes with the tables, where it can be had for nothing. */
  schemaVersion(session: Session): Promise<string | undefined>
  /** @throws NotSupportedError when driver or server are set up so that what they tell, or keep, would be wrong */
  checkDriver(session: Session): Promise<void>
  /** The query so that no column is lost that shares its name: each has one of its own, or rows are arrays. */
  namedApart(session: Session, query: Statement): Promise<Statement>
  /** Rows of a table whose constraint COMMIT refused, where the transaction is still there to be looked into. */
  violators(session: Session, table: string): Promise<readonly number[]>
}

/** Who waits for whom. */
interface Locking {
  /** Inside a transaction: waits until whoever holds the epoch's row, or the database, has let go of it. */
  lockEpoch(session: Session, epoch: number): Promise<void>
  /** Runs `read` in one snapshot in which nothing can be written. */
  readOnly<T>(pinned: Session, read: (session: Session) => Promise<T>): Promise<T>
  /** Makes all that is committed survive a power loss. `touch` is a write that changes nothing. */
  sync(pinned: Session, touch: (session: Session) => Promise<void>): Promise<void>
}
