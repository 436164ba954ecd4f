/** Those who wait for the tidemark to reach a position. */
import type { Seq } from '../contracts/position.ts'
import type { Wait } from '../contracts/wait.ts'
import type { TidemarkError } from '../errors.ts'

interface Waiter {
  readonly seq: Seq
  readonly reached: PromiseWithResolvers<void>
}

/** For a position that is reached already. */
export const noWait: Wait = { done: Promise.resolve(), cancel: () => undefined }

export class Waiters {
  /** By rising position. */
  #waiting: Waiter[] = []

  wait(seq: Seq): Wait {
    const waiter: Waiter = { seq, reached: Promise.withResolvers() }
    const before = this.#waiting.findLastIndex((other) => other.seq <= seq)
    this.#waiting.splice(before + 1, 0, waiter)
    return {
      done: waiter.reached.promise,
      cancel: () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter)
      },
    }
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
