/** A small pool of read-only connections, each on its thread, started when the ones before are busy. */
import type { QueryResult, Snapshot, SqlQuery } from '../../contracts/store.ts'
import { StoreError } from '../../errors.ts'
import type { Requests, ThreadSettings } from './messages.ts'
import { unpack } from './queries.ts'
import { Thread } from './thread.ts'

export class Readers {
  readonly #settings: ThreadSettings
  readonly #max: number
  #threads: Thread[] = []
  #isClosed = false

  constructor(settings: ThreadSettings, max: number) {
    this.#settings = settings
    this.#max = max
  }

  /** @throws StoreError */
  query(query: SqlQuery): Promise<QueryResult> {
    if (this.#isClosed) return Promise.reject(closed())
    // One step from the answer to the rows: every eventual read takes it.
    return this.#least()
      .call('query', query)
      .then(unpack, async (error: unknown) => unpack(await this.#again('query', query, error)))
  }

  /** @throws StoreError */
  async snapshot(request: Requests['snapshot']['request']): Promise<Snapshot> {
    if (this.#isClosed) throw closed()
    try {
      return await this.#least().call('snapshot', request)
    } catch (error) {
      return await this.#again('snapshot', request, error)
    }
  }

  /** A read changes nothing, so one whose thread died is simply run again on another. */
  async #again<K extends 'query' | 'snapshot'>(
    kind: K,
    request: Requests[K]['request'],
    error: unknown,
  ): Promise<Requests[K]['answer']> {
    if (!(error instanceof StoreError) || error.outcome !== 'unknown' || this.#isClosed) throw error
    return await this.#least().call(kind, request)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(
      this.#threads.map(async (thread) => {
        await thread.call('close', {}).catch(() => undefined)
        await thread.terminate()
      }),
    )
  }

  abandon(): void {
    for (const thread of this.#threads) thread.abandon()
  }

  #least(): Thread {
    if (this.#threads.some((thread) => thread.isDead))
      this.#threads = this.#threads.filter((thread) => !thread.isDead)
    let least = this.#threads[0]
    for (const thread of this.#threads) if (least && thread.load < least.load) least = thread
    if (least && (least.load === 0 || this.#threads.length >= this.#max)) return least
    const thread = new Thread(this.#settings, () => undefined)
    this.#threads.push(thread)
    // Answers come in order: a failure to open is told by the query behind it.
    thread.call('open', {}).catch(() => undefined)
    return thread
  }
}

function closed(): StoreError {
  return new StoreError('fatal', 'the store was closed')
}
