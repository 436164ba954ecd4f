/**
 * Those who write through one client, one at a time, in the order of asking. Of two transactions that wrote one record
 * SurrealDB 3.0.2 was seen to let both commit, on a busy machine, so that an owner whose epoch had been closed went on:
 * in one process, which has an embedded database for itself, the fence does not rest on that.
 */
export class Line {
  #last: Promise<void> = Promise.resolve()
  #length = 0

  get isTaken(): boolean {
    return this.#length > 0
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.take()
    try {
      return await work()
    } finally {
      release()
    }
  }

  /** @returns what lets the next one go; calling it again does nothing */
  async take(): Promise<() => void> {
    const mine = Promise.withResolvers<void>()
    const before = this.#last
    this.#last = mine.promise
    this.#length++
    await before
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#length--
      mine.resolve()
    }
  }
}

const lines = new WeakMap<object, Line>()

export function lineOf(client: object): Line {
  const known = lines.get(client) ?? new Line()
  lines.set(client, known)
  return known
}
