/**
 * What a long-running program does with its engine, all of it at once and at a steady pace: writes of every kind,
 * reads at every level, sessions, subscriptions, dead letters, transactions; and beside it engines that come and go.
 *
 * What is read is held against what was written: a soak that answers wrongly has failed, however flat it is. Old
 * rows are deleted as fast as new ones come, so that hours of it fill no disk.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Generated } from 'kysely'
import { open, type Receipt, type Tidemark } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

export const schema = `
  CREATE TABLE events (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, text TEXT NOT NULL);
  CREATE TABLE latest (key TEXT PRIMARY KEY, n INTEGER NOT NULL);
  CREATE TABLE counters (key TEXT PRIMARY KEY, n INTEGER NOT NULL);
  CREATE TABLE parents (id INTEGER PRIMARY KEY);
  CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parents);
  INSERT INTO counters VALUES ('increments', 0), ('transactions', 0);`

export interface DB {
  events: { id: Generated<number>; n: number; text: string }
  latest: { key: string; n: number }
  counters: { key: string; n: number }
  parents: { id: number }
  children: { id: number; parent: number }
}

/** Called with every receipt whose time to its commit is to be measured. */
export type Observer = (receipt: Receipt) => void

const keptEvents = 50_000
const keys = 500
const text = 'x'.repeat(200)

export class Workload {
  readonly #file: string
  readonly #db: Tidemark<DB>
  readonly #observe: Observer
  #n = 0
  #increments = 0
  #transactions = 0
  #told = 0
  operations = 0

  constructor(file: string, db: Tidemark<DB>, observe: Observer) {
    this.#file = file
    this.#db = db
    this.#observe = observe
    void this.#follow()
  }

