/** Time that passes only from one task to the next: minutes of it take milliseconds, and always the same steps. */
interface Task {
  readonly atMs: number
  /** Of tasks that are due together, the one that was set first runs first. */
  readonly number: number
  readonly run: () => void
}

export class VirtualTime {
  #nowMs = 0
  #set = 0
  /** A binary heap: the soonest is at 0, and none is sooner than that at half its place. */
  readonly #tasks: Task[] = []

  monotonicMs(): number {
    return this.#nowMs
  }

  after(ms: number, run: () => void): void {
    const task = { atMs: this.#nowMs + ms, number: this.#set++, run }
    let place = this.#tasks.length
    while (place > 0) {
      const above = (place - 1) >>> 1
      const other = this.#tasks[above] as Task
      if (isSooner(other, task)) break
      this.#tasks[place] = other
      place = above
    }
    this.#tasks[place] = task
  }

  runUntil(endMs: number): void {
    for (;;) {
      const next = this.#tasks[0]
      if (next === undefined || next.atMs > endMs) break
      this.#removeFirst()
      this.#nowMs = next.atMs
      next.run()
    }
    this.#nowMs = endMs
  }

  #removeFirst(): void {
    const last = this.#tasks.pop() as Task
    const { length } = this.#tasks
    if (length === 0) return
    let place = 0
    for (;;) {
      let below = 2 * place + 1
      if (below >= length) break
      if (below + 1 < length && isSooner(this.#tasks[below + 1] as Task, this.#tasks[below] as Task)) below++
      const other = this.#tasks[below] as Task
      if (isSooner(last, other)) break
      this.#tasks[place] = other
      place = below
    }
    this.#tasks[place] = last
  }
}

function isSooner(one: Task, other: Task): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.number < other.number)
}
