/**
 * Keeps the receipt of every row that a test writes, and afterwards holds each against the file: law 1 says that
 * every one of them settles and tells the truth, law 2 that the rows are a prefix, law 3 that none is there twice.
 */
import { expect } from 'vitest'
import type { Outcome, Receipt, Tidemark } from '../../src/index.ts'
import { look } from './database-file.ts'

export const ledgerSchema = `
  CREATE TABLE rows (
    id INTEGER PRIMARY KEY, n INTEGER NOT NULL, writer TEXT NOT NULL,
    text TEXT NOT NULL CONSTRAINT not_poison CHECK (text <> 'poison')
  );`

/** The tables of a test's database, as loosely typed as `open` leaves them by default. */
export type AnyTables = Record<string, Record<string, unknown>>
export type AnyTidemark = Tidemark<AnyTables>

interface Entry {
  readonly n: number
  readonly receipt: Receipt
}

export interface Tally {
  readonly committed: number
  readonly rejected: number
  readonly notCommitted: number
  readonly unknown: number
}

export class Ledger {
  readonly #file: string
  readonly #owner: string
  readonly #entries: Entry[] = []
  #n = 0

  /** @param owner tells the rows of several ledgers on one file apart */
  constructor(file: string, owner = 'ledger') {
    this.#file = file
    this.#owner = owner
  }

  get receipts(): readonly Receipt[] {
    return this.#entries.map(({ receipt }) => receipt)
  }

  get unsettled(): number {
    return this.#entries.filter(({ receipt }) => receipt.state === 'pending').length
  }

  /** Writes one row. Nothing in the table keeps a row from being there twice. */
  insert(db: AnyTidemark, text = 'x'): Receipt {
    const n = this.#n + 1
    const receipt = db.insert('rows', { n, writer: this.#owner, text })
    this.#n = n
    this.#entries.push({ n, receipt })
    return receipt
  }

  insertMany(db: AnyTidemark, count: number, text = 'x'): readonly Receipt[] {
    return Array.from({ length: count }, () => this.insert(db, text))
  }

  /** Waits for every receipt, then compares all of them with the file. */
  async settle(): Promise<Tally> {
    await Promise.all(this.#entries.map(({ receipt }) => receipt.outcome()))
    return this.check()
  }

  /** Every receipt has settled, and what it says is what the file holds. */
  async check(): Promise<Tally> {
    expect(this.unsettled, 'unsettled receipts').toBe(0)
    const copies = this.#copies()
    const tally = { committed: 0, rejected: 0, notCommitted: 0, unknown: 0 }
    const problems: string[] = []
    let firstMissing: number | undefined
    for (const { n, receipt } of this.#entries) {
      const outcome = await receipt.outcome()
      const fate = fateOf(outcome)
      tally[fate]++
      const found = copies.get(n) ?? 0
      copies.delete(n)
      if (found < least[fate] || found > most[fate])
        problems.push(`row ${n}: ${fate}, but there ${found} times`)
      if (found > 0 && firstMissing !== undefined)
        problems.push(`row ${n} is there, row ${firstMissing} is not`)
      if (found === 0 && fate !== 'rejected') firstMissing ??= n
      if (receipt.state !== outcome.kind)
        problems.push(`row ${n}: ${outcome.kind}, but its state is ${receipt.state}`)
    }
    for (const n of copies.keys()) problems.push(`row ${n} is there and was never accepted`)
    expect(problems).toEqual([])
    return tally
  }

  /** How often each row is in the file. */
  #copies(): Map<number, number> {
    const copies = new Map<number, number>()
    let before = 0
    for (const { n } of look<{ n: number }>(
      this.#file,
      'SELECT n FROM rows WHERE writer = ? ORDER BY id',
      this.#owner,
    )) {
      expect(n, 'rows stand in the order in which they were accepted').toBeGreaterThanOrEqual(before)
      before = n
      copies.set(n, (copies.get(n) ?? 0) + 1)
    }
    return copies
  }
}

const least = { committed: 1, rejected: 0, notCommitted: 0, unknown: 0 }
const most = { committed: 1, rejected: 0, notCommitted: 0, unknown: 1 }

function fateOf(outcome: Outcome): keyof Tally {
  if (outcome.kind !== 'abandoned') return outcome.kind
  return outcome.error.outcome === 'unknown' ? 'unknown' : 'notCommitted'
}
