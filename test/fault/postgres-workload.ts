/**
 * Batches with each kind of operation, and a look at what became of them: nothing in the tables keeps a row from being
 * there twice, so what was applied twice, or not at all, or in another order, shows.
 */
import type { Client } from 'pg'
import { expect } from 'vitest'
import { open, type Receipt } from '../../src/index.ts'
import { postgres, type PostgresOptions } from '../../src/stores/postgres/index.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'
import { untilAt, type PostgresServer } from '../support/servers/postgres.ts'
import { WireProxy, type Message } from '../support/servers/wire-proxy.ts'

const schema = `
  CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    n integer NOT NULL, CONSTRAINT not_poison CHECK (n >= 0));
  CREATE TABLE places (id integer PRIMARY KEY, n integer NOT NULL);
  CREATE TABLE counters (id integer PRIMARY KEY, count integer NOT NULL);
  INSERT INTO counters VALUES (1, 0), (2, 0)`

/** An engine that takes so many operations in a batch sends each of these batches by itself. */
const operationsTogether = 12

export class Workload {
  readonly #connect: () => Promise<Client>
  #look: Client | undefined
  #receipts: Receipt[] = []
  #expected: number[] = []
  /** The newest event that was looked at. */
  #lastId = 0
  #n = 0
  #batches = 0

  /** @param connect to where its tables are: past all that is between them and the engine */
  constructor(connect: () => Promise<Client>) {
    this.#connect = connect
  }

  /** Since the last look. */
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

  /** An operation that the tables refuse, between two that they take. @returns its receipt */
  writePoison(db: AnyTidemark): Receipt {
    this.#receipts.push(db.insert('events', { n: this.#next() }))
    const poison = db.insert('events', { n: -1 })
    this.#receipts.push(db.insert('events', { n: this.#next() }))
    return poison
  }

  /** Waits for all receipts; then each is committed, and what it wrote is there once, in its place. */
  async settle(db: AnyTidemark): Promise<void> {
    const outcomes = await Promise.all(this.#receipts.map((receipt) => receipt.outcome()))
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'committed' })
    const { lastId, ...found } = await this.#found(db.epoch)
    expect(found).toEqual({
      events: this.#expected,
      places: [1, 2, 3].map((id) => ({ id, n: this.#batches })),
      counters: [this.#batches, this.#batches],
      checkpoint: String(this.#batches),
      watermark: db.stats().tidemark.seq,
    })
    this.#receipts = []
    this.#expected = []
    this.#lastId = Number(lastId)
  }

  async #found(epoch: number): Promise<Record<string, unknown>> {
    this.#look ??= (await this.#connect()).once('end', () => (this.#look = undefined))
    const { rows } = await this.#look.query<Record<string, unknown>>(
      `SELECT coalesce(max(id), ${this.#lastId}) AS "lastId", coalesce(json_agg(n ORDER BY id), '[]') AS events,
        (SELECT json_agg(p ORDER BY id) FROM places p) AS places,
        (SELECT json_agg(count ORDER BY id) FROM counters) AS counters,
        (SELECT value FROM tidemark_checkpoints WHERE source = 'workload') AS checkpoint,
        (SELECT watermark::int FROM tidemark_writers WHERE epoch = ${epoch}) AS watermark
       FROM events WHERE id > ${this.#lastId}`,
    )
    return rows[0] ?? {}
  }

  async close(): Promise<void> {
    await this.#look?.end()
  }

  #next(): number {
    this.#expected.push(++this.#n)
    return this.#n
  }
}

export interface ThroughProxy extends AsyncDisposable {
  /** Past the proxy. */
  readonly url: string
  readonly proxy: WireProxy
  readonly db: AnyTidemark
  readonly workload: Workload
}

/** An engine on a database of its own, with a proxy between them. */
export async function throughProxy(
  server: PostgresServer,
  options: PostgresOptions = {},
  url?: string,
  maxOperations = operationsTogether,
): Promise<ThroughProxy> {
  const past = url ?? (await server.createDatabase())
  await server.query(schema, past)
  const proxy = await WireProxy.to(server.port)
  const db: AnyTidemark = await open(postgres(proxy.url(past), options), {
    batch: { maxOperations, maxTransactionMs: 60_000 },
  })
  const workload = new Workload(() => server.connect(past))
  return {
    url: past,
    proxy,
    db,
    workload,
    async [Symbol.asyncDispose]() {
      await workload.close()
      await db.close({ timeoutMs: 5_000 }).catch(() => undefined)
      await proxy[Symbol.asyncDispose]()
    },
  }
}

/** The URL of a new database, for somebody whom the server does not let end backends, not even his own. */
export async function powerless(server: PostgresServer): Promise<string> {
  const url = new URL(await server.createDatabase())
  const name = url.pathname.slice(1)
  await server.query(`CREATE ROLE of_${name} LOGIN; ALTER DATABASE ${name} OWNER TO of_${name}`)
  await server.query('REVOKE EXECUTE ON FUNCTION pg_terminate_backend FROM PUBLIC', url.href)
  url.username = `of_${name}`
  return url.href
}

/** The database has committed up to there, whatever the engine knows of it. */
export async function untilTidemark({ url, db }: ThroughProxy, seq: number | undefined): Promise<void> {
  await untilAt(url, `SELECT 1 FROM tidemark_writers WHERE epoch = ${db.epoch} AND watermark = ${seq}`)
}

export const isFence = ({ letter, sql }: Message): boolean =>
  letter === 'B' && sql?.includes('SELECT 1 / count(*) FROM moved') === true
/** The first of a batch, which is a BEGIN or the fence. */
export const isBatch = (message: Message): boolean =>
  message.sql?.startsWith('BEGIN ISOLATION LEVEL') === true || isFence(message)
export const isTakeOver = ({ sql }: Message): boolean => sql?.includes('SET holder = holder + 1') === true
