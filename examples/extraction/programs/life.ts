/** A process runs until it is told to stop, or until its engine is another's. */
import { once } from 'node:events'
import { flushCompileCache } from 'node:module'
import type { Database } from '../database.ts'

export class Life {
  readonly #stop = new AbortController()

  constructor() {
    // Its successor has what it compiled, even if it is killed.
    flushCompileCache()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => this.#stop.abort())
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** An engine that has stopped by itself does nothing more: whoever supervises starts another process. */
  follow(db: Database): void {
    db.on('fenced', ({ error }) => this.#fail(error.message))
    db.on('alert', ({ kind, message, effects }) => {
      if (kind === 'stopped') this.#fail(message)
      // Of these the API's own alerts tell, with what to do.
      else if (kind !== 'effectsLate' && kind !== 'effectsOrphaned')
        console.log(`alert ${kind}${effects === undefined ? '' : ` ${effects}`}: ${message}`)
    })
  }

  async over(): Promise<void> {
    if (!this.#stop.signal.aborted) await once(this.#stop.signal, 'abort')
  }

  #fail(message: string): void {
    console.error(message)
    process.exitCode = 1
    this.#stop.abort()
  }
}
