/**
 * What the list of logs shows: entries, newest first, and gaps where more came than could be read.
 *
 * Keeps: never more than `MAX_ROWS`, whatever comes; each entry once; what is left out is counted and said.
 */
import type { LogEntry, RawEntry } from '../api/answers.ts'

export const MAX_ROWS = 1_000
/** So many are shown of what came since the list was last drawn; nobody reads more. */
export const MAX_AT_ONCE = 100

export type Row =
  | { readonly kind: 'entry'; readonly id: number; readonly entry: LogEntry }
  | { readonly kind: 'gap'; readonly id: number; readonly count: number }

/** Entries that came and are not shown yet: the newest of them, and how many they are. */
export class Waiting {
  #newest: RawEntry[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  add(entries: readonly RawEntry[]): void {
    this.#count += entries.length
    this.#newest = [...this.#newest, ...entries].slice(-MAX_AT_ONCE)
  }

  /** Newest first, with a gap behind them for those that were left out. */
  take(): Row[] {
    const newest = this.#newest.toReversed()
    const leftOut = this.#count - newest.length
    this.clear()
    const rows = newest.map(({ json }) => toRow(JSON.parse(json) as LogEntry))
    const oldest = rows.at(-1)
    return leftOut > 0 && oldest ? [...rows, { kind: 'gap', id: oldest.id - 1, count: leftOut }] : rows
  }

  clear(): void {
    this.#newest = []
    this.#count = 0
  }
}

export function toRow(entry: LogEntry): Row {
  return { kind: 'entry', id: entry.id, entry }
}

/** Newer rows above; the oldest make room. */
export function withNewer(rows: readonly Row[], newer: readonly Row[]): readonly Row[] {
  return [...newer, ...rows].slice(0, MAX_ROWS)
}

/** Older rows below; the newest make room. */
export function withOlder(rows: readonly Row[], older: readonly Row[]): readonly Row[] {
  const last = rows.at(-1)?.id ?? Infinity
  return [...rows, ...older.filter(({ id }) => id < last)].slice(-MAX_ROWS)
}
