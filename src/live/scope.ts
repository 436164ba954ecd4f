/**
 * A live scope: a row and the rows that belong to it, held in memory, where they are the truth while a job runs.
 *
 * Owns: the rows in memory, and what of them is still to be committed.
 * Keeps: law 4 (all changes between two hand-overs are one group, so that the database always holds a state that memory
 * had), law 2 (the next group is made when the one before is settled, so that none is committed without it), law 6 (when
 * one is rejected, memory says so to everybody who asks, until it is what is committed again).
 *
 *   saved ──set, delete, enqueue──▶ changed ──hand over──▶ in flight ──committed──▶ saved, or changed meanwhile
 *     ▲                                                        └─────rejected─────▶ rejected ──reload──▶ saved
 *     └── close, eviction, the engine's end ──▶ ended
 *
 * Hot: a change and a read of it take about a microsecond. `npm run bench -- live` measures it.
 */
import type { Value } from '../contracts/values.ts'
import { EngineStoppedError, InvalidOperationError, TidemarkError, unprefixed } from '../errors.ts'
import type { Row } from '../reads/fold.ts'
import type { EncodedEffect } from '../segments.ts'
import { encodeEffects, type EffectRequest } from '../writes/effect-input.ts'
import { sizeOfEffects } from '../writes/operations.ts'
import type { PinHolder, PinnedRow } from '../writes/pins.ts'
import type { Outcome } from '../writes/receipt.ts'
import type { RowForm } from '../writes/row-key.ts'
import { runsOf, type ChangedRuns } from './changed-runs.ts'
import type { EncodedRow } from './encoder.ts'
import type { RowChange, RowSet } from './row-set.ts'

/** What a scope needs of the one who keeps them all. */
export interface ScopeKeeper {
  /** @throws InvalidOperationError as `db.upsert` */
  encode(set: RowSet, row: Row): EncodedRow
  nowMs(): number
  /** There is something to hand over. */
  changed(scope: Scope): void
  /** @throws TidemarkError `LIVE_FULL` when it may not take so much more */
  admit(scope: Scope, bytes: number): void
  /** It takes so much more now, or less. */
  grew(rows: number, bytes: number): void
  /** As `grew`, by a change. */
  noted(rows: number, bytes: number): void
  book(): Parameters<typeof runsOf>[0]
  commit(changes: ChangedRuns, effects: readonly EncodedEffect[]): Promise<Outcome>
  settled(outcome: Outcome, operations: number): void
  /** All of it is committed, or will not be. */
  rested(scope: Scope): void
  /** Why the engine takes no more. */
  readonly refusal: TidemarkError | undefined
  readBack(set: RowSet, key: readonly Value[]): Promise<Row | undefined>
  reload(scope: Scope): Promise<void>
  close(scope: Scope): Promise<void>
  sync(): Promise<void>
}

/** What a scope takes in memory beside its rows, with its maps: `npm run bench -- live --sections memory`. */
const bytesOfScope = 1_600

type SetChanges = ReadonlyMap<RowForm, RowChange>

export class Scope implements PinHolder {
  readonly name: string
  /** The values of its row's key. */
  readonly key: readonly Value[]
  readonly form: RowForm
  readonly root: RowSet
  readonly children: ReadonlyMap<string, RowSet>
  /** Used since somebody looked for a scope to evict. */
  isTouched = true
  /** When the oldest change was made that is not handed over; and not committed. */
  changedAtMs: number | undefined
  unsavedSinceMs: number | undefined
  readonly #keeper: ScopeKeeper
  #effects: EncodedEffect[] = []
  #inFlight: Promise<void> | undefined
  #isClosing = false
  /** Why it has ended: of thousands nobody asks again, so no error is made before somebody does. */
  #end: string | undefined
  /** Why it shows nothing. */
  #trouble: TidemarkError | undefined
  /** The group that was rejected. */
  rejection: TidemarkError | undefined

  constructor(
    keeper: ScopeKeeper,
    name: string,
    key: readonly Value[],
    root: RowSet,
    children: ReadonlyMap<string, RowSet>,
  ) {
    this.#keeper = keeper
    this.name = name
    this.key = key
    this.root = root
    this.children = children
    this.form = root.formOf(key)
  }

  get sets(): RowSet[] {
    return [this.root, ...this.children.values()]
  }

