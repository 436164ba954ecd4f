/** Lets contenders that are there at once go by turns: one goes while all others wait. */
export class Turns {
  readonly #order: number[]
  readonly #waiting = new Map<number, () => void>()

  constructor(contenders: number) {
    this.#order = Array.from({ length: contenders }, (_, contender) => contender)
  }

  /** It has done what it was let go for. Resolves when it is its turn again. */
  next(contender: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.set(contender, resolve)
    this.#letGo()
    return promise
  }

  /** It has ended. */
  leave(contender: number): void {
    this.#order.splice(this.#order.indexOf(contender), 1)
    this.#letGo()
  }

  #letGo(): void {
    const [first] = this.#order
    // Somebody is under way, or has not come yet.
    if (first === undefined || this.#waiting.size < this.#order.length) return
    this.#order.push(...this.#order.splice(0, 1))
    this.#waiting.get(first)?.()
    this.#waiting.delete(first)
  }
}
