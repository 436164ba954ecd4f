import type { Seq } from './position.ts'
import type { Value } from './values.ts'

/** What operations of one run have in common. Equal shapes are one object, so `===` compares them. */
export type Shape = InsertShape | UpsertShape | UpdateShape | DeleteShape | StatementShape

interface TableShape {
  readonly table: string
  /** Identifies the shape, for caches of what a store prepares for it. */
  readonly key: string
  /** How many values one operation of this shape has. */
  readonly width: number
}

/** Values: one a column. */
export interface InsertShape extends TableShape {
  readonly kind: 'insert'
  readonly columns: readonly string[]
}

/** Values: one a column; a row with the same key is updated in the columns given. */
export interface UpsertShape extends TableShape {
  readonly kind: 'upsert'
  readonly columns: readonly string[]
  readonly keyColumns: readonly string[]
}

/** Values: those of `set`, then those of `where`. A `where` value may be null, which matches null. */
export interface UpdateShape extends TableShape {
  readonly kind: 'update'
  readonly set: readonly string[]
  readonly where: readonly string[]
  /** The number of rows it must change; otherwise it is rejected and changes nothing. */
  readonly expect: number | undefined
}

export interface DeleteShape extends TableShape {
  readonly kind: 'delete'
  readonly where: readonly string[]
  readonly expect: number | undefined
}

/** One data-changing SQL statement. */
export interface StatementShape {
  readonly kind: 'statement'
  readonly key: string
  readonly sql: string
  readonly width: number
  readonly expect: number | undefined
}

/** Consecutive operations of one shape. A store applies them in order, also where they meet on one key. */
export interface Run {
  readonly kind: 'run'
  readonly shape: Shape
  /** How many operations. Outside a group each has a position of its own. */
  count: number
  /** The values' size in bytes, a character counted as two. */
  bytes: number
  /** `count × shape.width` values, flat. */
  readonly values: Value[]
}

/** An atomic group: one operation, one position, all or nothing. */
export interface Group {
  readonly kind: 'group'
  readonly runs: readonly Run[]
  /** Set when the group redrives a dead letter: rejected again, it goes back to that letter. */
  readonly redrives: DeadLetterId | undefined
  /** Set when whoever wrote it learns of its rejection and does better by himself: then it leaves no dead letter. */
  readonly leavesNoLetter?: boolean
}

/**
 * Rows that stand alone, and the checkpoint that says how far their source was read. All are applied in one
 * transaction; a bad row is rejected by itself.
 */
export interface Load {
  readonly kind: 'load'
  /** One a row and one a letter, in this order; a checkpoint alone has one too. */
  readonly positions: number
  readonly runs: readonly Run[]
  readonly letters: readonly UnreadableInput[]
  readonly checkpoint: Checkpoint | undefined
}

export type Step = Run | Group | Load

/** How far a source has been read: committed with the rows read from it. */
export interface Checkpoint {
  readonly source: string
  /** JSON text. */
  readonly value: string
}

/** Input that never became an operation, kept as a dead letter so that nothing is dropped unseen. */
export interface UnreadableInput {
  readonly table: string
  /** The input as it was read, or its beginning. */
  readonly text: string
  readonly error: string
}

export type DeadLetterId = number & { readonly __brand: 'DeadLetterId' }

/** An operation that the store refused for good. It is in the dead letters, in the same transaction. */
export interface Rejection {
  readonly seq: Seq
  readonly table: string | undefined
  /** The store's own code, such as `SQLITE_CONSTRAINT_UNIQUE`, or ours, such as `EXPECTATION_FAILED`. */
  readonly code: string
  readonly message: string
  /** `noLetter` for a group that leaves none. */
  readonly deadLetter: DeadLetterId
}
