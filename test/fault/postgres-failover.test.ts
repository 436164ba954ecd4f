/**
 * The primary dies and a standby takes its place. Where commits waited for the standby nothing that was acknowledged
 * is missing; where they did not, the engine sees what is, and stops.
 */
import path from 'node:path'
import { expect, test } from 'vitest'
import { open, type Receipt } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'
import { PostgresServer, embeddedPostgres } from '../support/servers/postgres.ts'
import { Standby } from '../support/servers/standby.ts'
import { withServer } from '../support/servers/installed.ts'

interface Pair extends AsyncDisposable {
  readonly primary: PostgresServer
  readonly standby: Standby
  readonly db: AnyTidemark
}

const table = 'CREATE TABLE rows (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int NOT NULL)'

async function pair(
  { programs }: PostgresServer,
  replication: 'synchronous' | 'asynchronous',
): Promise<Pair> {
  const primary = await PostgresServer.start(path.join(programs, 'postgres'))
  await primary.query(table)
  const standby = await Standby.of(primary, { name: 'second' })
  if (replication === 'synchronous') await primary.configure({ synchronous_standby_names: 'second' })
  const store = postgres([primary.url(), standby.url()], { answerTimeoutMs: 5_000 })
  const db: AnyTidemark = await open(store, { writer: 'failing-over', batch: { maxOperations: 50 } })
  return {
    primary,
    standby,
    db,
    async [Symbol.asyncDispose]() {
      await db.close({ timeoutMs: 1_000 }).catch(() => undefined)
      await standby[Symbol.asyncDispose]()
      await primary[Symbol.asyncDispose]()
    },
  }
}

/** Writes rows until it is told to stop, some of them awaited. */
function writing(db: AnyTidemark): { receipts: Receipt[]; stop: () => Promise<void> } {
  const receipts: Receipt[] = []
  const over = new AbortController()
  const done = (async () => {
    while (!over.signal.aborted) {
      if (db.isFull) await db.ready()
      for (let left = 20; left > 0; left--) receipts.push(db.insert('rows', { n: receipts.length + 1 }))
      await new Promise((resume) => void setTimeout(resume, 1))
    }
  })()
  return {
    receipts,
    async stop() {
      over.abort()
      await done
    },
  }
}

const settled = (receipts: readonly Receipt[], count: number): Promise<unknown> =>
  (receipts[count - 1] as Receipt).outcome()

await withServer(embeddedPostgres, (server) => {
  test('law 3 · after a failover with synchronous replication everything is there once, also what was under way', async () => {
    await using at = await pair(server, 'synchronous')
    const { receipts, stop } = writing(at.db)
    await expect.poll(() => receipts.length).toBeGreaterThan(400)
    await settled(receipts, 200)
    await at.primary.kill()
    const acknowledged = receipts.filter(({ state }) => state === 'committed').length
    await at.standby.promote()
    await stop()
    await at.db.flush()
    expect(acknowledged).toBeGreaterThanOrEqual(200)
    const found = await at.standby.query('SELECT n FROM rows ORDER BY id')
    expect(found.map(({ n }) => n)).toEqual(receipts.map((_, index) => index + 1))
    expect(at.db.stats().store.reconnects).toBe(1)
  })

  test('law 10 · a failover that lost acknowledged writes stops the engine', async () => {
    await using at = await pair(server, 'asynchronous')
    await at.db.insert('rows', { n: 1 })
    await at.standby.whenCaughtUp()
    await at.standby.stopReceiving()
    await at.db.insert('rows', { n: 2 })
    const pending = at.db.insert('rows', { n: 3 })
    await at.primary.kill()
    const outcome = pending.outcome()
    await at.standby.promote()
    const ended = await outcome
    expect(ended).toMatchObject({ kind: 'abandoned', error: { code: 'HISTORY_LOST' } })
    expect(() => at.db.insert('rows', { n: 4 })).toThrow(expect.objectContaining({ code: 'HISTORY_LOST' }))
    expect(await at.standby.query('SELECT n FROM rows')).toEqual([{ n: 1 }])
  })

  test('law 10 · a failover that lost nothing acknowledged goes on', async () => {
    await using at = await pair(server, 'asynchronous')
    await at.db.insert('rows', { n: 1 })
    await at.standby.whenCaughtUp()
    await at.primary.kill()
    const receipt = at.db.insert('rows', { n: 2 })
    await at.standby.promote()
    await receipt
    expect(await at.standby.query('SELECT n FROM rows ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }])
  })

  test('law 1 · what a lost connection left committed is acknowledged only once the standby has it', async () => {
    await using at = await pair(server, 'synchronous')
    await at.db.insert('rows', { n: 1 })
    await at.standby.stopReceiving()
    // Its COMMIT is carried out, and waits for the standby; ended meanwhile, it stays carried out.
    const receipt = at.db.insert('rows', { n: 2 })
    const sent = receipt.outcome()
    const waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    await expect.poll(async () => (await at.primary.query(waiting)).length).toBe(1)
    await at.primary.query(`SELECT pg_terminate_backend(pid) FROM (${waiting}) AS w`)
    // The row can be seen; and the connection that has found it waits for the standby in its turn.
    await expect.poll(async () => (await at.primary.query('SELECT n FROM rows')).length).toBe(2)
    await expect.poll(async () => (await at.primary.query(waiting)).length).toBe(1)
    expect(receipt.state).toBe('pending')
    await at.standby.startReceiving()
    expect(await sent).toMatchObject({ kind: 'committed' })
    await at.standby.whenCaughtUp()
    expect(await at.standby.query('SELECT count(*)::int AS count FROM rows')).toEqual([{ count: 2 }])
  })
})
