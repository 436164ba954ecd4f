import type { Runtime } from '../contracts/runtime.ts'

const firstDelayMs = 10
const maxDelayMs = 2_000

/**
 * Exponential backoff with jitter over its upper half ("equal jitter"), as in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015):
 * many engines that lost one database do not come back to it in step.
 *
 * @param attempt 1 for the first retry
 */
export function backoffMs(attempt: number, runtime: Runtime): number {
  const ceiling = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 20))
  return Math.ceil(ceiling * (0.5 + runtime.random() / 2))
}
