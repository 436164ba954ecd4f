/**
 * A row by its key, with the operations laid over it that this engine has accepted and not yet committed.
 *
 * Owns: the decision to show at once or to wait.
 * Keeps: law 6 (what is shown is the row of one snapshot, and on it exactly the operations that this snapshot does
 * not hold: a later read never shows an older committed state), law 10 (a snapshot behind what is known to be
 * committed stops the engine).
 *
 *   call ──▶ capture ──▶ snapshot: row and tidemark ──▶ fold what is captured and above the tidemark ──▶ row
 *               │ opaque operations, no proof of the key      │ no proof of the outcome
 *               └──▶ wait for the commit of all captured ◀────┘
 *
 * What it must not do, for each of these can show an old value after a new one: capture after the snapshot is asked
 * for (an operation that commits in between is in neither), fold without comparing with the snapshot's own tidemark
 * (what others wrote meanwhile is overwritten), or fold on a row that was folded before (a rejected operation would
 * stay). A change of the tables by another connection is noticed by the next commit: until then operations are folded
 * by the declarations as they were.
 *
 * Hot: where the store answers at once no promise is made here. `npm run bench -- reads` measures it.
 */
import type { Seq } from '../contracts/position.ts'
import type { RowKey } from '../contracts/processor.ts'
import type { OpenedStore, QueryResult, SqlQuery } from '../contracts/store.ts'
import type { Value } from '../contracts/values.ts'
import type { TidemarkError } from '../errors.ts'
import type { WriteEngine } from '../writes/engine.ts'
import type { PendingTable } from '../writes/pending-table.ts'
import type { PinHolder, PinnedRow } from '../writes/pins.ts'
import { rowForm, type RowForm } from '../writes/row-key.ts'
import type { Deadline } from './deadline.ts'
import { fold, unproven, type FoldRequest, type Row } from './fold.ts'
import { invalidKey, RowQuery } from './row-query.ts'

export interface OverlayRow {
  readonly row: Row | undefined
  /** It shows operations that are not committed yet; one of them may still be rejected. */
  readonly pending: boolean
  /** The highest position that it holds. */
  readonly seen: Seq
}

/** One `get`, as it was when it was called. */
interface Request extends FoldRequest {
  readonly rows: RowQuery
  readonly query: SqlQuery
  /** The last of the operations. */
  readonly last: Seq
}

const none = 0 as Seq

export class Overlay {
  /** Reads that waited for no commit. */
  hits = 0
  /** Reads that did. */
  waits = 0
  readonly #engine: WriteEngine
  readonly #store: OpenedStore
  readonly #rows = new WeakMap<PendingTable, RowQuery>()

  constructor(engine: WriteEngine, store: OpenedStore) {
    this.#engine = engine
    this.#store = store
  }

  /**
   * @returns the row itself where the store answers at once and nothing has to be waited for
   * @throws TidemarkError `UNKNOWN_TABLE`, `UNKNOWN_COLUMN`, `MISSING_KEY`, `INVALID_CALL`, `UNBINDABLE_VALUE`;
   *   StaleReadError; EngineStoppedError
   */
  get(name: string, key: RowKey, deadline: Deadline): OverlayRow | Promise<OverlayRow> {
    const { committer } = this.#engine
    const rows = this.rowsOf(name)
    const values = rows.encode(key)
    const { table } = rows
    const form = formOf(rows, values)
    const operations = form === undefined ? [] : table.operationsOn(form)
    const request: Request = {
      rows,
      query: rows.query(values),
      table: table.schema,
      operations,
      last: operations.at(-1)?.seq ?? none,
      makesKeysUpTo: table.makesKeysUpTo,
    }
    const needed = this.#needed(table, request, form !== undefined)
    const known = committer.tidemark
    if (needed > known) return this.#afterCommit(request, needed, deadline)
    const answer = this.#store.query(request.query, deadline, 'here')
    if (answer instanceof Promise) return this.#whenRead(request, known, answer, deadline)
    return this.#finish(request, known, answer) ?? this.#afterCommit(request, everythingOf(request), deadline)
  }

