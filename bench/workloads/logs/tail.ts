/** How long it takes from the call that accepts an entry until a subscriber has it, at a steady rate. */
import { setTimeout as delay } from 'node:timers/promises'
import type { LogStore } from '../../../src/logs/index.ts'
import type { LogJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { openLogStore } from '../../peers/logs/tidemark.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'
import { EntryPool, POOL_SIZE } from './entries.ts'
import { TAIL_RATE } from './sizes.ts'

export interface Tailed {
  readonly committedMs: Percentiles
  readonly acceptedMs: Percentiles
  readonly usage: Usage
  readonly written: number
}

const WARM_ENTRIES = 1_000

export const tailLogs: Workload<Tailed, LogJob> = async ({ file, roundMs }) => {
  const logs = await openLogStore(file)
  const pool = new EntryPool(POOL_SIZE)
  const run = new Run(logs, pool)
  const stop = startMeter()
  const committedMs = await run.measure('committed', roundMs)
  const acceptedMs = await run.measure('accepted', roundMs)
  const usage = stop()
  await logs.close()
  return { committedMs, acceptedMs, usage, written: run.written }
}

class Run {
  readonly #logs: LogStore
  readonly #pool: EntryPool
  written = 0

  constructor(logs: LogStore, pool: EntryPool) {
    this.#logs = logs
    this.#pool = pool
  }

  async measure(when: 'committed' | 'accepted', forMs: number): Promise<Percentiles> {
    const count = WARM_ENTRIES + Math.round((forMs / 1_000) * TAIL_RATE)
    const acceptedAt: number[] = []
    const waits: number[] = []
    const over = new AbortController()
    const following = this.#follow(when, over, (index) => {
      waits.push(performance.now() - (acceptedAt[index] ?? NaN))
      if (waits.length === count) over.abort()
    })
    await this.#write(count, acceptedAt)
    await following
    return percentilesOf(waits.slice(WARM_ENTRIES))
  }

  /** @throws when an entry comes out of its order */
  async #follow(
    when: 'committed' | 'accepted',
    { signal }: AbortController,
    seen: (index: number) => void,
  ): Promise<void> {
    const first = this.written
    let index = 0
    const tail =
      when === 'committed'
        ? this.#logs.subscribe({ when, signal, after: first })
        : this.#logs.subscribe({ when, signal })
    for await (const entry of tail) {
      if ('missed' in entry) throw new Error(`${entry.missed} entries were missed`)
      if (entry.ts !== first + index + 1) throw new Error(`entry ${first + index + 1} came as ${entry.ts}`)
      seen(index++)
    }
  }

  /** So many a second, one at a time; those that the timer is late for come together. */
  async #write(count: number, acceptedAt: number[]): Promise<void> {
    const startMs = performance.now()
    while (acceptedAt.length < count) {
      const due = Math.min(count, Math.floor(((performance.now() - startMs) / 1_000) * TAIL_RATE))
      while (acceptedAt.length < due) {
        acceptedAt.push(performance.now())
        this.#logs.store({ ...this.#pool.at(this.written), ts: ++this.written })
      }
      await delay(1)
    }
  }
}
