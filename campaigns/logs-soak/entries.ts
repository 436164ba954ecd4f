/** Entries that carry their number, so that what is found later tells which it is. */
import { EntryPool } from '../../bench/workloads/logs/entries.ts'
import type { LogEntry } from '../../src/logs/index.ts'

const pool = new EntryPool(16_000)

export function numbered(n: number): LogEntry {
  const entry = pool.at(n)
  return { ...entry, ts: Date.now(), message: `${prefix}${n} ${entry.message}` }
}

const prefix = 'entry'

/** In the index it is one word. */
export function wordOf(n: number): string {
  return `${prefix}${n}`
}

export function numberIn(message: string): number {
  return Number(message.slice(prefix.length, message.indexOf(' ')))
}
