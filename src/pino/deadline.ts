import type { Runtime } from '../contracts/runtime.ts'

/** A time that may be over before something else is. */
export interface Deadline {
  readonly passed: Promise<void>
  cancel(): void
}

export function deadline(runtime: Runtime, ms: number): Deadline {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = runtime.after(ms, resolve)
  return { passed: promise, cancel: () => timer.cancel() }
}
