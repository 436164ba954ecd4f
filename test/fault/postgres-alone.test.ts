/** A batch of one plain operation is one statement, which holds its fence: what refuses it, and when that is told. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres, untilAt } from '../support/servers/postgres.ts'
import { isAlone, throughProxy, untilTidemark, type ThroughProxy } from './postgres-workload.ts'

/** What the server was asked to carry out meanwhile. */
async function statementsOf({ proxy }: ThroughProxy, write: () => Promise<unknown>): Promise<string[]> {
  const statements: string[] = []
  proxy.rule = ({ letter, sql = '' }) => {
    if ((letter === 'Q' || letter === 'E') && !sql.startsWith('LISTEN')) statements.push(sql)
    return 'forward'
  }
  await write()
  proxy.rule = () => 'forward'
  return statements
}

await withServer(embeddedPostgres, (server) => {
  const numbersAt = async (url: string): Promise<unknown[]> =>
    (await server.query('SELECT n FROM events ORDER BY id', url)).map(({ n }) => n)

  test.for<[string, (db: AnyTidemark) => PromiseLike<unknown>, object]>([
    ['an insert', (db) => db.insert('events', { n: 1 }), { id: 1 }],
    ['an upsert', (db) => db.upsert('places', { id: 1, n: 1 }), {}],
    ['an update', (db) => db.update('counters', { id: 1 }, { count: 5 }), { changes: 1 }],
    ['an update of none', (db) => db.update('counters', { id: 9 }, { count: 5 }), { changes: 0 }],
    ['a delete', (db) => db.delete('counters', { id: 2 }), { changes: 1 }],
  ])('%s that is awaited alone is one statement, and tells what it did', async ([, write, told]) => {
    await using at = await throughProxy(server)
    const statements = await statementsOf(at, async () => expect(await write(at.db)).toMatchObject(told))
    expect(statements).toEqual([expect.stringContaining('changed (told) AS')])
    await untilTidemark(at, 1)
  })

  const inserting = { sql: 'INSERT INTO others VALUES (3)', parameters: [] }
  test.for<[string, string, (db: AnyTidemark) => PromiseLike<unknown>]>([
    ['a guard', '', (db) => db.update('others', { n: 1 }, { m: 0 }, { expect: 1 })],
    ['SQL of its own', '', (db) => db.write(inserting)],
    ['a group', '', (db) => db.atomic((together) => void together.insert('others', { n: 3 }))],
    ['two rows', '', (db) => db.insertMany('others', [{ n: 3 }, { n: 4 }])],
    ['what one packet may not hold', '', (db) => db.insert('others', { n: 3, text: 'x'.repeat(9_000) })],
    [
      'a table with a trigger',
      `CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
       CREATE TRIGGER passing BEFORE INSERT ON others FOR EACH ROW EXECUTE FUNCTION pass()`,
      (db) => db.insert('others', { n: 3 }),
    ],
    [
      'a table with a deferred constraint',
      `CREATE TABLE parents (id integer PRIMARY KEY);
       ALTER TABLE others ADD FOREIGN KEY (m) REFERENCES parents DEFERRABLE INITIALLY DEFERRED`,
      (db) => db.insert('others', { n: 3 }),
    ],
  ])('%s stands behind the fence in a transaction as ever', async ([, sql, write]) => {
    const url = await server.createDatabase()
    await server.query(
      `CREATE TABLE others (n integer PRIMARY KEY, m integer, text text); INSERT INTO others VALUES (0), (1); ${sql}`,
      url,
    )
    await using at = await throughProxy(server, {}, url)
    const statements = await statementsOf(at, async () => await write(at.db))
    expect(statements[0]).toContain('BEGIN')
    expect(statements.at(-1)).toBe('COMMIT')
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

  test('law 2 · an operation that is sent behind a bad one, each in its own statement, is not carried out before it', async () => {
    await using at = await throughProxy(server, {}, undefined, 1)
    await at.db.insert('events', { n: 1 })
    let alone = 0
    let begun = 0
    at.proxy.rule = (message, wire) => {
      if (message.sql?.startsWith('BEGIN')) begun++
      if (message.letter !== 'E' || !isAlone(message)) return 'forward'
      alone++
      // The engine hears of the bad one when the next is sent.
      if (alone === 1) wire.replies.close()
      if (alone === 2) wire.replies.open()
      return 'forward'
    }
    const outcomes = [-1, 2, 3, 4].map((n) => at.db.insert('events', { n }).outcome())
    const kinds = (await Promise.all(outcomes)).map(({ kind }) => kind)
    expect(kinds).toEqual(['rejected', 'committed', 'committed', 'committed'])
    expect(await numbersAt(at.url)).toEqual([1, 2, 3, 4])
    expect({ alone, begun }, 'the one behind was refused, and sent again as it was').toEqual({
      alone: 5,
      begun: 1,
    })
  })

  test('law 4 · what breaks the commit of its own statement is rejected, and committed by nobody', async () => {
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

  test('law 1 · an operation that waits alone for a standby, and is cancelled, is acknowledged only when it has waited', async () => {
    await using at = await throughProxy(server)
    await server.configure({ synchronous_standby_names: 'nobody' })
    const waiting =
      "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
    const isWaiting = untilAt(at.url, waiting)
    const numbers: number[] = []
    const insert = () => at.db.insert('events', { n: numbers.push(numbers.length + 1) })
    let receipt = insert()
    try {
      // Until the server has heard of it, commits wait for nobody.
      while (await Promise.race([receipt.outcome(), isWaiting])) receipt = insert()
      const [{ pid } = {}] = await server.query(waiting, at.url)
      await server.query(`SELECT pg_cancel_backend(${Number(pid)})`)
      await untilAt(at.url, `${waiting} AND pid <> ${Number(pid)}`)
      expect(await numbersAt(at.url), 'carried out it was').toEqual(numbers)
      expect(receipt.state).toBe('pending')
    } finally {
      await server.configure({ synchronous_standby_names: '' })
    }
    expect(await receipt.outcome()).toMatchObject({ kind: 'committed' })
    expect(await numbersAt(at.url)).toEqual(numbers)
  })

  test('law 5 · an operation alone that waits too long for a lock is tried again, and lost by nobody', async () => {
    await using at = await throughProxy(server, { answerTimeoutMs: 200 })
    const other = await server.connect(at.url)
    await other.query('BEGIN; LOCK TABLE events')
    const retried = new Promise((resolve) => at.db.on('retry', resolve))
    const outcome = at.db.insert('events', { n: 1 }).outcome()
    await retried
    await other.query('COMMIT')
    await other.end()
    expect(await outcome).toMatchObject({ kind: 'committed' })
    expect(await at.db.deadLetters()).toEqual([])
  })
})