  get extent(): { readonly rows: number; readonly bytes: number } {
    const { sets } = this
    return {
      rows: sets.reduce((sum, set) => sum + set.rows.size, 0),
      bytes: sets.reduce((sum, set) => sum + set.bytes, bytesOfScope),
    }
  }

  get isSaved(): boolean {
    return this.changedAtMs === undefined && this.#inFlight === undefined
  }

  /** It shows what memory has. @throws TidemarkError `LIVE_ENDED`, `LIVE_REJECTED` */
  requireOpen(): void {
    this.isTouched = true
    if (this.#end !== undefined) throw liveEnded(this.name, this.#end)
    if (this.#trouble !== undefined) throw this.#trouble
    const { refusal } = this.#keeper
    // While it closes, effects under way still read; but what an engine that was stopped has in memory may be others'.
    if (refusal !== undefined && refusal.code !== 'CLOSED') throw refusal
  }

  get isOpen(): boolean {
    return this.#trouble === undefined && this.#end === undefined
  }

  row(): Row | undefined {
    this.requireOpen()
    return this.root.rows.get(this.form)
  }

  set(set: RowSet, given: Row): void {
    this.#requireWritable()
    const encoded = this.#keeper.encode(set, this.#withKey(set, given))
    // Also the change of a table may have ended it.
    this.requireOpen()
    this.#keeper.admit(this, encoded.bytes)
    const rows = set.rows.size
    const bytes = set.set(encoded)
    this.#hasChanged(set.rows.size - rows, bytes)
  }

  delete(set: RowSet, key: readonly Value[]): boolean {
    this.#requireWritable()
    const bytes = set.delete(key)
    if (bytes === undefined) return false
    this.#hasChanged(-1, bytes)
    return true
  }

  enqueue(requests: readonly EffectRequest[]): void {
    this.#requireWritable()
    this.#effects.push(...encodeEffects(requests))
    this.#hasChanged(0, 0)
  }

  /** Everything changed so far goes to the engine as one group, unless an earlier one is not settled yet. */
  handOver(): void {
    if (this.#inFlight !== undefined || this.changedAtMs === undefined || !this.isOpen) return
    this.changedAtMs = undefined
    const taken = this.sets.map((set) => [set, set.takeChanges()] as const)
    const effects = this.#effects
    this.#effects = []
    this.#inFlight = this.#commit(taken, effects).finally(() => {
      this.#inFlight = undefined
      // What was changed behind a group that was rejected goes nowhere.
      if (!this.isOpen) this.changedAtMs = undefined
      this.unsavedSinceMs = this.changedAtMs
      if (this.changedAtMs === undefined) this.#keeper.rested(this)
      else this.#keeper.changed(this)
    })
  }

  async flush(): Promise<void> {
    this.requireOpen()
    // What is in flight does not hold what was changed since: that is the next group.
    for (let round = 0; round < 2 && !this.isSaved; round++) {
      this.handOver()
      await this.#inFlight
    }
    // One that has ended meanwhile is committed all the same, unless something was left.
    if (this.#trouble !== undefined) throw this.#trouble
  }

  /** Resolves when nothing is in flight; what has changed since is left. */
  async quiesce(): Promise<void> {
    while (this.#inFlight !== undefined) await this.#inFlight
  }

  /** Takes the rows as they are committed, of each set. */
  load(rows: readonly (readonly Row[])[]): void {
    for (const [index, set] of this.sets.entries()) {
      set.dropChanges()
      set.load(rows[index] ?? [])
    }
    this.#effects = []
    this.changedAtMs = this.unsavedSinceMs = undefined
    this.rejection = this.#trouble = undefined
  }

  end(why: string): void {
    this.#end = why
    if (this.changedAtMs !== undefined) this.#trouble ??= liveEnded(this.name, why)
  }

  look(table: string, key: readonly Value[]): PinnedRow | undefined {
    const set = table === this.root.table.name ? this.root : this.children.get(table)
    if (set === undefined || !this.isOpen) return undefined
    this.isTouched = true
    const { isSaved, changedAtMs } = this
    const changedForMs = changedAtMs === undefined ? undefined : this.#keeper.nowMs() - changedAtMs
    return { row: set.rows.get(set.formOf(key)), isSaved, changedForMs }
  }

  async reload(): Promise<void> {
    const before = this.#trouble
    // What is changed while the rows are read would be lost.
    this.#trouble ??= new TidemarkError('LIVE_ENDED', `the live scope of ${this.name} is being reloaded.`, {
      hint: 'Await `reload()` first.',
    })
    const reloading = this.#trouble
    try {
      await this.#keeper.reload(this)
    } catch (error) {
      if (this.#trouble === reloading) this.#trouble = before
      throw error
    }
  }

  async close(): Promise<void> {
    this.#isClosing = true
    await this.#keeper.close(this)
  }

  sync(): Promise<void> {
    return this.#keeper.sync()
  }

  #requireWritable(): void {
    this.requireOpen()
    if (this.#isClosing) throw liveEnded(this.name, 'it is being closed')
    if (this.#keeper.refusal !== undefined) throw this.#keeper.refusal
  }

  #hasChanged(rows: number, bytes: number): void {
    this.#keeper.noted(rows, bytes)
    if (this.changedAtMs !== undefined) return
    this.changedAtMs = this.#keeper.nowMs()
    this.unsavedSinceMs ??= this.changedAtMs
    this.#keeper.changed(this)
  }

  async #commit(
    taken: readonly (readonly [RowSet, SetChanges])[],
    effects: readonly EncodedEffect[],
  ): Promise<void> {
    let outcome: Outcome
    let operations: number
    try {
      const changes = runsOf(
        this.#keeper.book(),
        taken.map(([set, changed]) => [set, [...changed.values()]]),
      )
      if (changes.operations === 0 && effects.length === 0) return
      const sized = { ...changes, bytes: changes.bytes + sizeOfEffects(effects) }
      operations = changes.operations
      outcome = await this.#keeper.commit(sized, effects)
    } catch (error) {
      if (error instanceof EngineStoppedError) this.#trouble ??= error
      else this.#reject(error)
      return
    }
    this.#keeper.settled(outcome, operations)
    if (outcome.kind === 'abandoned') this.#trouble ??= outcome.error
    else if (outcome.kind === 'rejected') this.#reject(outcome.error)
    else {
      for (const [set, changed] of taken) set.saved(changed)
      await this.#readBack(taken).catch((error: unknown) => this.#reject(error, 'could not be read back'))
    }
  }

  /** Where only the database knows what it made of a row. */
  async #readBack(taken: readonly (readonly [RowSet, SetChanges])[]): Promise<void> {
    for (const [set, changed] of taken)
      for (const [form, change] of changed)
        if (change.mustBeReadBack && !change.isDeleted)
          this.#keeper.grew(0, set.readBack(form, await this.#keeper.readBack(set, change.key)))
  }

