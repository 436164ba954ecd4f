/**
 * The threads that read files. Each has a few tasks ahead, and gets one more for each that was taken from it, so that
 * whoever takes too long holds up the workers, and nothing grows.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { FromWorker, Task, WorkerOptions, WorkerTally } from './messages.ts'

const tasksAhead = 8

/** What a worker may say of a task. */
export type Answer = Exclude<FromWorker, { kind: 'ready' | 'ended' }>

export interface Workers {
  /** Gives out the tasks. @param take takes an answer, and resolves when the worker may go on */
  run(tasks: Iterable<Task>, take: (answer: Answer) => Promise<void>): Promise<WorkerTally[]>
}

/** Starts the threads, and waits until each has loaded what it needs. */
export async function startWorkers(count: number, options: WorkerOptions): Promise<Workers> {
  const workers = Array.from(
    { length: count },
    () => new Worker(new URL('worker.ts', import.meta.url), { workerData: options }),
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  return {
    async run(tasks, take) {
      const todo = tasks[Symbol.iterator]()
      return await Promise.all(workers.map((worker) => runOne(worker, todo, take)))
    },
  }
}

function runOne(
  worker: Worker,
  todo: Iterator<Task>,
  take: (answer: Answer) => Promise<void>,
): Promise<WorkerTally> {
  let hasEnded = false
  const giveNext = (): void => {
    if (hasEnded) return
    const { value, done } = todo.next()
    if (done) hasEnded = true
    worker.postMessage(done ? 'end' : value)
  }
  return new Promise((resolve, reject) => {
    worker.on('error', reject)
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') return
      if (message.kind === 'ended') resolve(message.tally)
      else take(message).then(giveNext, reject)
    })
    for (let n = 0; n < tasksAhead; n++) giveNext()
  })
}
