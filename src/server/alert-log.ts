/** Writes the engine's alerts into the server's log: each kind of them at once, and then no more than one a minute. */
import type { Runtime } from '../contracts/runtime.ts'
import type { Engine } from './context.ts'

const everyMs = 60_000

export class AlertLog {
  readonly #saidAtMs = new Map<string, number>()
  readonly #release: () => void

  constructor(db: Engine, runtime: Runtime, say: (message: string) => void) {
    this.#release = db.on('alert', ({ kind, effects = '', message }) => {
      // Readiness says why the engine stopped.
      if (kind === 'stopped') return
      const nowMs = runtime.monotonicMs()
      for (const [name, ms] of this.#saidAtMs) if (nowMs - ms >= everyMs) this.#saidAtMs.delete(name)
      const name = `${kind} ${effects}`
      if (this.#saidAtMs.has(name)) return
      this.#saidAtMs.set(name, nowMs)
      say(message)
    })
  }

  stop(): void {
    this.#release()
  }
}
