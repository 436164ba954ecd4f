/** One task at the end of a tick of the event loop, however often it is asked for within it. */
import type { Runtime } from './contracts/runtime.ts'

export class EndOfTick {
  readonly #runtime: Pick<Runtime, 'atEndOfTick'>
  readonly #task: () => void
  #due: PromiseWithResolvers<void> | undefined

  constructor(runtime: Pick<Runtime, 'atEndOfTick'>, task: () => void) {
    this.#runtime = runtime
    this.#task = task
  }

  ask(): void {
    if (this.#due !== undefined) return
    const due = (this.#due = Promise.withResolvers())
    this.#runtime.atEndOfTick(() => {
      this.#due = undefined
      this.#task()
      due.resolve()
    })
  }

  /** Resolves when it is done; at once when nobody has asked for it. */
  done(): Promise<void> {
    return this.#due?.promise ?? Promise.resolve()
  }
}
