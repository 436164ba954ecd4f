/**
 * What a log store does in earnest, all at once: entries as fast as they are taken, two tails, a search every 100 ms,
 * and a retention that deletes as fast as entries come. What is found is held against what was written.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { takenBy } from '../../bench/peers/logs/tidemark.ts'
import { RARE_SERVICE } from '../../bench/workloads/logs/entries.ts'
import type { LogStore, SearchQuery, StoredEntry } from '../../src/logs/index.ts'
import { numbered, numberIn, wordOf } from './entries.ts'
import type { LogWindowMeter } from './window.ts'

const searchEveryMs = 100
const entriesPerTurn = 500

export class LogWorkload {
  readonly #logs: LogStore
  accepted = 0
  #committed = 0
  #searches = 0

  constructor(logs: LogStore) {
    this.#logs = logs
  }

  /** Until the signal; then everything accepted is committed. */
  async run(signal: AbortSignal, meter: LogWindowMeter): Promise<void> {
    const failed = new AbortController()
    const over = AbortSignal.any([signal, failed.signal])
    const outcomes = await Promise.allSettled(
      [this.#write(over, meter), this.#search(over, meter)].map((activity) =>
        activity.catch((error: unknown) => {
          failed.abort()
          throw error
        }),
      ),
    )
    const failure = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failure) throw failure.reason
  }

  async #write(over: AbortSignal, { latency }: LogWindowMeter): Promise<void> {
    while (!over.aborted) {
      const { receipt } = await takenBy(this.#logs, () => this.#logs.store(numbered(this.accepted + 1)))
      if (++this.accepted % 100 === 0) latency.accepted(receipt.position.seq)
      if (this.accepted % entriesPerTurn === 0) await new Promise((resolve) => void setImmediate(resolve))
    }
    await this.#logs.tidemark.flush()
    this.#committed = this.accepted
  }

  async #search(over: AbortSignal, meter: LogWindowMeter): Promise<void> {
    for (; !over.aborted; await delay(searchEveryMs)) {
      const { query, isRight } = this.#next()
      const startMs = performance.now()
      const { entries } = await this.#logs.search(query)
      meter.searched(performance.now() - startMs)
      if (!isRight(entries))
        throw new Error(`${JSON.stringify(query)} found ${entries.length} entries, wrongly`)
    }
  }

  #next(): { query: SearchQuery; isRight: (found: readonly StoredEntry[]) => boolean } {
    switch (this.#searches++ % 4) {
      case 0: {
        // Written in an earlier window, so surely indexed; perhaps deleted since.
        const n = Math.max(1, this.#committed - (this.#searches % 1_000))
        return {
          query: { text: wordOf(n) },
          isRight: (found) => found.length <= 1 && found.every(({ message }) => numberIn(message) === n),
        }
      }
      case 1:
        return {
          query: { service: RARE_SERVICE },
          isRight: (found) => found.every(({ service }) => service === RARE_SERVICE),
        }
      case 2:
        return {
          query: { text: 'timeout refused', level: 'warn' },
          isRight: (found) =>
            found.every(
              ({ level, message }) =>
                /^(warn|error|fatal)$/.test(level) && /timeout/.test(message) && /refused/.test(message),
            ),
        }
      default:
        return {
          query: { limit: 100 },
          isRight: (found) => found.every(({ id }, at) => at === 0 || id === (found[at - 1]?.id ?? 0) - 1),
        }
    }
  }
}
