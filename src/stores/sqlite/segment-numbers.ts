/**
 * Numbers segments in the order of their commits, so that whoever has seen one need not look below it.
 *
 * Keeps: law 8 (no number is below one of an earlier commit, of whichever process). It breaks when numbers in stock are given
 * after somebody else has written: then they are given up, and the next are taken above. None is ever given twice, as the
 * table says AUTOINCREMENT: one from a stock whose transaction was rolled back is noted by SQLite itself when it is used.
 *
 * SQLite notes each number that is above the last one noted, on a page of its own, which each commit with effects wrote. A
 * stock is noted once, and is twice as large as the last one while nobody else writes: of two that write by turns, each takes
 * what it needs, so that numbers are not used up.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { raiseSequence } from './reserve.ts'

const largestStock = 1_024

const ofConnections = new WeakMap<DatabaseSync, SegmentNumbers>()

export class SegmentNumbers {
  readonly #database: DatabaseSync
  readonly #version: StatementSync
  #seenVersion: unknown
  #next = 1
  /** The last that is in stock. */
  #last = 0
  #size = 1

  private constructor(database: DatabaseSync) {
    this.#database = database
    this.#version = database.prepare('PRAGMA data_version')
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
   * In a transaction that writes, so that nobody else does meanwhile.
   *
   * @returns the first of so many that follow each other
   */
  take(count: number): number {
    const version = this.#version.get()?.['data_version']
    if (version !== this.#seenVersion) this.#takeStock(count)
    else if (this.#next + count > this.#last + 1)
      this.#takeStock(Math.max(count, Math.min(2 * this.#size, largestStock)))
    this.#seenVersion = version
    const first = this.#next
    this.#next += count
    return first
  }

  #takeStock(size: number): void {
    const { first } = raiseSequence(this.#database, 'tidemark_segments', 'id', size)
    this.#next = first
    this.#last = first + size - 1
    this.#size = size
  }
}
