/** Processes that take one job after another: to start one takes longer than most histories. */
import { fork, type ChildProcess } from 'node:child_process'
import type { FromChild, ToChild } from './workload.ts'
import '../support/compile-cache.ts'

type Listener = (message: FromChild) => void

export class Worker {
  readonly #process: ChildProcess
  readonly #gone: Promise<string>
  #listener: Listener = () => undefined
  #stderr = ''
  readonly idle: Promise<void>

  constructor() {
    this.#process = fork(new URL('process.ts', import.meta.url), {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    const { promise, resolve } = Promise.withResolvers<void>()
    this.idle = promise
    this.#process.on('message', (message: FromChild) => {
      if (message.kind === 'idle') resolve()
      else this.#listener(message)
    })
    this.#gone = new Promise((settle) => {
      this.#process.on('exit', (code, signal) => settle(`${signal ?? code} ${this.#stderr}`))
    })
  }

  /** Resolves with how it ended. */
  get gone(): Promise<string> {
    return this.#gone
  }

  listen(listener: Listener): void {
    this.#listener = listener
  }

  tell(message: ToChild): void {
    // One that was killed hears nothing, and need not.
    if (this.#process.connected) this.#process.send(message, () => undefined)
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#gone
  }
}

export class Pool {
  readonly #all = new Set<Worker>()
  #idle: Worker[] = []

  /** @returns so many workers with nothing to do */
  async take(count: number): Promise<Worker[]> {
    while (this.#idle.length < count) this.giveBack(this.#start())
    const taken = this.#idle.splice(0, count)
    await Promise.all(taken.map((worker) => worker.idle))
    return taken
  }

  giveBack(worker: Worker): void {
    this.#idle.push(worker)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.kill()))
  }

  #start(): Worker {
    const worker = new Worker()
    this.#all.add(worker)
    void worker.gone.then(() => this.#all.delete(worker))
    return worker
  }
}
