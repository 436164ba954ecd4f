/** Those who wait for the tidemark to reach a position. */
import type { Seq } from '../contracts/position.ts'
import type { TidemarkError } from '../errors.ts'

export class Waiters {
  /** By rising position. */
  #waiting: { readonly seq: Seq; readonly reached: PromiseWithResolvers<void> }[] = []

  wait(seq: Seq): Promise<void> {
    const reached = Promise.withResolvers<void>()
    const before = this.#waiting.findLastIndex((waiter) => waiter.seq <= seq)
    this.#waiting.splice(before + 1, 0, { seq, reached })
    return reached.promise
  }

  advance(tidemark: Seq): void {
    const after = this.#waiting.findIndex((waiter) => waiter.seq > tidemark)
    const satisfied = this.#waiting.splice(0, after < 0 ? this.#waiting.length : after)
    for (const { reached } of satisfied) reached.resolve()
  }

  abandon(error: TidemarkError): void {
    for (const { reached } of this.#waiting.splice(0)) reached.reject(error)
  }
}
