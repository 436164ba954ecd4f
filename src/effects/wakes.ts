/** Wakes those who wait for something that may have happened, in this engine or elsewhere. */
import type { Runtime } from '../contracts/runtime.ts'

/** How often to look what others have done, in ms. What this engine does is heard of at once. */
const lookEveryMs = 50

export class Wakes {
  #next: PromiseWithResolvers<void> | undefined

  wake(): void {
    this.#next?.resolve()
    this.#next = undefined
  }

  /** Looks until something is found. @returns undefined when the time is over */
  async until<T>(
    runtime: Runtime,
    endMs: number,
    look: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    for (;;) {
      // What happens while it is looked counts too.
      const { promise: woken } = (this.#next ??= Promise.withResolvers())
      const found = await look()
      const leftMs = endMs - runtime.monotonicMs()
      if (found !== undefined || leftMs <= 0) return found
      const over = Promise.withResolvers<void>()
      const timer = runtime.after(Math.min(leftMs, lookEveryMs), over.resolve)
      await Promise.race([woken, over.promise])
      timer.cancel()
    }
  }
}
