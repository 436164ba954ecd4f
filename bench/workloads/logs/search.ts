/**
 * Searches in millions of entries: while nothing else happens, and while entries come in as fast as they are taken.
 * What is found is held against what was written.
 */
import { statSync } from 'node:fs'
import type { LogStore, SearchQuery, StoredEntry } from '../../../src/logs/index.ts'
import type { LogJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { nextTurn } from '../../peers/peer.ts'
import { openLogStore, takenBy } from '../../peers/logs/tidemark.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'
import { entryAt, EntryPool, numberOf, NUMBERS, POOL_SIZE, RARE_SERVICE, rowAt } from './entries.ts'
import { SEARCHES, type SearchName } from './sizes.ts'

type Waits = Partial<Record<SearchName, Percentiles>>

export interface Searched {
  readonly buildRowsPerSecond: number
  readonly databaseBytes: number
  readonly idleMs: Waits
  readonly busyMs: Waits
  readonly ingestAloneRowsPerSecond: number
  readonly ingestRowsPerSecond: number
  readonly busy: Usage
  /** Entries at the end. */
  readonly written: number
}

const ROWS_PER_LOAD = 1_000
const MOST_SAMPLES = 200

export const searchLogs: Workload<Searched, LogJob> = async ({ file, rows, roundMs }) => {
  const buildRowsPerSecond = await build(file, rows)
  const logs = await openLogStore(file)
  const databaseBytes = statSync(file).size

  const idle = new Searches(logs, rows)
  for (const name of SEARCHES) await idle.run([name], roundMs)

  const pool = new EntryPool(POOL_SIZE)
  const alone = new Ingest(logs, pool)
  await alone.run(AbortSignal.timeout(roundMs))
  const beside = new Ingest(logs, pool)
  const busy = new Searches(logs, rows)
  const over = new AbortController()
  const stop = startMeter()
  const ingesting = beside.run(over.signal)
  await busy.run(SEARCHES, SEARCHES.length * roundMs)
  over.abort()
  await ingesting
  const usage = stop()
  await logs.close()
  return {
    buildRowsPerSecond,
    databaseBytes,
    idleMs: idle.waits(),
    busyMs: busy.waits(),
    ingestAloneRowsPerSecond: alone.rowsPerSecond,
    ingestRowsPerSecond: beside.rowsPerSecond,
    busy: usage,
    written: rows + alone.taken + beside.taken,
  }
}

/** With larger batches than the preset's: it is not what is measured here. */
async function build(file: string, rows: number): Promise<number> {
  const logs = await openLogStore(file, { batch: { maxOperations: ROWS_PER_LOAD } })
  const startMs = performance.now()
  for (let n = 0; n < rows; n += ROWS_PER_LOAD) {
    const load = Array.from({ length: Math.min(ROWS_PER_LOAD, rows - n) }, (_, at) => rowAt(n + at))
    await takenBy(logs, () => logs.storeRows(load))
    await nextTurn()
  }
  await logs.tidemark.flush()
  const rate = rows / ((performance.now() - startMs) / 1_000)
  await logs.close()
  return rate
}

/** Entries of the pool, as fast as they are taken. */
class Ingest {
  readonly #logs: LogStore
  readonly #pool: EntryPool
  taken = 0
  rowsPerSecond = 0

  constructor(logs: LogStore, pool: EntryPool) {
    this.#logs = logs
    this.#pool = pool
  }

  async run(signal: AbortSignal): Promise<void> {
    const startMs = performance.now()
    while (!signal.aborted) {
      const entry = this.#pool.at(this.taken)
      await takenBy(this.#logs, () => this.#logs.store(entry))
      if (++this.taken % 1_000 === 0) await nextTurn()
    }
    await this.#logs.tidemark.flush()
    this.rowsPerSecond = this.taken / ((performance.now() - startMs) / 1_000)
  }
}

interface Case {
  readonly query: SearchQuery
  readonly isRight: (entries: readonly StoredEntry[]) => boolean
}

class Searches {
  readonly #logs: LogStore
  readonly #rows: number
  readonly #waits = new Map<SearchName, number[]>()
  #turn = 0

  constructor(logs: LogStore, rows: number) {
    this.#logs = logs
    this.#rows = rows
  }

  /** These in turn, for so long or until each has samples enough. */
  async run(names: readonly SearchName[], forMs: number): Promise<void> {
    const endMs = performance.now() + forMs
    while (performance.now() < endMs) {
      for (const name of names) {
        const { query, isRight } = caseOf(name, this.#turn++, this.#rows)
        const startMs = performance.now()
        const { entries } = await this.#logs.search(query)
        const waits = this.#waits.get(name) ?? []
        this.#waits.set(name, waits)
        waits.push(performance.now() - startMs)
        if (!isRight(entries)) throw new Error(`${name}: ${JSON.stringify(query)} found something else`)
      }
      if (names.every((name) => (this.#waits.get(name)?.length ?? 0) >= MOST_SAMPLES)) return
    }
  }

  waits(): Waits {
    return Object.fromEntries([...this.#waits].map(([name, waits]) => [name, percentilesOf(waits)]))
  }
}

/** The newest come first; those of the pool, which come while it searches, repeat the numbers of the first entries. */
function caseOf(name: SearchName, turn: number, rows: number): Case {
  const any = entryAt((turn * 104_729) % rows)
  const full = (entries: readonly StoredEntry[]): boolean => entries.length === 100
  switch (name) {
    case 'a number, found once in a million entries': {
      // Beyond the pool, so that nothing is found twice.
      const n = POOL_SIZE + ((turn * 104_729) % (Math.min(rows, NUMBERS) - POOL_SIZE))
      const { message } = entryAt(n)
      return {
        query: { text: numberOf(n) },
        isRight: (found) =>
          found.length === Math.ceil((rows - n) / NUMBERS) && found.at(-1)?.message === message,
      }
    }
    case 'two words':
      return {
        query: { text: 'unreachable corrupt' },
        isRight: (found) =>
          found.every(({ message }) => /unreachable/.test(message) && /corrupt/.test(message)),
      }
    case 'fatal, and a word':
      return {
        query: { level: 'fatal', text: any.message.split(' ')[0] ?? '' },
        isRight: (found) => found.every(({ level }) => level === 'fatal'),
      }
    case 'a service':
      return {
        query: { service: RARE_SERVICE },
        isRight: (found) => full(found) && found.every(({ service }) => service === RARE_SERVICE),
      }
    case 'a common word':
      return { query: { text: 'request' }, isRight: full }
    case 'the newest 100':
      return { query: {}, isRight: full }
  }
}
