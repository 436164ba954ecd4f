/** A small batch goes to the server as one series, without BEGIN and COMMIT: what refuses it, and when that is told. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { Connection, type WireStatement } from '../../src/stores/postgres/connection.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { POSTGRES_DEFAULTS } from '../../src/stores/postgres/options.ts'
import { systemRuntime } from '../../src/runtime/system.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres, untilAt } from '../support/servers/postgres.ts'
import { isFence, throughProxy, untilTidemark, type ThroughProxy } from './postgres-workload.ts'

type Write = (db: AnyTidemark) => PromiseLike<unknown>

/** What the server was asked to carry out meanwhile, and how often it was asked to be done with that. */
async function askedBy(
  { proxy }: ThroughProxy,
  write: () => unknown,
): Promise<{ sql: string[]; ends: number }> {
  const asked = { sql: [] as string[], ends: 0 }
  proxy.rule = ({ letter, sql = '' }) => {
    if (sql.startsWith('LISTEN')) return 'forward'
    if (letter === 'Q' || letter === 'E') asked.sql.push(sql.trim().split(' ', 3).join(' '))
    if (letter === 'Q' || letter === 'S') asked.ends++
    return 'forward'
  }
  await write()
  proxy.rule = () => 'forward'
  return asked
}

const fence = 'WITH moved AS'

