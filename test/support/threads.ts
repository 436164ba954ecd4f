/**
 * The threads that engines start in this process, reached as any program can reach them: Node announces each new
 * one with the process event `worker`. Ending one from outside is what a crash of it looks like to the engine.
 */
import type { Worker } from 'node:worker_threads'
import { onTestFinished } from 'vitest'

/**
 * Collects the threads started from now on. An engine starts its writer's thread first; one that reads nothing and
 * has `walAutocheckpoint: 0` has no others, so that the last of them is always the writer's.
 */
export function watchThreads(): Worker[] {
  const threads: Worker[] = []
  const add = (thread: Worker): void => void threads.push(thread)
  process.on('worker', add)
  onTestFinished(() => void process.off('worker', add))
  return threads
}

/**
 * Loses the next answer of the thread: what it answers has happened, its news never arrives, and then the thread
 * is gone.
 *
 * @param meanwhile runs between the two
 */
export function dieBeforeAnswering(thread: Worker, meanwhile?: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const emit = thread.emit.bind(thread)
    const die = async (): Promise<void> => {
      await meanwhile?.()
      await thread.terminate()
    }
    let isDying = false
    thread.emit = (event: string | symbol, ...values: unknown[]): boolean => {
      if (event !== 'message') return emit(event, ...values)
      if (!isDying) die().then(resolve, reject)
      isDying = true
      return true
    }
  })
}
