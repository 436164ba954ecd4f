/** Counts what became of the effects of one kind, and how long the handler takes. */
import type { Settled } from './settlement.ts'

/** Upper bounds, in seconds, of the histogram of calls. */
export const CALL_SECONDS: readonly number[] = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export class DeliveryTally {
  delivered = 0
  /** Attempts that failed. */
  failed = 0
  dead = 0
  calls = 0
  callMs = 0
  readonly #buckets: number[] = Array<number>(CALL_SECONDS.length + 1).fill(0)

  /** Calls by how long they took: one number for each of `CALL_SECONDS`, and one for those that took longer. */
  get buckets(): readonly number[] {
    return this.#buckets
  }

  called(ms: number): void {
    this.calls++
    this.callMs += ms
    const at = CALL_SECONDS.findIndex((seconds) => ms <= seconds * 1_000)
    const bucket = at < 0 ? CALL_SECONDS.length : at
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1
  }

  settled(settled: readonly Settled[]): void {
    for (const { settlement } of settled) {
      if (settlement.kind === 'delivered') this.delivered++
      else if (settlement.kind === 'dead') this.dead++
      if (settlement.kind === 'retry' || settlement.kind === 'dead') this.failed++
    }
  }
}
