/**
 * Numbers segments in the order of their commits, so that whoever has seen one need not look below it.
 *
 * Keeps: law 8 (no number is given twice, or below one of an earlier commit: of a segment that was swept away, or of another
 * process). It breaks when numbers in stock are given after somebody else has written, or when the transaction that took
 * them was not committed: then they are given up, and the next are taken above.
 *
 * AUTOINCREMENT notes each number, on a page of its own, which each commit with effects wrote. A stock is noted once,
 * and is twice as large as the last one while nobody else writes: of two that write by turns, each takes what it needs, so
 * that numbers are not used up.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

const largestStock = 1_024

const ofConnections = new WeakMap<DatabaseSync, SegmentNumbers>()

export class SegmentNumbers {
  readonly #version: StatementSync
  readonly #note: StatementSync
  #next = 1
  #last = 0
  #size = 1
  /** The transaction that took the stock is known to be committed. */
  #isNoted = false
  #seenVersion: unknown

  private constructor(database: DatabaseSync) {
    this.#version = database.prepare('PRAGMA data_version')
    this.#note = database.prepare(
      'UPDATE tidemark_database SET last_segment = max(last_segment, ?) + ? RETURNING last_segment',
    )
  }

  /** What one engine commits on a connection, another one on it is not told by the database: they share a stock. */
  static of(database: DatabaseSync): SegmentNumbers {
    const known = ofConnections.get(database)
    if (known !== undefined) return known
    const made = new SegmentNumbers(database)
    ofConnections.set(database, made)
    return made
  }

  /**
   * In a transaction that writes, so that nobody else does meanwhile; once in each.
   *
   * @returns the first of so many that follow each other
   */
  take(count: number): number {
    const version = this.#version.get()?.['data_version']
    const isAlone = this.#isNoted && version === this.#seenVersion
    this.#seenVersion = version
    if (!isAlone) this.#takeStock(count)
    else if (this.#next + count > this.#last + 1)
      this.#takeStock(Math.max(count, Math.min(2 * this.#size, largestStock)))
    const first = this.#next
    this.#next += count
    return first
  }

  /** The transaction that took the last of them is committed. */
  committed(): void {
    this.#isNoted = true
  }

  #takeStock(size: number): void {
    this.#isNoted = false
    // A database that was put back, under a connection that stayed open, notes less than was given.
    const last = Number(this.#note.get(this.#last, size)?.['last_segment'])
    this.#size = size
    this.#last = last
    this.#next = last - size + 1
  }
}
