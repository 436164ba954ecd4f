/**
 * Collects the runs of one call that is queued as a whole: an atomic group, or a load of rows.
 *
 * Keeps: law 4 (nothing of it is queued until all of it is collected and valid).
 */
import type { Group, Run, Shape } from '../contracts/operation.ts'
import { InvalidOperationError } from '../errors.ts'
import type { EncodedEffect } from '../segments.ts'
import { maxRunBytes, newRun, requireUndisturbed } from './batch.ts'
import type { Operations, Sink } from './operations.ts'
import type { Pins } from './pins.ts'

/** What an insert into a group tells at once. */
export interface Inserted {
  /** The row's id, where the table's ids are preallocated. */
  readonly id: number | undefined
}

const withoutId: Inserted = Object.freeze({ id: undefined })

/** What a group comes to. */
export interface GroupExtent {
  readonly operations: number
  readonly bytes: number
  readonly effects?: readonly EncodedEffect[]
  /** What the engine and its parts have still to write is accepted also while it closes. */
  readonly isOwn?: boolean
}

export class Collector implements Sink<Inserted> {
  readonly runs: Run[]
  operations: number
  bytes: number
  /** With the operation that carries them, counted from 0. */
  readonly effects: { readonly operation: number; readonly effects: readonly EncodedEffect[] }[] = []
  readonly #pins: Pins
  #isComplete = false

  /** @param runs that stand before what is collected */
  constructor(pins: Pins, runs: readonly Run[] = []) {
    this.#pins = pins
    this.runs = [...runs]
    this.operations = runs.reduce((sum, { count }) => sum + count, 0)
    this.bytes = runs.reduce((sum, run) => sum + run.bytes, 0)
  }

  /** Its call returns, and what it collected is queued: nothing can be added any more. */
  complete(): void {
    this.#isComplete = true
  }

  runFor(shape: Shape): Run {
    if (this.#isComplete) throw isComplete()
    const tail = this.runs.at(-1)
    return tail !== undefined && tail.shape === shape && tail.bytes < maxRunBytes ? tail : newRun(shape)
  }

  carry(effects: readonly EncodedEffect[], bytes: number): void {
    if (this.#isComplete) throw isComplete()
    this.effects.push({ operation: this.operations, effects })
    this.bytes += bytes
  }

  take(run: Run, bytes: number, id?: number, effects?: readonly EncodedEffect[]): Inserted {
    requireUndisturbed(run)
    if (this.#pins.size > 0) this.#pins.requireFree(run, run.count)
    if (run !== this.runs.at(-1)) this.runs.push(run)
    if (effects !== undefined) this.effects.push({ operation: this.operations, effects })
    run.count++
    run.bytes += bytes
    this.operations++
    this.bytes += bytes
    return id === undefined ? withoutId : { id }
  }
}

/**
 * Fills a collector with what `write` writes, before it returns.
 *
 * @throws InvalidOperationError `INVALID_CALL` when it is asynchronous
 */
export function collect(
  collector: Collector,
  operations: Operations<Inserted>,
  write: (operations: Operations<Inserted>) => unknown,
): Collector {
  const returned = write(operations)
  collector.complete()
  requireSynchronous(returned)
  return collector
}

export function groupFrom({ runs }: Collector): Group {
  return { kind: 'group', runs, redrives: undefined }
}

export function extentOf({ operations, bytes, effects }: Collector): GroupExtent {
  return { operations, bytes, effects: effects.flatMap((carried) => carried.effects) }
}

function isComplete(): InvalidOperationError {
  return new InvalidOperationError(
    'INVALID_CALL',
    'the group is complete; its callback has returned.',
    'Write everything before the callback of `atomic` returns.',
  )
}

function requireSynchronous(returned: unknown): void {
  if (typeof returned !== 'object' || returned === null || !('then' in returned)) return
  if (typeof returned.then !== 'function') return
  // What becomes of it is told by the error below; its own end is nobody's unhandled rejection.
  Promise.resolve(returned).catch(() => undefined)
  throw new InvalidOperationError(
    'INVALID_CALL',
    'the callback of `atomic` is asynchronous; it must write everything before it returns.',
    'Read first, or use `db.transaction()`.',
  )
}
