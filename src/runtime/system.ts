import { randomUUID } from 'node:crypto'
import type { Runtime } from '../contracts/runtime.ts'

/** The real clock, timers and chance. */
export const systemRuntime: Runtime = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(ms, task, background) {
    const timeout = setTimeout(task, ms)
    if (background) timeout.unref()
    return { cancel: () => clearTimeout(timeout) }
  },
  atEndOfTick: (task) => void setImmediate(task),
  random: () => Math.random(),
  uniqueId: () => randomUUID(),
}
