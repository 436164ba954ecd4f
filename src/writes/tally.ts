/** Counts what was committed, for `stats()`. */
import type { BatchOutcome } from '../contracts/store.ts'
import type { PendingBatch } from './batch.ts'

export class Tally {
  operations = 0
  rejections = 0
  batches = 0
  transactions = 0
  retries = 0
  lastTransactionMs = 0
  longestTransactionMs = 0

  committed(batch: PendingBatch, outcome: BatchOutcome): void {
    this.operations += batch.operations
    this.rejections += batch.rejectionCount
    this.batches++
    this.transactions += outcome.transactions
    this.lastTransactionMs = outcome.longestTransactionMs
    this.longestTransactionMs = Math.max(this.longestTransactionMs, outcome.longestTransactionMs)
  }
}
