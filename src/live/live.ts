/**
 * All live scopes of an engine.
 *
 * Owns: which scopes are in memory, and who has to leave when memory is full.
 * Keeps: law 6 (a row is pinned before it is read: whatever is written beside its scope from then on is refused, and the
 * overlay shows what memory has), law 7 (rows and bytes are bounded; only a scope that is saved is evicted), law 9
 * (`close` hands over everything).
 *
 *   live() ──take the claim, pin, read the rows──▶ open ──close, eviction──▶ ended ──let the claim go──▶ gone
 */
import type { RowKey } from '../contracts/processor.ts'
import type { Runtime } from '../contracts/runtime.ts'
import type { Schema } from '../contracts/schema.ts'
import type { OpenedStore } from '../contracts/store.ts'
import type { Value } from '../contracts/values.ts'
import { EngineStoppedError, NotSupportedError, type TidemarkError } from '../errors.ts'
import { Deadline, type WaitLimits } from '../reads/deadline.ts'
import type { Row } from '../reads/fold.ts'
import type { OtherWriters } from '../reads/other-writers.ts'
import type { Overlay } from '../reads/overlay.ts'
import { jsonOf } from '../row-json.ts'
import type { EncodedEffect } from '../segments.ts'
import type { WriteEngine } from '../writes/engine.ts'
import type { Outcome } from '../writes/receipt.ts'
import { ShapeBook } from '../writes/shapes.ts'
import { storedValue } from '../writes/stored-value.ts'
import type { ChangedRuns } from './changed-runs.ts'
import { Claims, type ClaimedName, type ClaimsParts } from './claims.ts'
import { RowEncoder, type EncodedRow } from './encoder.ts'
import { HandOvers } from './hand-overs.ts'
import { readRows } from './load.ts'
import {
  planTables,
  replanned,
  withTables,
  type ChildColumns,
  type PlannedTable,
  type TableOf,
} from './plan.ts'
import { peekedFrom, type Peeked } from './peeked.ts'
import { pin, unpin } from './pinning.ts'
import { Room, type RoomLimits } from './room.ts'
import { RowSet } from './row-set.ts'
import { Scope, type ScopeKeeper } from './scope.ts'
import { Turns } from './turns.ts'

export interface LiveParts extends Pick<ClaimsParts, 'ask'> {
  readonly engine: WriteEngine
  readonly store: OpenedStore
  readonly runtime: Runtime
  readonly overlay: Overlay
  readonly others: OtherWriters
  readonly limits: RoomLimits
  /** How long changes gather before they are handed over. */
  readonly lingerMs: number
}

/** Scopes, now and since the engine was opened. */
export interface LiveStats {
  /** In memory. */
  readonly scopes: number
  readonly rows: number
  /** About what the rows take. */
  readonly bytes: number
  /** Of the scopes, those with changes that are not committed. */
  readonly unsaved: number
  /** How often a row was changed. */
  readonly changes: number
  /** The operations that came of it. */
  readonly written: number
  readonly evicted: number
  /** Groups of changes that were rejected. */
  readonly rejected: number
}

const perLetGo = 1_000
/** Scopes that are read in one turn of the event loop: about two milliseconds. */
const readsPerTurn = 32

export class Live implements ScopeKeeper {
  readonly #encoder: RowEncoder
  #schema: Schema
  readonly #parts: LiveParts
  readonly #claims: Claims
  readonly #handOvers: HandOvers
  readonly #scopes = new Map<string, Scope>()
  readonly #opening = new Map<string, Promise<Scope>>()
  /** Claims that are being let go. */
  readonly #leaving = new Map<string, Promise<unknown>>()
  readonly #reads: Turns
  #book: ShapeBook | undefined
  readonly #room: Room
  readonly #tableOf: TableOf = (name) => this.#parts.overlay.rowsOf(name).table.schema
  #changes = 0
  #written = 0
  #evicted = 0
  #rejected = 0

