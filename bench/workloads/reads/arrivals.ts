/** Requests that arrive while the main thread is busy, as from a socket: another thread sends them, in its own time. */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export interface ArrivalSettings {
  readonly perSecond: number
  /** 1 while requests are to arrive. */
  readonly gate: Int32Array<SharedArrayBuffer>
}

export class Arrivals {
  readonly #gate = new Int32Array(new SharedArrayBuffer(4))
  readonly #thread: Worker | undefined

  private constructor(perSecond: number, arrive: (arrivedMs: number) => void) {
    if (perSecond === 0) return
    const settings: ArrivalSettings = { perSecond, gate: this.#gate }
    this.#thread = new Worker(new URL('./arrivals-thread.ts', import.meta.url), { workerData: settings })
    this.#thread.on('message', arrive)
  }

  static async open(perSecond: number, arrive: (arrivedMs: number) => void): Promise<Arrivals> {
    const arrivals = new Arrivals(perSecond, arrive)
    if (arrivals.#thread) await once(arrivals.#thread, 'online')
    return arrivals
  }

  start(): void {
    this.#set(1)
  }

  stop(): void {
    this.#set(0)
  }

  async close(): Promise<void> {
    await this.#thread?.terminate()
  }

  #set(state: 0 | 1): void {
    Atomics.store(this.#gate, 0, state)
    Atomics.notify(this.#gate, 0)
  }
}
