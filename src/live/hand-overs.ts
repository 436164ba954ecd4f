/**
 * When scopes hand over what has changed in them, and in which order the engine takes it.
 *
 * Keeps: law 2 (groups are accepted in the order in which they were made), law 7 (a full queue holds them back; until
 * then changes gather in memory, which is bounded by itself).
 */
import type { Runtime, Timer } from '../contracts/runtime.ts'
import { QueueFullError } from '../errors.ts'
import type { EncodedEffect } from '../segments.ts'
import type { WriteEngine } from '../writes/engine.ts'
import type { Outcome, Receipt } from '../writes/receipt.ts'
import type { ChangedRuns } from './changed-runs.ts'
import type { Scope } from './scope.ts'

export class HandOvers {
  readonly unsaved: Set<Scope> = new Set()
  readonly #engine: WriteEngine
  readonly #runtime: Runtime
  readonly #lingerMs: number
  #changed = new Set<Scope>()
  #timer: Timer | undefined
  /** Where there is no room each waits for the one before it, so that not all of them ask again and again. */
  #line: Promise<void> | undefined

  constructor(engine: WriteEngine, runtime: Runtime, lingerMs: number) {
    this.#engine = engine
    this.#runtime = runtime
    this.#lingerMs = lingerMs
    engine.pins.settle = () => this.settle()
  }

  changed(scope: Scope): void {
    this.#changed.add(scope)
    this.unsaved.add(scope)
    this.#engine.pins.unsaved = this.unsaved.size
    if (this.#timer === undefined) this.#timer = this.#runtime.after(this.#lingerMs, () => this.#handOver())
  }

  rested(scope: Scope): void {
    this.unsaved.delete(scope)
    this.#changed.delete(scope)
    this.#engine.pins.unsaved = this.unsaved.size
  }

  /** Resolves when what all of them had changed before the call is committed, or rejected. */
  async settle(): Promise<void> {
    // Whoever waits is told by the scope of what was rejected.
    await Promise.all([...this.unsaved].map((scope) => scope.flush().catch(() => undefined)))
  }

  /** Since when something is not committed, by the wall clock. */
  unsavedSinceMs(): number | undefined {
    let oldest = Number.POSITIVE_INFINITY
    for (const { unsavedSinceMs } of this.unsaved) oldest = Math.min(oldest, unsavedSinceMs ?? oldest)
    if (oldest === Number.POSITIVE_INFINITY) return undefined
    return this.#runtime.wallMs() - (this.#runtime.monotonicMs() - oldest)
  }

  /**
   * Has the group accepted, when there is room.
   *
   * @throws EngineStoppedError; TidemarkError `TOO_LARGE`
   */
  async commit(changes: ChangedRuns, effects: readonly EncodedEffect[]): Promise<Outcome> {
    const receipt = this.#line === undefined ? this.#tryAccept(changes, effects) : undefined
    if (receipt !== undefined) return await receipt.outcome()
    const accepted = this.#acceptInTurn(this.#line, changes, effects)
    const line = accepted.then(
      () => undefined,
      () => undefined,
    )
    this.#line = line
    void line.then(() => {
      if (this.#line === line) this.#line = undefined
    })
    return await (
      await accepted
    )()
  }

  /** @returns how to wait for its outcome: a receipt itself cannot be returned, since it would be waited for */
  async #acceptInTurn(
    before: Promise<void> | undefined,
    changes: ChangedRuns,
    effects: readonly EncodedEffect[],
  ): Promise<() => Promise<Outcome>> {
    await before
    for (;;) {
      await this.#engine.whenRoom()
      const receipt = this.#tryAccept(changes, effects)
      if (receipt !== undefined) return () => receipt.outcome()
    }
  }

  /** @returns undefined when there is no room */
  #tryAccept(
    { runs, operations, bytes }: ChangedRuns,
    effects: readonly EncodedEffect[],
  ): Receipt | undefined {
    try {
      const group = { kind: 'group' as const, runs, redrives: undefined }
      return this.#engine.groupOf(group, { operations, bytes, effects, isOwn: true })
    } catch (error) {
      if (error instanceof QueueFullError) return undefined
      throw error
    }
  }

  #handOver(): void {
    this.#timer = undefined
    const changed = this.#changed
    this.#changed = new Set()
    for (const scope of changed) scope.handOver()
  }
}
