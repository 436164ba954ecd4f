/**
 * Whether the server can take writes, and if not, why: what the engine's alerts said, and whether it is ending.
 */
import type { Runtime } from '../contracts/runtime.ts'
import type { Engine } from './context.ts'
import { capitalized } from './problems.ts'

export interface Alert {
  readonly kind: 'stalled' | 'stopped' | 'backpressure' | 'draining'
  readonly message: string
  readonly sinceMs: number
}

interface Active {
  readonly kind: Alert['kind']
  readonly message: string
  readonly fromMs: number
}

export class Readiness {
  readonly #runtime: Runtime
  readonly #active = new Map<Alert['kind'], Active>()
  readonly #release: readonly (() => void)[]
  readonly #ending = new AbortController()

  /** @param onStopped told why the engine stopped, in the engine's own words */
  constructor(db: Engine, runtime: Runtime, onStopped: (message: string) => void) {
    this.#runtime = runtime
    this.#release = [
      db.on('alert', ({ kind, message, sinceMs }) => {
        if (kind === 'stopped') {
          onStopped(message)
          // The engine's words may name files.
          this.#raise(
            'stopped',
            'The engine has stopped and takes no more writes; the log of the server says why.',
            0,
          )
        } else if (kind === 'stalled') {
          this.#raise('stalled', capitalized(message), sinceMs)
        }
      }),
      db.on('commit', () => this.#active.delete('stalled')),
      db.on('backpressure', ({ isFull, operations }) => {
        if (isFull) this.#raise('backpressure', `The queue is full, with ${operations} operations.`, 0)
        else this.#active.delete('backpressure')
      }),
    ]
  }

  /** Aborted when the server begins to end. */
  get ending(): AbortSignal {
    return this.#ending.signal
  }

  get isDraining(): boolean {
    return this.#ending.signal.aborted
  }

  drain(): void {
    this.#raise('draining', 'The server is ending.', 0)
    this.#ending.abort()
  }

  alerts(): Alert[] {
    const nowMs = this.#runtime.monotonicMs()
    return [...this.#active.values()].map(({ kind, message, fromMs }) => ({
      kind,
      message,
      sinceMs: Math.round(nowMs - fromMs),
    }))
  }

  /** Why no write should be sent here. A full queue is no reason: it tells each writer when to come again. */
  reasons(): string[] {
    return this.alerts()
      .filter(({ kind }) => kind !== 'backpressure')
      .map(({ message }) => message)
  }

  stop(): void {
    for (const release of this.#release) release()
  }

  #raise(kind: Alert['kind'], message: string, sinceMs: number): void {
    this.#active.set(kind, { kind, message, fromMs: this.#runtime.monotonicMs() - sinceMs })
  }
}
