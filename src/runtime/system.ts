import { randomBytes, randomUUID } from 'node:crypto'
import type { Runtime } from '../contracts/runtime.ts'

/** Node runs a longer timer at once. Three weeks stand for "never" as well. */
const maxDelayMs = 2 ** 31 - 1

/** The real clock, timers and chance. */
export const systemRuntime: Runtime = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(ms, task, background) {
    const timeout = setTimeout(task, Math.min(ms, maxDelayMs))
    if (background) timeout.unref()
    return { cancel: () => clearTimeout(timeout) }
  },
  atEndOfTick: (task) => void setImmediate(task),
  random: () => Math.random(),
  uniqueId: () => randomUUID(),
  randomHex: (bytes) => randomBytes(bytes).toString('hex'),
}
