/** The target's end of its thread: requests go out in order, answers come back in order. */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Reply, Requests, ThreadSettings } from './messages.ts'

/** What the thread says of a request as a whole. */
export class ThreadFailure extends Error {
  /** The file is at fault, and nothing that it was to hold. */
  readonly isDown: boolean

  constructor(message: string, isDown: boolean) {
    super(message)
    this.isDown = isDown
  }
}

export class Thread {
  readonly #worker: Worker
  readonly #ended = Promise.withResolvers<void>()
  #pending: PromiseWithResolvers<unknown>[] = []
  #isDead = false

  constructor(settings: ThreadSettings) {
    // The sources run as they are; the package has them compiled. Both lie beside this file, with its ending.
    this.#worker = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url), {
      workerData: settings,
    })
    this.#worker.unref()
    this.#worker.on('message', (reply: Reply) => this.#receive(reply))
    this.#worker.on('error', (error) => this.#die(error instanceof Error ? error.message : String(error)))
    this.#worker.on('exit', (code) => {
      this.#die(`its thread ended with code ${code}`)
      this.#ended.resolve()
    })
  }

  get isDead(): boolean {
    return this.#isDead
  }

  async call<K extends keyof Requests>(
    kind: K,
    request: Requests[K]['request'],
  ): Promise<Requests[K]['answer']> {
    const answer = Promise.withResolvers<unknown>()
    // Only while it owes an answer does it keep the process alive.
    if (this.#pending.length === 0) this.#worker.ref()
    this.#pending.push(answer)
    this.#worker.postMessage({ kind, ...request })
    return (await answer.promise) as Requests[K]['answer']
  }

  /** Ends behind what is under way. */
  async close(): Promise<void> {
    if (!this.#isDead) await this.call('close', {}).catch(() => undefined)
    // Whoever waits for the end is not to be left by the process.
    this.#worker.ref()
    await this.#ended.promise
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.shift()
    if (this.#pending.length === 0) this.#worker.unref()
    if (reply.kind === 'answer') pending?.resolve(reply.answer)
    else pending?.reject(new ThreadFailure(reply.message, reply.isDown))
  }

  #die(message: string): void {
    this.#isDead = true
    for (const pending of this.#pending.splice(0)) pending.reject(new ThreadFailure(message, false))
  }
}
