/** What an import tells when it is over. */
import type { Done, WorkerTally } from './messages.ts'

export type Mode = 'tidemark' | 'baseline'

/** A number of durations, in ms. */
export interface Durations {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly longest: number
}

export interface Locks {
  /** Transactions that write: each takes the one write lock. */
  readonly writes: number
  /** Transactions that read. */
  readonly reads: number
  readonly busyErrors: number
  /** Of transactions that write, from when they were asked for to when they were done. */
  readonly writeMs: Durations
  /** Of transactions that write, how long they held the lock; undefined where the program cannot tell. */
  readonly heldMs: Durations | undefined
}

export interface ImportResult extends Locks {
  readonly mode: Mode
  readonly database: string
  readonly workers: number
  readonly seconds: number
  readonly files: Readonly<Record<Done['kind'], number>>
  /** Files by other names. */
  readonly others: number
  readonly faults: readonly { readonly path: string; readonly reason: string }[]
  /** The share of its time in which a worker waited for the database or for something to do. */
  readonly idle: number
  readonly rows: Readonly<Record<string, number>>
  readonly content: string
}

export function durationsOf(all: Iterable<number>): Durations {
  const sorted = Float64Array.from(all).toSorted()
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), longest: at(1) }
}

export function idleShare(tallies: readonly WorkerTally[]): number {
  const waitedMs = tallies.reduce(
    (sum, { waitedMs: own, connection }) => sum + own + (connection?.waitedMs ?? 0),
    0,
  )
  const totalMs = tallies.reduce((sum, tally) => sum + tally.totalMs, 0)
  return totalMs === 0 ? 0 : waitedMs / totalMs
}
