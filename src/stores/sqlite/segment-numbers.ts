/**
 * Numbers segments in the order of their commits, so that whoever has seen one need not look below it.
 *
 * Keeps: law 8 (no number is below one of an earlier commit, of whichever process). It breaks when numbers in stock are given
 * after somebody else has taken some: so they are given only while the last of them is what SQLite has noted, which is
 * also not so when the transaction that took them was rolled back, or the database was put back. None is ever given
 * twice: the table says AUTOINCREMENT.
 *
 * SQLite notes each number that is above the last one noted, on a page of its own, which each commit with effects wrote. A
 * stock is noted once, and is twice as large as the last one while nobody else takes any: of two that write by turns, each
 * takes what it needs, so that numbers are not used up.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { raiseSequence } from './reserve.ts'

const largestStock = 1_024

export class SegmentNumbers {
  readonly #database: DatabaseSync
  readonly #noted: StatementSync
  #next = 1
  /** The last that is in stock. */
  #last = 0
  #size = 0

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#noted = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'tidemark_segments'")
  }

  /**
   * In a transaction that writes, so that nobody else does meanwhile.
   *
   * @returns the first of so many that follow each other
   */
  take(count: number): number {
    const noted = Number(this.#noted.get()?.['seq'] ?? 0)
    if (noted !== this.#last) this.#takeStock(count, noted)
    else if (this.#next + count > this.#last + 1)
      this.#takeStock(Math.max(count, Math.min(2 * this.#size, largestStock)), noted)
    const first = this.#next
    this.#next += count
    return first
  }

  #takeStock(size: number, noted: number): void {
    // A database that was put back notes less than was given.
    const skipped = Math.max(0, this.#last - noted)
    const { first } = raiseSequence(this.#database, 'tidemark_segments', 'id', skipped + size)
    this.#next = first + skipped
    this.#last = this.#next + size - 1
    this.#size = size
  }
}
