/** A runtime whose time stands still until a test moves it: the same test takes the same steps every time. */
import type { Runtime, Timer } from '../../src/contracts/runtime.ts'

interface Waiting {
  readonly atMs: number
  readonly task: () => void
}

export class FakeRuntime implements Runtime {
  nowMs = 1_000
  /** What `random` gives. */
  chance = 0.5
  #timers: Waiting[] = []
  #endOfTick: (() => void)[] = []
  #ids = 0

  monotonicMs(): number {
    return this.nowMs
  }

  wallMs(): number {
    return this.nowMs
  }

  after(ms: number, task: () => void): Timer {
    const waiting = { atMs: this.nowMs + ms, task }
    this.#timers.push(waiting)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== waiting)
      },
    }
  }

  atEndOfTick(task: () => void): void {
    this.#endOfTick.push(task)
  }

  random(): number {
    return this.chance
  }

  uniqueId(): string {
    return `id-${++this.#ids}`
  }

  randomHex(bytes: number): string {
    return String(++this.#ids).padStart(2 * bytes, '0')
  }

  /** How long each timer that is set still has to run. */
  get timersMs(): number[] {
    return this.#timers.map(({ atMs }) => atMs - this.nowMs).toSorted((a, b) => a - b)
  }

  /** Ends the tick: runs what waits for its end, and what that makes ready, until nothing is left to do now. */
  async settle(): Promise<void> {
    do {
      // A real turn of the event loop, in which every promise that is ready runs; no time passes in it.
      await new Promise<void>((resolve) => void setImmediate(resolve))
      for (const task of this.#endOfTick.splice(0)) task()
    } while (this.#endOfTick.length > 0)
    await new Promise<void>((resolve) => void setImmediate(resolve))
  }

  /** Moves the time on, running each timer when it is due. */
  async advance(ms: number): Promise<void> {
    await this.settle()
    const untilMs = this.nowMs + ms
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined || next.atMs > untilMs) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.nowMs = next.atMs
      next.task()
      await this.settle()
    }
    this.nowMs = untilMs
  }
}
