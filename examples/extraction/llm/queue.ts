/** How the requests to the LLM stand, for whoever watches. */
import type { Redis } from 'ioredis'
import { connect, counts, names } from './redis.ts'

export class LlmQueue {
  readonly #client: Redis

  constructor(url: string) {
    this.#client = connect(url)
  }

  /** For how long the oldest request waits, taken or not, in ms; 0: there is none. */
  async oldestMs(): Promise<number> {
    const [first] = await this.#client.xrange(names.requests, '-', '+', 'COUNT', 1)
    if (first === undefined) return 0
    const [seconds, micros] = await this.#client.time()
    // An entry's id begins with its time, by the same clock.
    return Number(seconds) * 1_000 + Number(micros) / 1_000 - Number(first[0].split('-')[0])
  }

  async counts(): Promise<Readonly<Record<string, number>>> {
    return await counts(this.#client)
  }

  close(): void {
    this.#client.disconnect()
  }
}
