/**
 * The asking side: awaits replies that are published, and looks for those whose publishing was lost.
 */
import type { Redis } from 'ioredis'
import { ask, connect, count, names, type Published, type Reply } from './redis.ts'

export interface LlmClientOptions {
  /** How often replies are looked for that were not heard of, in ms. Default 500. */
  readonly pollMs?: number
}

export class LlmClient {
  readonly #client: Redis
  readonly #subscriber: Redis
  readonly #waiting = new Map<string, (reply: Reply) => void>()
  readonly #timer: NodeJS.Timeout
  #isPolling = false

  constructor(url: string, { pollMs = 500 }: LlmClientOptions = {}) {
    this.#client = connect(url)
    // It subscribes again by itself after a lost connection; what was published meanwhile is found by polling.
    this.#subscriber = connect(url)
    this.#subscriber.on('message', (_, text: string) => {
      const { id, reply } = JSON.parse(text) as Published
      this.#tell(id, reply)
    })
    this.#subscriber.subscribe(names.replies).catch(() => undefined)
    // Where the first attempt met no server there is nothing to be taken up again.
    this.#subscriber.on('ready', () => void this.#subscriber.subscribe(names.replies).catch(() => undefined))
    this.#timer = setInterval(() => void this.#poll(), pollMs)
    this.#timer.unref()
  }

  /** @throws when the signal aborts, or Redis cannot be reached */
  async ask(id: string, prompt: string, signal: AbortSignal): Promise<Reply> {
    const told = Promise.withResolvers<Reply>()
    told.promise.catch(() => undefined)
    const abort = (): void => told.reject(signal.reason)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    // Before it is asked: the reply may come sooner than the answer to the asking.
    this.#waiting.set(id, told.resolve)
    const asked = ask(this.#client, id, prompt)
    asked.catch(() => undefined)
    try {
      // A server that is there and answers nothing must not hold up whoever asks beyond the time.
      const reply = await Promise.race([asked.then((found) => found.reply ?? told.promise), told.promise])
      // It was asked for by an attempt that had stopped waiting: its reply was kept, or is late.
      if (reply.kind === 'done' && (await asked).isAgain) await count(this.#client, 'late')
      return reply
    } finally {
      signal.removeEventListener('abort', abort)
      this.#waiting.delete(id)
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#client.disconnect()
    this.#subscriber.disconnect()
  }

  #tell(id: string, reply: Reply): boolean {
    const waiter = this.#waiting.get(id)
    waiter?.(reply)
    return waiter !== undefined
  }

  async #poll(): Promise<void> {
    const ids = [...this.#waiting.keys()]
    if (ids.length === 0 || this.#isPolling) return
    this.#isPolling = true
    try {
      const replies = await this.#client.mget(ids.map(names.reply))
      for (const [at, text] of replies.entries())
        if (text !== null && this.#tell(ids[at] as string, JSON.parse(text) as Reply))
          await count(this.#client, 'polled')
    } catch {
      // Looked for again in a moment.
    } finally {
      this.#isPolling = false
    }
  }
}
