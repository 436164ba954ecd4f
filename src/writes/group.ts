/**
 * Collects the runs of one call that is queued as a whole: an atomic group, or a load of rows.
 *
 * Keeps: law 4 (nothing of it is queued until all of it is collected and valid).
 */
import type { Run, Shape } from '../contracts/operation.ts'
import { InvalidOperationError } from '../errors.ts'
import { maxRunBytes, newRun, requireUndisturbed } from './batch.ts'
import type { Sink } from './operations.ts'

/** What an insert into a group tells at once. */
export interface Inserted {
  /** The row's id, where the table's ids are preallocated. */
  readonly id: number | undefined
}

const withoutId: Inserted = Object.freeze({ id: undefined })

export class Collector implements Sink<Inserted> {
  readonly runs: Run[] = []
  operations = 0
  bytes = 0
  #isComplete = false

  /** Its call returns, and what it collected is queued: nothing can be added any more. */
  complete(): void {
    this.#isComplete = true
  }

  runFor(shape: Shape): Run {
    if (this.#isComplete) {
      throw new InvalidOperationError(
        'INVALID_CALL',
        'the group is complete; its callback has returned.',
        'Write everything before the callback of `atomic` returns.',
      )
    }
    const tail = this.runs.at(-1)
    return tail !== undefined && tail.shape === shape && tail.bytes < maxRunBytes ? tail : newRun(shape)
  }

  take(run: Run, bytes: number, id?: number): Inserted {
    requireUndisturbed(run)
    if (run !== this.runs.at(-1)) this.runs.push(run)
    run.count++
    run.bytes += bytes
    this.operations++
    this.bytes += bytes
    return id === undefined ? withoutId : { id }
  }
}

/** @throws InvalidOperationError `INVALID_CALL` when a callback that collects goes on after it returned */
export function requireSynchronous(returned: unknown): void {
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