await withServer(embeddedPostgres, (server) => {
  const numbersAt = async (url: string): Promise<unknown[]> =>
    (await server.query('SELECT n FROM events ORDER BY id', url)).map(({ n }) => n)

  test.for<[string, Write, object, string[]]>([
    ['an insert', (db) => db.insert('events', { n: 1 }), { id: 2 }, ['INSERT INTO "events"']],
    ['an upsert', (db) => db.upsert('places', { id: 1, n: 1 }), {}, ['INSERT INTO "places"']],
    [
      'an update',
      (db) => db.update('counters', { id: 1 }, { count: 5 }),
      { changes: 1 },
      ['UPDATE "counters" SET'],
    ],
    [
      'an update of none',
      (db) => db.update('counters', { id: 9 }, { count: 5 }),
      { changes: 0 },
      ['UPDATE "counters" SET'],
    ],
    [
      'SQL of its own',
      (db) => db.write({ sql: 'UPDATE counters SET count = 1', parameters: [] }),
      { changes: 2 },
      ['UPDATE counters SET'],
    ],
    [
      'a group with an effect',
      (db) =>
        db.atomic((together) => {
          together.insert('events', { n: 3 }, { effects: [{ kind: 'mail', payload: 1 }] })
          together.delete('counters', { id: 7 })
        }),
      {},
      ['INSERT INTO "events"', 'DELETE FROM "counters"', 'INSERT INTO tidemark_segments'],
    ],
  ])(
    '%s that is awaited alone is one trip, once it is known, and tells what it did',
    async ([, write, told, own]) => {
      await using at = await throughProxy(server)
      const first = await askedBy(at, () => write(at.db))
      expect(first.sql).toEqual(['BEGIN ISOLATION LEVEL', fence, ...own, 'COMMIT'])
      const second = await askedBy(at, async () => expect(await write(at.db)).toMatchObject(told))
      expect(second).toEqual({ sql: [fence, ...own], ends: 1 })
      await untilTidemark(at, 2)
    },
  )

  const wide = { id: 1, n: 1, text: 'x'.repeat(9_000) }
  test.for<[string, string, Write]>([
    [
      'what one packet may not hold',
      'ALTER TABLE places ADD COLUMN text text',
      (db) => db.upsert('places', wide),
    ],
    [
      'a guard that only the answer tells of',
      '',
      (db) => db.write({ sql: 'UPDATE counters SET count = 1', parameters: [] }, { expect: 2 }),
    ],
    [
      'what a constraint waits for',
      'ALTER TABLE places ADD FOREIGN KEY (n) REFERENCES counters DEFERRABLE INITIALLY DEFERRED',
      (db) => db.upsert('places', { id: 1, n: 1 }),
    ],
  ])('%s stands between BEGIN and COMMIT, as often as it comes', async ([, sql, write]) => {
    await using at = await throughProxy(server)
    await server.query(sql, at.url)
    await at.db.reloadSchema()
    await write(at.db)
    const asked = await askedBy(at, () => write(at.db))
    expect(asked.sql[0]).toBe('BEGIN ISOLATION LEVEL')
    expect(asked.sql.at(-1)).toBe('COMMIT')
  })

  test('law 5 · a bad row that another writer has fenced off is nobody’s dead letter', async () => {
    await using at = await throughProxy(server)
    await at.db.insert('events', { n: 1 })
    await using newer: AnyTidemark = await open(postgres(at.url), { writer: at.db.writer })
    expect(await at.db.insert('events', { n: -1 }).outcome()).toMatchObject({
      kind: 'abandoned',
      error: { code: 'FENCED', outcome: 'not-committed' },
    })
    expect(await newer.deadLetters()).toEqual([])
  })

  test('law 1 · what the columns of an answer are is asked once, and again when they may be others', async () => {
    await using at = await throughProxy(server)
    const lettersOf = async (write: Write): Promise<string> => {
      const letters: string[] = []
      at.proxy.rule = ({ letter }) => {
        letters.push(letter)
        return 'forward'
      }
      await write(at.db)
      at.proxy.rule = () => 'forward'
      return letters.join('')
    }
    const ids: unknown[] = []
    const insert: Write = async (db) => void ids.push((await db.insert('events', { n: 1 })).id)
    // The first is prepared one statement after another.
    await insert(at.db)
    expect(await lettersOf(insert)).toBe('BDEBDES')
    expect(await lettersOf(insert)).toBe('BEBES')
    await server.query('ALTER TABLE events ALTER id TYPE integer', at.url)
    // What is refused is prepared anew.
    for (let more = 0; more < 2; more++) await insert(at.db)
    expect(await lettersOf(insert)).toContain('BDE')
    expect(await lettersOf(insert)).toBe('BEBES')
    const rows = await server.query('SELECT id FROM events ORDER BY id', at.url)
    expect(ids).toEqual(rows.map(({ id }) => Number(id)))
    expect(at.db.stats().store.reconnects).toBe(0)
  })

  test('law 2 · a series that is sent behind one with a bad row is not carried out before it', async () => {
    await using at = await throughProxy(server, {}, undefined, 1)
    await at.db.insert('events', { n: 1 })
    let fences = 0
    at.proxy.rule = (message, wire) => {
      if (!isFence(message)) return 'forward'
      fences++
      // The engine hears of the bad one when the next is sent.
      if (fences === 1) wire.replies.close()
      if (fences === 2) wire.replies.open()
      return 'forward'
    }
    const outcomes = [-1, 2, 3, 4].map((n) => at.db.insert('events', { n }).outcome())
    const kinds = (await Promise.all(outcomes)).map(({ kind }) => kind)
    expect(kinds).toEqual(['rejected', 'committed', 'committed', 'committed'])
    expect(await numbersAt(at.url)).toEqual([1, 2, 3, 4])
    expect(fences, 'the bad one was looked at with care, and the one behind it sent again').toBe(6)
  })

  test('law 4 · what breaks the commit of its series is rejected, and committed by nobody', async () => {
    await using at = await throughProxy(server)
    await at.db.insert('events', { n: 1 })
    // The engine does not know of it.
    await server.query(
      'ALTER TABLE events ADD FOREIGN KEY (n) REFERENCES counters DEFERRABLE INITIALLY DEFERRED NOT VALID',
      at.url,
    )
    expect(await at.db.insert('events', { n: 99 }).outcome()).toMatchObject({ kind: 'rejected' })
    await at.db.insert('events', { n: 2 })
    expect(await numbersAt(at.url)).toEqual([1, 2])
  })

  test('law 1 · a series that waits for a standby, and is cancelled, is acknowledged only when it has waited', async () => {
    await using at = await throughProxy(server)
    await server.holdCommits()
    const waiting =
      "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
    const receipt = at.db.insert('events', { n: 1 })
    try {
      await untilAt(at.url, waiting)
      const [{ pid } = {}] = await server.query(waiting, at.url)
      await server.query(`SELECT pg_cancel_backend(${Number(pid)})`)
      await untilAt(at.url, `${waiting} AND pid <> ${Number(pid)}`)
      expect(await numbersAt(at.url), 'carried out it was').toEqual([1])
      expect(receipt.state).toBe('pending')
    } finally {
      await server.letCommitsGo()
    }
    expect(await receipt.outcome()).toMatchObject({ kind: 'committed' })
    expect(await numbersAt(at.url)).toEqual([1])
  })

  test('law 5 · a series that waits too long for a lock is tried again, and lost by nobody', async () => {
    await using at = await throughProxy(server, { answerTimeoutMs: 200 })
    await at.db.insert('events', { n: 1 })
    const other = await server.connect(at.url)
    await other.query('BEGIN; LOCK TABLE events')
    const retried = new Promise((resolve) => at.db.on('retry', resolve))
    const outcome = at.db.insert('events', { n: 2 }).outcome()
    await retried
    await other.query('COMMIT')
    await other.end()
    expect(await outcome).toMatchObject({ kind: 'committed' })
    expect(await numbersAt(at.url)).toEqual([1, 2])
    expect(await at.db.deadLetters()).toEqual([])
  })

  test.for<[string, (one: WireStatement) => { before?: WireStatement; series: WireStatement[] }]>([
    ['that falls into a transaction', (one) => ({ before: { sql: 'BEGIN' }, series: [one, one] })],
    [
      'of which the last cannot be written to the wire',
      (one) => ({ series: [one, { ...one, parameters: [Symbol('no text') as unknown as string] }] }),
    ],
  ])('law 3 · a series %s costs its connection, and leaves nothing', async ([, made]) => {
    const url = await server.createDatabase()
    await server.query('CREATE TABLE events (n integer)', url)
    const connection = await Connection.open(url, POSTGRES_DEFAULTS, systemRuntime)
    const one = { sql: 'INSERT INTO events VALUES ($1)', parameters: ['1'], name: 'one' }
    await connection.query(one)
    const { before, series } = made(one)
    if (before) await connection.query(before)
    expect(connection.canTransact([one])).toBe(true)
    const answers = await connection.transact(series)
    expect(answers.at(-1)).toMatchObject({ status: 'rejected' })
    expect(connection.isLost).toBe(true)
    await untilAt(
      url,
      `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = ${connection.backend.pid})`,
    )
    expect(await server.query('SELECT n FROM events', url)).toEqual([{ n: 1 }])
  })
})
