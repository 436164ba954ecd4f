/** One run of the pipeline on one database: it goes on where an earlier one was stopped, and says what came of it. */
import { DatabaseSync } from 'node:sqlite'
import { delayed } from './delayed.ts'
import type { Source } from './library.ts'
import { closeReader } from './ocr/read.ts'
import { runBlocking } from './pipeline/blocking.ts'
import { Journal, type Latency, type Moment } from './pipeline/journal.ts'
import { runMemoryFirst } from './pipeline/memory-first.ts'
import { resultHash } from './result-hash.ts'
import { serveStatus } from './status.ts'
import { schema, type DB } from './tables.ts'
import { open, sqlite, type Tidemark } from './tidemark.ts'

export type Mode = 'memory-first' | 'blocking'

export interface RunOptions {
  readonly mode: Mode
  readonly database: string
  readonly sources: readonly Source[]
  readonly atOnce: number
  /** By which each commit is answered late. */
  readonly delayMs: number
  /** Of the status over HTTP; undefined for none. */
  readonly port: number | undefined
  readonly onMoment: (moment: Moment) => void
  readonly onListening: (port: number) => void
}

export interface RunResult {
  readonly mode: Mode
  readonly delayMs: number
  readonly books: number
  readonly totalMs: number
  readonly workMs: number
  readonly latencies: readonly Latency[]
  readonly awaitedWrites: number
  readonly operations: number
  readonly transactions: number
  readonly hash: string
}

/** @param stayOpen resolves when status need not be served any more; it begins to be asked when all books are done */
export async function run(options: RunOptions, stayOpen: () => Promise<unknown>): Promise<RunResult> {
  const db = await openDatabase(options.database, options.delayMs)
  const server = options.port === undefined ? undefined : await serveStatus(db, options.port)
  const address = server?.address()
  if (typeof address === 'object' && address !== null) options.onListening(address.port)
  // Whoever waits for effects alone keeps no process alive.
  const alive = setInterval(() => undefined, 60_000)
  try {
    const journal = new Journal(options.onMoment)
    const before = db.stats()
    const since = performance.now()
    const job = { db, sources: options.sources, atOnce: options.atOnce, journal }
    await (options.mode === 'blocking' ? runBlocking(job) : runMemoryFirst(job))
    const totalMs = performance.now() - since
    const after = db.stats()
    const result = {
      mode: options.mode,
      delayMs: options.delayMs,
      books: options.sources.length,
      totalMs,
      workMs: journal.workMs,
      latencies: journal.latencies,
      awaitedWrites: journal.awaitedWrites,
      operations: after.committed.operations - before.committed.operations,
      transactions: after.transactions.count - before.transactions.count,
      hash: await resultHash(db),
    }
    await stayOpen()
    return result
  } finally {
    clearInterval(alive)
    await closeReader()
    server?.close()
    server?.closeAllConnections()
    await db.close()
  }
}

/** The writer keeps its name, so that the next run takes over at once from one that was killed. */
export function openDatabase(file: string, delayMs = 0, writer = 'books'): Promise<Tidemark<DB>> {
  createTables(file)
  const store = sqlite(file)
  return open<DB>(delayMs === 0 ? store : delayed(store, delayMs), { writer })
}

export function createTables(file: string): void {
  const setup = new DatabaseSync(file)
  setup.exec(`PRAGMA journal_mode = WAL; ${schema}`)
  setup.close()
}