  /** Memory is not what the database has, or nobody knows. */
  #reject(error: unknown, how = 'was rejected'): void {
    const cause = error instanceof Error ? error : new Error(String(error))
    this.rejection =
      error instanceof TidemarkError ? error : new TidemarkError('STORE_FAILED', cause.message, { cause })
    this.#trouble ??= new TidemarkError(
      'LIVE_REJECTED',
      `a change of the live scope of ${this.name} ${how}, so that memory is not what the database has: ${unprefixed(cause.message)}`,
      { cause, hint: 'Call `reload()`: it drops what is not committed. See `db.deadLetters()`.' },
    )
  }

  /** The columns that hold the scope's key need not be given, and cannot be others. */
  #withKey({ table, parentColumns }: RowSet, given: Row): Row {
    if (typeof given !== 'object' || given === null)
      throw new InvalidOperationError(
        'INVALID_CALL',
        `a row of table "${table.name}" must be an object of columns.`,
      )
    const names = table === this.root.table ? table.primaryKey : parentColumns
    const row: Row = {}
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string
      const value = this.key[index]
      if (given[name] !== undefined && given[name] !== value) throw otherParent(this.name, table.name, name)
      row[name] = value
    }
    return Object.assign(row, given)
  }
}

function liveEnded(name: string, why: string): TidemarkError {
  return new TidemarkError('LIVE_ENDED', `the live scope of ${name} has ended: ${why}.`, {
    hint: 'Call `db.live()` again.',
  })
}

export function otherParent(scope: string, table: string, column: string): InvalidOperationError {
  return new InvalidOperationError(
    'INVALID_CALL',
    `column "${column}" of table "${table}" holds the key of the scope of ${scope}, and cannot be another.`,
  )
}
