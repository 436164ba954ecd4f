/** The read calls of an engine and of its sessions, over the gate, the overlay and the processors. */
import type { Kysely } from 'kysely'
import type { Position } from '../contracts/position.ts'
import type { RowKey } from '../contracts/processor.ts'
import type { Runtime } from '../contracts/runtime.ts'
import type { Dialect, OpenedStore, QueryResult, SqlQuery } from '../contracts/store.ts'
import type { WriteEngine } from '../writes/engine.ts'
import { readQuery, type WriteQuery } from '../writes/statement.ts'
import type { Bookmarks } from './bookmark.ts'
import { Changes } from './changes.ts'
import { Gate } from './gate.ts'
import { encodeQuery, kyselyOver } from './kysely.ts'
import { ReadMetrics, type ReadStats } from './metrics.ts'
import { OtherWriters } from './other-writers.ts'
import { Overlay } from './overlay.ts'
import { Processors } from './processors.ts'
import {
  parseRead,
  parseWait,
  type Consistency,
  type ReadDefaults,
  type ReadOptions,
  type ReadPlan,
  type TableKey,
  type WaitOptions,
} from './read-options.ts'
import { ReplicaReads } from './replica-reads.ts'
import { SessionState, type SessionOptions } from './session.ts'

/** A query that gives rows of type `R`. */
export type ReadQuery<R> =
  | {
      compile(): { readonly sql: string; readonly parameters: readonly unknown[]; readonly query?: unknown }
      execute(): Promise<R[]>
    }
  | WriteQuery

export interface QueryOptions extends ReadOptions {
  /** Rows as arrays of values in the order of the columns. Default false. */
  readonly asArrays?: boolean
}

/** What a query found, and how fresh it is. */
export interface ReadReport<R> {
  readonly rows: R[]
  /** Everything up to these positions is in the rows: of each writer whose epoch is open, and of those waited for. */
  readonly seen: readonly Position[]
  readonly waitedMs: number
  /** Of the `keys` named, those for which something was under way when the rows were there. */
  readonly pending: readonly (PendingRow & { readonly table: string; readonly key: RowKey })[]
}

export interface PendingRow {
  /** Accepted by this engine and not yet committed. */
  readonly operations: number
  /** Since when the oldest of them waits, in ms. */
  readonly oldestMs: number
  /** Names of the processors that have work for the row. */
  readonly processors: readonly string[]
}

/** A row as `get` found it. */
export interface FoundRow<Row> {
  readonly row: Row | undefined
  /** It shows operations that are accepted and not yet committed; one of them may still be rejected. */
  readonly pending: boolean
}

/** What all readers of an engine share. */
export interface Reads {
  readonly reader: Reader
  readonly processors: Processors
  readonly changes: Changes
  readonly overlay: Overlay
  readonly others: OtherWriters
  newSession(options: SessionOptions): SessionState
  readerOf(session: SessionState): Reader
  catchUp(session: SessionState, options: WaitOptions): Promise<void>
  stats(): ReadStats
}

export function openReads(
  engine: WriteEngine,
  store: OpenedStore,
  runtime: Runtime,
  bookmarks: Bookmarks,
  defaults: ReadDefaults,
): Reads {
  const others = new OtherWriters(store, runtime, (found, known) => engine.lostHistory(found, known))
  const processors = new Processors(runtime)
  const metrics = new ReadMetrics(engine.events)
  const overlay = new Overlay(engine, store)
  const copies = new ReplicaReads(store, others)
  const gate = new Gate({ engine, store, runtime, bookmarks, others, copies, processors, metrics })
  const parts: ReaderParts = { engine, dialect: store.dialect, gate, overlay, processors, copies }
  // Never less than a session promises.
  const sessionLevel = defaults.consistency === 'strong' ? 'strong' : 'readAfterWrite'
  return {
    reader: new Reader(parts, defaults, undefined),
    processors,
    changes: new Changes(engine),
    overlay,
    others,
    newSession: (options) => new SessionState(engine, bookmarks, others, options),
    readerOf: (session) => new Reader(parts, { ...defaults, consistency: sessionLevel }, session),
    catchUp: (session, options) => gate.catchUp(session, parseWait(options, defaults)),
    stats: () => metrics.stats(overlay, copies),
  }
}

interface ReaderParts {
  readonly engine: WriteEngine
  readonly dialect: Dialect
  readonly gate: Gate
  readonly overlay: Overlay
  readonly processors: Processors
  readonly copies: ReplicaReads
}

export class Reader {
  readonly #parts: ReaderParts
  readonly #defaults: ReadDefaults
  readonly #session: SessionState | undefined
  /** One a level serves all reads of it. */
  readonly #kyselys = new Map<Consistency, Kysely<unknown>>()

