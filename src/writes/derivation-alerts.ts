/** Tells that derived rows could not be written. The same statement may fail in every batch to come, so not each time. */
import type { DerivationFailure } from '../contracts/derivation.ts'
import type { Runtime } from '../contracts/runtime.ts'
import type { Events } from './events.ts'

export class DerivationAlerts {
  readonly #runtime: Runtime
  readonly #events: Events
  readonly #everyMs: number
  #toldAtMs = Number.NEGATIVE_INFINITY

  constructor(runtime: Runtime, events: Events, everyMs: number) {
    this.#runtime = runtime
    this.#events = events
    this.#everyMs = everyMs
  }

  tell([failure]: readonly DerivationFailure[] = []): void {
    if (failure === undefined) return
    const nowMs = this.#runtime.monotonicMs()
    if (nowMs - this.#toldAtMs < this.#everyMs) return
    this.#toldAtMs = nowMs
    const message = `rows of "${failure.table}" are committed without what follows from them: ${failure.message}`
    this.#events.emit('alert', { kind: 'derivation', message, sinceMs: 0 })
  }
}
