/**
 * Bounds how long a target works: by the caller's signal, by a time limit, and by the target's own end. Whatever the
 * work itself does, its caller is told as soon as one of them is reached.
 */
import type { Runtime } from '../contracts/runtime.ts'
import { TidemarkError } from '../errors.ts'

/** The time was over before the target had answered. */
export class TargetTimeout extends TidemarkError {
  constructor(target: string, timeoutMs: number) {
    super('TARGET_FAILED', `${target}: no answer in ${timeoutMs} ms.`, {
      retryable: true,
      outcome: 'unknown',
    })
  }
}

export class Bounds {
  readonly #target: string
  readonly #runtime: Runtime
  readonly #timeoutMs: number
  readonly #end = new AbortController()

  constructor(target: string, runtime: Runtime, timeoutMs: number) {
    this.#target = target
    this.#runtime = runtime
    this.#timeoutMs = timeoutMs
  }

  /** @throws what ended it early: the signal's reason, `TargetTimeout`, or TidemarkError `CLOSED` */
  async run<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController()
    const any = AbortSignal.any([late.signal, this.#end.signal, ...(signal ? [signal] : [])])
    any.throwIfAborted()
    const ended = Promise.withResolvers<never>()
    const tell = (): void => ended.reject(any.reason)
    any.addEventListener('abort', tell, { once: true })
    const timer = this.#runtime.after(this.#timeoutMs, () =>
      late.abort(new TargetTimeout(this.#target, this.#timeoutMs)),
    )
    try {
      const working = work(any)
      // When it is ended first, what becomes of the work has nobody to tell.
      working.catch(() => undefined)
      return await Promise.race([working, ended.promise])
    } finally {
      timer.cancel()
      any.removeEventListener('abort', tell)
    }
  }

  /** Ends what is under way. */
  end(): void {
    this.#end.abort(new TidemarkError('CLOSED', `${this.#target} is closed.`))
  }
}