  constructor(parts: LiveParts) {
    const { engine, runtime, limits, lingerMs } = parts
    this.#parts = parts
    this.#encoder = new RowEncoder(engine)
    this.#schema = engine.schema
    this.#reads = new Turns(runtime, readsPerTurn)
    this.#room = new Room(limits, this.#scopes, (scope) => this.#evict(scope))
    this.#handOvers = new HandOvers(engine, runtime, lingerMs)
    this.#claims = new Claims({
      ...parts,
      unsavedSinceMs: () => this.#handOvers.unsavedSinceMs(),
    })
  }

  /**
   * The scope in memory, or the rows read into it.
   *
   * @throws TidemarkError `LIVE_HELD`, `LIVE_FULL`, and as the options say
   */
  async open(table: string, key: RowKey, children: ChildColumns, limits: WaitLimits): Promise<Scope> {
    const { engine, runtime } = this.#parts
    if (engine.refusal !== undefined) throw engine.refusal
    const scope = this.#plan(table, key, children)
    const known = this.#scopes.get(scope.name)
    if (known) return withTables(known, scope)
    const opening = this.#opening.get(scope.name) ?? this.#open(scope, new Deadline(runtime, limits))
    return withTables(await opening, scope)
  }

  async peek(table: string, key: RowKey, children: ChildColumns): Promise<Peeked> {
    const { engine, store, runtime } = this.#parts
    engine.requireOpen()
    const asked = this.#plan(table, key, children)
    const scope = this.#scopes.get(asked.name)
    if (scope?.isOpen) return peekedFrom(withTables(scope, asked))
    // First who holds it: what that one says it has saved is in what is read afterwards.
    const holder = await this.#claims.holder(claimOf(asked))
    asked.load(await this.#read(asked))
    const isElsewhere = holder !== undefined && !holder.isGone && holder.epoch !== store.epoch
    const behindMs = runtime.wallMs() - (holder?.savedUpToMs ?? 0)
    const lagMs = isElsewhere ? Math.max(0, behindMs) : 0
    // What another engine has in memory may not be committed: nobody here can say.
    return { ...peekedFrom(asked), from: 'database', isSaved: !isElsewhere, lagMs }
  }

  stats(): LiveStats {
    return {
      scopes: this.#scopes.size,
      rows: this.#room.rows,
      bytes: this.#room.bytes,
      unsaved: this.#handOvers.unsaved.size,
      changes: this.#changes,
      written: this.#written,
      evicted: this.#evicted,
      rejected: this.#rejected,
    }
  }

  /** It holds something, or did. */
  get isAtWork(): boolean {
    return this.#claims.wereMade
  }

  /** All that has changed is committed, or `timeoutMs` is over; then nothing is held any more. */
  async stop(timeoutMs: number): Promise<void> {
    const { runtime } = this.#parts
    const over = Promise.withResolvers<void>()
    const timer = runtime.after(timeoutMs, over.resolve)
    try {
      await Promise.race([this.#handOvers.settle(), over.promise])
      const scopes = [...this.#scopes.values()]
      for (const scope of scopes) this.#end(scope, 'the engine is closed')
      for (let from = 0; from < scopes.length; from += perLetGo)
        await Promise.race([this.#letGo(scopes.slice(from, from + perLetGo)), over.promise])
      await Promise.race([this.#claims.stop(), over.promise])
    } catch (error) {
      // One that has stopped can let nothing go; its epoch has ended, and what it held is free.
      if (!(error instanceof EngineStoppedError)) throw error
    } finally {
      timer.cancel()
    }
  }

  // ── ScopeKeeper ──────────────────────────────────────────────────────────────────────────────────────────

  nowMs(): number {
    return this.#parts.runtime.monotonicMs()
  }

  get refusal(): TidemarkError | undefined {
    return this.#parts.engine.refusal
  }

  changed(scope: Scope): void {
    this.#handOvers.changed(scope)
  }

  rested(scope: Scope): void {
    this.#handOvers.rested(scope)
  }

  encode(set: RowSet, row: Row): EncodedRow {
    const { schema } = this.#parts.engine
    if (schema !== this.#schema) this.#useSchema(schema)
    return this.#encoder.encode(set.table.name, row)
  }

  admit(scope: Scope, bytes: number): void {
    this.#room.require(1, bytes, scope)
  }

  grew(rows: number, bytes: number): void {
    this.#room.rows += rows
    this.#room.bytes += bytes
  }

  noted(rows: number, bytes: number): void {
    this.grew(rows, bytes)
    this.#changes++
  }

  book(): ShapeBook {
    const { schema } = this.#parts.engine
    if (this.#book?.schema !== schema) this.#book = new ShapeBook(schema)
    return this.#book
  }

  commit(changes: ChangedRuns, effects: readonly EncodedEffect[]): Promise<Outcome> {
    return this.#handOvers.commit(changes, effects)
  }

  settled(outcome: Outcome, operations: number): void {
    if (outcome.kind === 'committed') this.#written += operations
    else if (outcome.kind === 'rejected') this.#rejected++
  }

  async readBack({ table }: RowSet, key: readonly Value[]): Promise<Row | undefined> {
    return (await readRows(this.#parts.store, table, table.primaryKey, key))[0]
  }

  sync(): Promise<void> {
    return this.#parts.store.sync()
  }

  async reload(scope: Scope): Promise<void> {
    this.#parts.engine.requireOpen()
    await scope.quiesce()
    const read = await this.#read(scope)
    // It may have been closed meanwhile, or evicted.
    if (this.#scopes.get(scope.name) !== scope) return scope.requireOpen()
    const { rows, bytes } = scope.extent
    scope.load(read)
    this.grew(scope.extent.rows - rows, scope.extent.bytes - bytes)
    this.#handOvers.rested(scope)
  }

  async close(scope: Scope): Promise<void> {
    if (this.#scopes.get(scope.name) !== scope) return
    try {
      await scope.flush()
    } finally {
      if (this.#scopes.get(scope.name) === scope) {
        this.#end(scope, 'it was closed')
        await this.#letGo([scope])
      }
    }
  }

  /** The tables have changed. What cannot be held any more as it was has ended. */
  #useSchema(schema: Schema): void {
    this.#schema = schema
    for (const scope of this.#scopes.values()) {
      const planned = replanned(this.#tableOf, scope)
      if (planned === undefined) {
        this.#end(scope, 'its tables have changed')
        void this.#letGo([scope])
      } else
        for (const [index, set] of scope.sets.entries()) set.useTable((planned[index] as PlannedTable).table)
    }
  }

  // ── Opening and ending ───────────────────────────────────────────────────────────────────────────────────

  #plan(table: string, key: RowKey, children: ChildColumns): Scope {
    const { overlay, store } = this.#parts
    if (!store.keepsEffects)
      throw new NotSupportedError('this store keeps no live scopes.', 'SQLite and PostgreSQL do.')
    const values = overlay.rowsOf(table).encode(key)
    const [root, ...others] = planTables(this.#tableOf, table, children).map(
      (planned) => new RowSet(planned.table, planned.parentColumns),
    )
    if (root === undefined) throw new Error('unreachable: a scope has a table')
    // Equal keys are one key, however they were given.
    const stored = values.map((value, index) => {
      const column = root.table.columns.get(root.table.primaryKey[index] ?? '')
      return (column && storedValue(column, value)) ?? value
    })
    const name = `${table} ${JSON.stringify(stored.map(jsonOf))}`
    return new Scope(this, name, stored, root, new Map(others.map((set) => [set.table.name, set])))
  }

  #open(scope: Scope, deadline: Deadline): Promise<Scope> {
    const opening = this.#load(scope, deadline).finally(() => this.#opening.delete(scope.name))
    this.#opening.set(scope.name, opening)
    return opening
  }

  async #load(scope: Scope, deadline: Deadline): Promise<Scope> {
    // One that was evicted, or has ended in trouble, is let go first.
    await this.#leaving.get(scope.name)
    await this.#claims.take(claimOf(scope), deadline)
    pin(this.#parts.engine.pins, scope)
    try {
      scope.load(await this.#read(scope))
      const { rows, bytes } = scope.extent
      if (!this.#room.make(rows, bytes, scope)) {
        const done = this.#handOvers.settle()
        await deadline.wait({ done, cancel: () => undefined }, () => 'scopes in the way were not committed')
        this.#room.require(rows, bytes, scope)
      }
      if (this.refusal !== undefined) throw this.refusal
      this.grew(rows, bytes)
      this.#scopes.set(scope.name, scope)
      return scope
    } catch (error) {
      unpin(this.#parts.engine.pins, scope)
      scope.end('it was not opened')
      await this.#letGo([scope]).catch(() => undefined)
      throw error
    }
  }

  async #read(scope: Scope): Promise<Row[][]> {
    await this.#reads.take()
    return await Promise.all(
      scope.sets.map((set) => {
        const columns = set === scope.root ? set.table.primaryKey : set.parentColumns
        return readRows(this.#parts.store, set.table, columns, scope.key)
      }),
    )
  }

  #end(scope: Scope, why: string): void {
    const { rows, bytes } = scope.extent
    this.grew(-rows, -bytes)
    scope.end(why)
    unpin(this.#parts.engine.pins, scope)
    this.#handOvers.rested(scope)
    this.#scopes.delete(scope.name)
  }

  #evict(scope: Scope): void {
    this.#end(scope, 'it was evicted, to make room for others')
    this.#evicted++
    void this.#letGo([scope])
  }

  #letGo(scopes: readonly Scope[]): Promise<void> {
    const leaving = this.#claims.letGo(scopes.map(claimOf)).finally(() => {
      for (const { name } of scopes) this.#leaving.delete(name)
    })
    // Who opens it again is told when it cannot be let go.
    leaving.catch(() => undefined)
    for (const { name } of scopes) this.#leaving.set(name, leaving)
    return leaving
  }
}

function claimOf({ name, root }: Scope): ClaimedName {
  return { table: root.table.name, key: name.slice(root.table.name.length + 1) }
}
