/**
 * Batches with each kind of operation, and a look at what became of them: nothing in the tables keeps a row from being
 * there twice, so what was applied twice, or not at all, or in another order, shows.
 */
import { expect } from 'vitest'
import type { Receipt } from '../../src/index.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'
import { queryAt } from '../support/servers/postgres.ts'

export const schema = `
  CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    n integer NOT NULL, CONSTRAINT not_poison CHECK (n >= 0));
  CREATE TABLE places (id integer PRIMARY KEY, n integer NOT NULL);
  CREATE TABLE counters (id integer PRIMARY KEY, count integer NOT NULL);
  INSERT INTO counters VALUES (1, 0), (2, 0)`

/** An engine that takes so many operations in a batch sends each of these batches by itself. */
export const batch = { maxOperations: 12, maxTransactionMs: 60_000 }

export class Workload {
  readonly #url: string
  readonly #receipts: Receipt[] = []
  readonly #expected: number[] = []
  #n = 0
  #batches = 0

  /** @param url where its tables are: past all that is between them and the engine */
  constructor(url: string) {
    this.#url = url
  }

  get receipts(): readonly Receipt[] {
    return this.#receipts
  }

  /** One whole batch. */
  write(db: AnyTidemark): void {
    const count = this.#batches++
    for (let left = 3; left > 0; left--) this.#receipts.push(db.insert('events', { n: this.#next() }))
    for (const id of [1, 2]) this.#receipts.push(db.upsert('places', { id, n: count + 1 }))
    const guarded = db.update('counters', { id: 1, count }, { count: count + 1 }, { expect: 1 })
    const increment = db.write({ sql: 'UPDATE counters SET count = count + 1 WHERE id = 2', parameters: [] })
    const group = db.atomic((together) => {
      together.insert('events', { n: this.#next() })
      together.upsert('places', { id: 3, n: count + 1 })
    })
    const rows = Array.from({ length: 3 }, () => ({ n: this.#next() }))
    const checkpoint = { source: 'workload', value: count + 1 }
    this.#receipts.push(
      guarded,
      increment,
      group,
      db.insertMany('events', rows, { atomic: false, checkpoint }),
    )
  }

  /** A batch of one operation that the tables refuse, between two that they take. */
  writePoison(db: AnyTidemark): Receipt {
    this.#receipts.push(db.insert('events', { n: this.#next() }))
    const poison = db.insert('events', { n: -1 })
    this.#receipts.push(db.insert('events', { n: this.#next() }))
    return poison
  }

  /** Waits for all receipts; then each is committed, and is there once. */
  async settle(db: AnyTidemark): Promise<void> {
    const outcomes = await Promise.all(this.#receipts.map((receipt) => receipt.outcome()))
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'committed' })
    expect(await this.#found(db.epoch)).toEqual({
      events: this.#expected,
      places: [1, 2, 3].map((id) => ({ id, n: this.#batches })),
      counters: [this.#batches, this.#batches],
      checkpoint: String(this.#batches),
      watermark: db.stats().tidemark.seq,
    })
  }

  async #found(epoch: number): Promise<unknown> {
    const [row] = await queryAt(
      this.#url,
      `SELECT (SELECT json_agg(n ORDER BY id) FROM events) AS events,
        (SELECT json_agg(p ORDER BY id) FROM places p) AS places,
        (SELECT json_agg(count ORDER BY id) FROM counters) AS counters,
        (SELECT value FROM tidemark_checkpoints WHERE source = 'workload') AS checkpoint,
        (SELECT watermark::int FROM tidemark_writers WHERE epoch = ${epoch}) AS watermark`,
    )
    return row
  }

  #next(): number {
    this.#expected.push(++this.#n)
    return this.#n
  }
}