  constructor(parts: ReaderParts, defaults: ReadDefaults, session: SessionState | undefined) {
    this.#parts = parts
    this.#defaults = defaults
    this.#session = session
  }

  get dialect(): Dialect {
    return this.#parts.dialect
  }

  kysely<DB>(options: Consistency | ReadOptions | undefined): Kysely<DB> {
    if (typeof options === 'object') return this.#newKysely<DB>(options)
    const level = options ?? this.#defaults.consistency
    const known = this.#kyselys.get(level) ?? this.#newKysely(level)
    this.#kyselys.set(level, known)
    // What the tables are is the caller's claim.
    return known as Kysely<DB>
  }

  #newKysely<DB>(options: Consistency | ReadOptions): Kysely<DB> {
    const { gate, dialect } = this.#parts
    const plan = this.#plan(options)
    return kyselyOver<DB>(
      (query) => gate.query(query, plan, this.#session),
      dialect,
      'Use `db.transaction()`.',
    )
  }

  /** For the drop-in: one query at the level of these readers. */
  run(query: SqlQuery): Promise<QueryResult> {
    return this.#parts.gate.query(query, this.#plan(undefined), this.#session)
  }

  /** For the drop-in, whose writes wait where others are refused. */
  whenRoom(): Promise<void> {
    return this.#parts.engine.whenRoom()
  }

  async query<R>(query: ReadQuery<R>, options: Consistency | QueryOptions = {}): Promise<ReadReport<R>> {
    const { asArrays = false, ...given }: QueryOptions =
      typeof options === 'string' ? { consistency: options } : options
    const plan = this.#plan(given)
    const sql: SqlQuery = { ...encodeQuery(readQuery(query), this.dialect), asArrays }
    const { result, seen, waitedMs } = await this.#parts.gate.see(sql, plan, this.#session)
    // What the columns are is the caller's claim, made with the type of the query.
    return { rows: result.rows as R[], seen, waitedMs, pending: this.#stillPending(plan.keys) }
  }

  async get(
    table: string,
    key: RowKey,
    options: WaitOptions = {},
  ): Promise<FoundRow<Record<string, unknown>>> {
    const { engine, gate, overlay } = this.#parts
    const session = this.#session
    return await gate.measured('get', parseWait(options, this.#defaults), async (deadline) => {
      if (session) {
        await gate.followOthers(session, deadline)
        session.requireNoRejections()
        // What an engine that stopped had pending is pending no more, and will not be there.
        if (engine.refusal && (session.marks.get(engine.epoch) ?? 0) > engine.committer.tidemark)
          throw engine.refusal
      }
      const held = overlay.held(table, key)
      if (held && (!session || held.row.isSaved)) {
        overlay.hits++
        return { row: held.row.row && { ...held.row.row }, pending: !held.row.isSaved }
      }
      // What a session is shown must be in what it reads later, and a change has no position before it is committed.
      if (held) {
        const done = held.holder.flush().catch(() => undefined)
        await deadline.wait({ done, cancel: () => undefined }, () => 'a live scope was not committed')
      }
      const answer = overlay.get(table, key, deadline)
      const { row, pending, seen } = answer instanceof Promise ? await answer : answer
      if (session) await gate.sawPrimary(session, engine.position(seen), deadline)
      return { row, pending }
    })
  }

  pending(table: string, key: RowKey): PendingRow | undefined {
    const { engine, overlay, processors } = this.#parts
    engine.requireOpen()
    const own = overlay.pending(table, key)
    const changedMs = overlay.held(table, key)?.row.changedForMs
    const busy = processors.pendingNames(table, key)
    if (!own && changedMs === undefined && busy.length === 0) return undefined
    // What has changed in a scope since it was last handed over becomes one operation.
    const operations = (own?.operations ?? 0) + (changedMs === undefined ? 0 : 1)
    return { operations, oldestMs: own?.oldestMs ?? changedMs ?? 0, processors: busy }
  }

  #plan(options: Consistency | ReadOptions | undefined): ReadPlan {
    const { overlay, processors, copies } = this.#parts
    const plan = parseRead(options, this.#defaults)
    if (plan.from === 'replica') copies.require()
    // Keys that name no row would be waited for by nobody.
    for (const [table, key] of plan.keys) overlay.pending(table, key)
    processors.require(plan.processors ?? [], plan.level !== 'eventual')
    return plan
  }

  #stillPending(keys: readonly TableKey[]): ReadReport<never>['pending'] {
    return keys.flatMap(([table, key]) => {
      const pending = this.pending(table, key)
      return pending ? [{ table, key, ...pending }] : []
    })
  }
}
