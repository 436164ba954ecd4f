/**
 * Simulated time: tasks that run at their moment, one after another, those of one moment in the order in which they
 * were asked for. Between two of them every promise that is ready has run, as between two turns of the event loop.
 */
export interface Scheduled {
  cancel(): void
}

interface Entry {
  readonly atMs: number
  readonly order: number
  readonly isBackground: boolean
  task: (() => void) | undefined
}

export class Scheduler {
  nowMs = 0
  #order = 0
  /** Tasks that keep the simulation going. */
  #foreground = 0
  /** A binary heap, the next task first. */
  readonly #entries: Entry[] = []

  /** @param isBackground the simulation does not go on for its sake */
  at(atMs: number, task: () => void, isBackground = false): Scheduled {
    const entry: Entry = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, isBackground, task }
    if (!isBackground) this.#foreground++
    this.#push(entry)
    return {
      cancel: () => {
        if (entry.task === undefined) return
        entry.task = undefined
        if (!isBackground) this.#foreground--
      },
    }
  }

  after(ms: number, task: () => void, isBackground = false): Scheduled {
    return this.at(this.nowMs + ms, task, isBackground)
  }

  /** Runs until nothing is left to do, `isDone` says so, or the time is over. */
  async run(untilMs: number, isDone: () => boolean = () => false): Promise<void> {
    await everythingReady()
    while (this.#foreground > 0 && !isDone()) {
      const entry = this.#entries[0]
      if (entry === undefined || entry.atMs > untilMs) return
      this.#pop()
      const { task } = entry
      if (task === undefined) continue
      entry.task = undefined
      if (!entry.isBackground) this.#foreground--
      this.nowMs = entry.atMs
      task()
      await everythingReady()
    }
  }

  #push(entry: Entry): void {
    const entries = this.#entries
    let at = entries.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (isBefore(entries[parent] as Entry, entry)) break
      entries[at] = entries[parent] as Entry
      at = parent
    }
    entries[at] = entry
  }

  #pop(): void {
    const entries = this.#entries
    const last = entries.pop() as Entry
    if (entries.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= entries.length) break
      if (child + 1 < entries.length && isBefore(entries[child + 1] as Entry, entries[child] as Entry))
        child++
      if (isBefore(last, entries[child] as Entry)) break
      entries[at] = entries[child] as Entry
      at = child
    }
    entries[at] = last
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/** Node runs a `nextTick` callback when no promise is ready any more: no turn of the real event loop is needed. */
function everythingReady(): Promise<void> {
  return new Promise((resolve) => void Promise.resolve().then(() => process.nextTick(resolve)))
}
