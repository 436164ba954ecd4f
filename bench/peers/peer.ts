/**
 * What a contender is to the benchmark: something that writes rows number `first` to `first + count - 1`
 * of the pool, in order, and says when they are committed. Everything else about it is in its own file.
 */

import type { CommitLatency } from '../measure.ts'
import type { RowPool } from '../workloads/rows.ts'

export interface Peer {
  readonly sqliteVersion: string
  /** Returns when all of these rows are committed. Yields to the event loop as its kind can. */
  write(first: number, count: number, latency: CommitLatency): Promise<void>
  /** One row, committed when the call or its promise is done. For the latency of a lone write. */
  insertOne?(index: number): void | PromiseLike<unknown>
  close(): void | Promise<void>
}

export interface PeerSettings {
  readonly rowsPerCommit: number
  readonly rowsPerStatement: number
  /** A source hands over this many rows before it lets the event loop turn, as a socket would. */
  readonly rowsPerTick: number
}

export type OpenPeer = (file: string, rows: RowPool, settings: PeerSettings) => Promise<Peer>

/** The same for every contender. Tidemark gets them as options, the others as pragmas. */
export const CACHE_BYTES = 64 * 2 ** 20
export const JOURNAL_SIZE_LIMIT_BYTES = 64 * 2 ** 20
export const AUTOCHECKPOINT_PAGES = 1_000
export const BUSY_TIMEOUT_MS = 5_000
export const PRAGMAS = [
  'journal_mode = WAL',
  'synchronous = NORMAL',
  `cache_size = -${CACHE_BYTES / 1024}`,
  `wal_autocheckpoint = ${AUTOCHECKPOINT_PAGES}`,
  `journal_size_limit = ${JOURNAL_SIZE_LIMIT_BYTES}`,
  `busy_timeout = ${BUSY_TIMEOUT_MS}`,
]

/** `INSERT INTO logs (…) VALUES (?, …), (?, …), …` for so many rows. */
export function insertSql(rowsPerStatement: number): string {
  const row = '(?, ?, ?, ?, ?)'
  return `INSERT INTO logs (ts, level, service, message, attributes) VALUES ${Array(rowsPerStatement).fill(row).join(', ')}`
}

/** Flattens rows into the values of such a statement. The same array each time: nothing is allocated. */
export function fillValues(values: unknown[], rows: RowPool, first: number, count: number): void {
  let slot = 0
  for (let index = first; index < first + count; index++) {
    const row = rows.at(index)
    values[slot++] = row.ts
    values[slot++] = row.level
    values[slot++] = row.service
    values[slot++] = row.message
    values[slot++] = row.attributes
  }
}

/**
 * How a blocking contender writes: commit after commit, and the event loop turns between them. Where a
 * commit is one row the loop turns every `commitsPerTick` commits, or turning it would be the work.
 */
export function inCommits(
  size: { readonly rowsPerCommit: number; readonly commitsPerTick: number },
  commit: (first: number, count: number) => void | Promise<unknown>,
): Peer['write'] {
  return async (first, count, latency) => {
    const end = first + count
    let commits = 0
    for (let at = first; at < end; at += size.rowsPerCommit) {
      const rows = Math.min(size.rowsPerCommit, end - at)
      const isSampled = at % 100 < rows
      if (isSampled) latency.accepted(at)
      const pending = commit(at, rows)
      if (pending !== undefined) await pending
      if (isSampled) latency.committedUpTo(at)
      if (++commits % size.commitsPerTick === 0) await nextTurn()
    }
  }
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
