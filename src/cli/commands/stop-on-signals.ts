/** Ctrl-C and SIGTERM: the first one ends the reading and drains, the second one ends the process. */
import { EXIT } from '../failure.ts'

export interface Stop extends Disposable {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal
  /** What a process that was stopped exits with. */
  readonly exitCode: number
  /** Ends the process at once, as the signal would have without us. */
  readonly endNow: () => void
}

/** @param doing what the first signal makes it do, for the person who sent it */
export function stopOnSignals(doing = 'stopping; what was read is being committed'): Stop {
  const controller = new AbortController()
  let received: 'SIGINT' | 'SIGTERM' = 'SIGINT'
  const release = (): void => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, listener)
  }
  const endNow = (): void => {
    // Not `process.exit`: that waits for threads, and one may be in a system call that never returns.
    release()
    process.kill(process.pid, received)
  }
  const listener = (name: 'SIGINT' | 'SIGTERM'): void => {
    received = name
    if (controller.signal.aborted) return endNow()
    controller.abort()
    process.stderr.write(`tidemark: ${doing} (again to end at once)\n`)
  }
  process.on('SIGINT', listener)
  process.on('SIGTERM', listener)
  return {
    signal: controller.signal,
    get exitCode() {
      return received === 'SIGINT' ? EXIT.interrupted : EXIT.terminated
    },
    endNow,
    [Symbol.dispose]: release,
  }
}