  /** Does all of it, over and over, until the signal; then waits until each is through. */
  async run(signal: AbortSignal): Promise<void> {
    const failed = new AbortController()
    const over = AbortSignal.any([signal, failed.signal])
    const activities: readonly (readonly [everyMs: number, act: () => void | Promise<void>])[] = [
      [5, () => this.#write()],
      [20, () => this.#writeGroup()],
      [250, () => this.#transact()],
      [50, () => this.#useSessions()],
      [50, () => this.#readStrongly()],
      [10, () => this.#readEventually()],
      [5, () => this.#get()],
      [200, () => this.#redrive()],
      [500, () => this.#subscribe(over)],
      [1_000, () => this.#deleteOld()],
      [1_500, () => this.#comeAndGo()],
    ]
    const outcomes = await Promise.allSettled(
      activities.map(async ([everyMs, act]) => {
        try {
          while (!over.aborted) {
            await act()
            await delay(everyMs)
          }
        } catch (error) {
          failed.abort()
          throw error
        }
      }),
    )
    const failure = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failure) throw failure.reason
    await this.#db.flush()
    await this.#check()
  }

  async #write(): Promise<void> {
    if (this.#db.isFull) await this.#db.ready()
    for (let row = 0; row < 20; row++) this.#db.insert('events', { n: ++this.#n, text })
    this.#db.upsert('latest', { key: `key${this.#n % keys}`, n: this.#n })
    this.#increments++
    this.operations += 22
    this.#observe(this.#db.write(increment('increments')))
  }

  #writeGroup(): void {
    this.#increments++
    this.operations++
    this.#db.atomic((group) => {
      group.insert('events', { n: ++this.#n, text })
      group.insert('events', { n: ++this.#n, text })
      group.write(increment('increments'))
    })
  }

  async #transact(): Promise<void> {
    await this.#db.transaction(async (trx) => {
      const { n } = await trx
        .selectFrom('counters')
        .select('n')
        .where('key', '=', 'transactions')
        .executeTakeFirstOrThrow()
      same('transactions', n, this.#transactions)
      await trx
        .updateTable('counters')
        .set({ n: n + 1 })
        .where('key', '=', 'transactions')
        .execute()
    })
    this.#transactions++
  }

  /** Read your writes, and again in a session that was given the bookmark. */
  async #useSessions(): Promise<void> {
    const key = 'session'
    const session = this.#db.session()
    const n = ++this.#n
    session.upsert('latest', { key, n })
    same('get in a session', (await session.get('latest', { key })).row?.n, n)
    for (const one of [session, this.#db.session(session.bookmark)]) {
      const rows = await one.read().selectFrom('latest').select('n').where('key', '=', key).execute()
      same('read in a session', rows[0]?.n, n)
    }
  }

  async #readStrongly(): Promise<void> {
    const n = ++this.#n
    this.#db.upsert('latest', { key: 'strong', n })
    const read = this.#db.read('strong').selectFrom('latest').select('n').where('key', '=', 'strong')
    same('a strong read', (await read.execute())[0]?.n, n)
  }

  async #readEventually(): Promise<void> {
    await this.#db.read('eventual').selectFrom('events').selectAll().orderBy('id', 'desc').limit(20).execute()
  }

  async #get(): Promise<void> {
    const key = `key${this.#n % keys}`
    this.#db.pending('latest', { key })
    await this.#db.get('latest', { key })
  }

  /** A child before its parent is a dead letter; redriven behind the parent it is a row, and both are deleted. */
  async #redrive(): Promise<void> {
    const id = ++this.#n
    const outcome = await this.#db.insert('children', { id, parent: id }).outcome()
    if (outcome.kind !== 'rejected') throw new Error(`a child without a parent was ${outcome.kind}`)
    this.#db.insert('parents', { id })
    const [redriven] = await this.#db.redrive([outcome.error.deadLetter])
    same('a redriven letter', redriven?.outcome.kind, 'committed')
    same('dead letters', (await this.#db.deadLetters()).length, 0)
    this.#db.delete('children', { id })
    this.#db.delete('parents', { id })
  }

  /** One subscription lasts as long as the engine. */
  async #follow(): Promise<void> {
    for await (const change of this.#db.changes({ when: 'committed' })) {
      if (change.kind !== 'gap') this.#told++
    }
  }

  /** Others come, take a few, and go; or nobody writes any more. */
  async #subscribe(signal: AbortSignal): Promise<void> {
    let left = 5
    for await (const change of this.#db.changes({ when: 'accepted', table: 'latest', signal })) {
      same('a change', change.kind, 'upsert')
      if (--left === 0) break
    }
  }

  #deleteOld(): void {
    this.#db.write({
      sql: 'DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?',
      parameters: [keptEvents],
    })
  }

  /** Another engine on the same file, under the same name each time: it opens, writes, reads and closes. */
  async #comeAndGo(): Promise<void> {
    const db = await open<DB>(sqlite(this.#file), { writer: 'brief' })
    const n = ++this.#n
    const { bookmark } = db.upsert('latest', { key: 'brief', n })
    const read = db.read({ consistency: 'readAfterWrite', after: bookmark })
    const [row] = await read.selectFrom('latest').select('n').where('key', '=', 'brief').execute()
    same('the read of a brief engine', row?.n, n)
    await db.close()
    // What it committed is there for everyone.
    const [later] = await this.#db
      .read('strong')
      .selectFrom('latest')
      .select('n')
      .where('key', '=', 'brief')
      .execute()
    same('the write of a brief engine', later?.n, n)
  }

  /** Each increment took effect once. */
  async #check(): Promise<void> {
    const rows = await this.#db.read('strong').selectFrom('counters').selectAll().orderBy('key').execute()
    same('increments', rows[0]?.n, this.#increments)
    same('transactions', rows[1]?.n, this.#transactions)
    if (this.#told === 0) throw new Error('the subscription was told of nothing')
  }
}

function increment(key: string): { sql: string; parameters: unknown[] } {
  return { sql: 'UPDATE counters SET n = n + 1 WHERE key = ?', parameters: [key] }
}

function same(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: found ${String(found)}, expected ${String(expected)}`)
}
