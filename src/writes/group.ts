/**
 * Collects the runs of one call that is queued as a whole: an atomic group, or a load of rows.
 *
 * Keeps: law 4 (nothing of it is queued until all of it is collected and valid).
 */
import type { Run, Shape } from '../contracts/operation.ts'
import { InvalidOperationError } from '../errors.ts'
import { maxRunBytes, newRun, requireUndisturbed } from './batch.ts'
import type { Sink } from './operations.ts'

export class Collector implements Sink<void> {
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

  take(run: Run, bytes: number): void {
    requireUndisturbed(run)
    if (run !== this.runs.at(-1)) this.runs.push(run)
    run.count++
    run.bytes += bytes
    this.operations++
    this.bytes += bytes
  }
}