  /**
   * The operations that name this row, and for how long the oldest of them has been waiting, or undefined.
   * Statements and transactions, of which nobody can tell whether they change it, are not among them.
   *
   * @throws TidemarkError as `get`
   */
  pending(name: string, key: RowKey): { operations: number; oldestMs: number } | undefined {
    const rows = this.rowsOf(name)
    const form = formOf(rows, rows.encode(key))
    const operations = form === undefined ? [] : rows.table.operationsOn(form)
    const [oldest] = operations
    if (oldest === undefined) return undefined
    return { operations: operations.length, oldestMs: this.#engine.waitedMs(oldest.batch) }
  }

  /** Who holds the row in memory, and how it is there. @throws TidemarkError as `get` */
  held(name: string, key: RowKey): { readonly holder: PinHolder; readonly row: PinnedRow } | undefined {
    const { pins } = this.#engine
    if (!pins.hasAnyOf(name)) return undefined
    const rows = this.rowsOf(name)
    const values = rows.encode(key)
    const holder = pins.holderOf(rows.table.schema, values)
    const row = holder?.look(name, values)
    return holder && row ? { holder, row } : undefined
  }

  /** How far the snapshot must be, for the row to be known in it together with what was captured. */
  #needed(table: PendingTable, { last }: Request, isProven: boolean): Seq {
    const { pending, queue } = this.#engine
    const { standsAlone = false, isFoldable = false } = table.schema
    const opaque = pending.opaqueUpTo(table)
    if (isProven && isFoldable) return opaque
    // Of a row that writes to others may change, and of one whose key is not proven, only the whole line tells.
    const others = isProven && standsAlone ? last : queue.operations > 0 ? queue.last : none
    return others > opaque ? others : opaque
  }

  async #whenRead(
    request: Request,
    known: Seq,
    answer: Promise<QueryResult>,
    deadline: Deadline,
  ): Promise<OverlayRow> {
    const result = await deadline.wait(
      { done: answer, cancel: () => undefined },
      () => 'the row was not read',
    )
    return this.#finish(request, known, result) ?? this.#afterCommit(request, everythingOf(request), deadline)
  }

  async #afterCommit(request: Request, needed: Seq, deadline: Deadline): Promise<OverlayRow> {
    const { committer } = this.#engine
    this.waits++
    for (let upTo = needed; ; upTo = everythingOf(request)) {
      await deadline.wait(
        committer.reached(upTo),
        () => `this engine had committed ${committer.tidemark} of ${upTo}`,
      )
      const known = committer.tidemark
      const answer = Promise.resolve(this.#store.query(request.query, deadline, 'here'))
      const result = await deadline.wait(
        { done: answer, cancel: () => undefined },
        () => 'the row was not read',
      )
      const found = this.#found(request, known, result)
      if (found) return found
    }
  }

  #finish(request: Request, known: Seq, result: QueryResult): OverlayRow | undefined {
    const found = this.#found(request, known, result)
    if (found !== undefined) this.hits++
    return found
  }

  /** @returns undefined when only the commit can tell */
  #found(request: Request, known: Seq, { rows }: QueryResult): OverlayRow | undefined {
    const committed = request.rows.read(rows)
    if (committed === undefined) throw this.#engine.lostHistory({ watermark: none, exists: false }, known)
    const { tidemark } = committed
    if (tidemark < known) throw this.#engine.lostHistory({ watermark: tidemark, exists: true }, known)
    const row = fold(request, committed.row, tidemark)
    if (row === unproven) return undefined
    const pending = request.last > tidemark
    // The tables have changed meanwhile, or the engine has stopped and nothing is pending any more.
    if (pending && this.#engine.pending.table(request.table.name) !== request.rows.table) return undefined
    return { row, pending, seen: pending ? request.last : tidemark }
  }

  /**
   * How a table's rows are found.
   *
   * @throws TidemarkError `UNKNOWN_TABLE`, `MISSING_KEY`
   */
  rowsOf(name: string): RowQuery {
    const table = this.#engine.pending.table(name)
    if (table === undefined) throw this.#unknownTable(name)
    const known = this.#rows.get(table)
    if (known) return known
    if (table.keyColumns.length === 0)
      throw invalidKey(
        'MISSING_KEY',
        `table "${name}" has no primary key to find a row by.`,
        'Read it with `db.read()`.',
      )
    const made = new RowQuery(table, this.#store.dialect, this.#store.epoch)
    this.#rows.set(table, made)
    return made
  }

  #unknownTable(name: string): TidemarkError {
    const tables = [...this.#engine.schema.tables.keys()].join(', ') || 'none'
    return invalidKey(
      'UNKNOWN_TABLE',
      `no table "${name}" (tables: ${tables}).`,
      'If it was created just now, call `db.reloadSchema()`.',
    )
  }
}

/** @returns undefined where it is not proven; no part of a key that was asked for is NULL */
function formOf({ table, offsets }: RowQuery, values: readonly Value[]): RowForm | undefined {
  return rowForm(table.keyColumns, values, 0, offsets) ?? undefined
}

/** In a snapshot that holds this much, nothing is left to fold, and no row can appear. */
function everythingOf({ last, makesKeysUpTo }: Request): Seq {
  return last > makesKeysUpTo ? last : makesKeysUpTo
}
