/**
 * So many go on in one turn of the event loop; the others wait for the next ones, in their order. For work that is quick by
 * itself and long in its thousands.
 */
import type { Runtime } from '../contracts/runtime.ts'

export class Turns {
  readonly #runtime: Runtime
  readonly #perTurn: number
  #left: number
  #waiting: (() => void)[] = []
  #isScheduled = false

  constructor(runtime: Runtime, perTurn: number) {
    this.#runtime = runtime
    this.#perTurn = perTurn
    this.#left = perTurn
  }

  /** Resolves when it is one's turn. */
  take(): Promise<void> {
    this.#schedule()
    if (this.#left > 0 && this.#waiting.length === 0) {
      this.#left--
      return Promise.resolve()
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#runtime.atEndOfTick(() => {
      this.#isScheduled = false
      const next = this.#waiting.splice(0, this.#perTurn)
      this.#left = this.#perTurn - next.length
      if (this.#waiting.length > 0) this.#schedule()
      for (const resume of next) resume()
    })
  }
}
