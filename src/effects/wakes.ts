/** Wakes those who wait for something that may have happened, in this engine or elsewhere. */
import type { Runtime } from '../contracts/runtime.ts'

export class Wakes {
  #next: PromiseWithResolvers<void> | undefined

  wake(): void {
    this.#next?.resolve()
    this.#next = undefined
  }

  /** @returns false when the time is over: nothing need be looked at any more */
  async next(runtime: Runtime, endMs: number, everyMs: number): Promise<boolean> {
    const leftMs = endMs - runtime.monotonicMs()
    if (leftMs <= 0) return false
    const over = Promise.withResolvers<void>()
    const timer = runtime.after(Math.min(leftMs, everyMs), over.resolve)
    this.#next ??= Promise.withResolvers()
    await Promise.race([this.#next.promise, over.promise])
    timer.cancel()
    return true
  }
}
