/**
 * Decides how many operations a batch may hold, so that no transaction runs longer than `maxTransactionMs`,
 * and knows the rate of the last commits.
 *
 * Keeps: nothing of the laws depends on it; it only moves where one batch ends and the next begins.
 */
export class Pacing {
  readonly #maxOperations: number
  readonly #maxTransactionMs: number
  #limit: number
  #operationsPerMs = 0

  constructor(options: { readonly maxOperations: number; readonly maxTransactionMs: number }) {
    this.#maxOperations = options.maxOperations
    this.#maxTransactionMs = options.maxTransactionMs
    this.#limit = options.maxOperations
  }

  /** The most operations that the next batch may hold. */
  get limit(): number {
    return this.#limit
  }

  get operationsPerSecond(): number {
    return this.#operationsPerMs * 1_000
  }

  /** Shrinks at once, by as much as the transaction was too long; grows back by a quarter at a time. */
  observe(operations: number, longestTransactionMs: number, commitMs: number): void {
    if (longestTransactionMs > this.#maxTransactionMs) {
      const share = this.#maxTransactionMs / longestTransactionMs
      this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, operations) * share * 0.8))
    } else if (operations >= this.#limit && longestTransactionMs < this.#maxTransactionMs / 2) {
      this.#limit = Math.min(this.#maxOperations, Math.ceil(this.#limit * 1.25))
    }
    const rate = operations / Math.max(commitMs, 0.01)
    this.#operationsPerMs = this.#operationsPerMs === 0 ? rate : this.#operationsPerMs * 0.8 + rate * 0.2
  }
}
