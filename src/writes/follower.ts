import type { Step } from '../contracts/operation.ts'
import type { Seq } from '../contracts/position.ts'
import type { BatchOutcome } from '../contracts/store.ts'
import type { TidemarkError } from '../errors.ts'
import type { PendingBatch } from './batch.ts'

/** How far a batch is settled, and what the store said of it; without an outcome the batch is abandoned. */
export interface Settling {
  readonly watermark: Seq
  readonly outcome: BatchOutcome | undefined
}

/** Hears of every operation: when it is accepted, and how it ended. Must not throw. */
export interface Follower {
  /** `step` is in `batch` now. Of a run, the operation at `index`; of a group or a load, all of it. */
  accepted(batch: PendingBatch, step: Step, index: number, first: Seq): void
  /** The batch is settled up to a watermark, or abandoned; its steps are still there, the first behind `batch.prev`. */
  settling(batch: PendingBatch, settling: Settling): void
  /** Everything is settled, and nothing more comes: by an error of code `CLOSED` if all went well. */
  ended(error: TidemarkError): void
}
