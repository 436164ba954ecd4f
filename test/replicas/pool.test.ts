/** Connections for reads: how many there are, who waits for one and for how long, and where they lead after a failover. */
import path from 'node:path'
import { Client } from 'pg'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { showPools } from '../../src/server/pool-metrics.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres, PostgresServer, untilAt } from '../support/servers/postgres.ts'
import { Standby } from '../support/servers/standby.ts'
import { count, standOn } from './stand.ts'

test('the bounds of the pool are checked, and one that is given moves the other', () => {
  const refused = (readers: object): string => {
    try {
      postgres('postgres://u@h/d', { readers })
      return 'taken'
    } catch (error) {
      return String(error)
    }
  }
  expect(refused({ min: 3, max: 2 })).toMatch(/readers must have a min of at most its max \(2\)/)
  expect(refused({ min: 0 })).toMatch(/whole numbers above 0/)
  expect(refused({ most: 2 })).toMatch(/has min and max, and no most/)
  expect([refused({ min: 50 }), refused({ max: 1 }), refused({})]).toEqual(['taken', 'taken', 'taken'])
})

await withServer(embeddedPostgres, (server) => {
  /** Holds reads up until it is dropped: they wait for a lock on the table. */
  async function blocked(url: string, db: AnyTidemark, reads: number): Promise<() => Promise<unknown[]>> {
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query('BEGIN; LOCK TABLE songs IN ACCESS EXCLUSIVE MODE')
    const waiting = Array.from({ length: reads }, () => db.query(count, 'eventual'))
    for (const read of waiting) read.catch(() => undefined)
    const held = "wait_event_type = 'Lock' AND datname = current_database()"
    await untilAt(url, `SELECT 1 FROM pg_stat_activity WHERE ${held}`)
    return async () => {
      await client.query('COMMIT')
      await client.end()
      return await Promise.all(waiting)
    }
  }

  // SPEC S1.6
  test('law 7 · the pool grows while reads wait, to its max and no further, and tells of those that wait', async () => {
    const stand = await standOn(server, [])
    await using db = await stand.open({ readers: { min: 1, max: 3 } })
    await db.query(count, 'eventual')
    expect(db.stats().store.readers).toMatchObject({
      open: 1,
      idle: 1,
      waiting: 0,
      limit: 1,
      max: 3,
      waits: 0,
    })
    const letGo = await blocked(stand.url, db, 10)
    await expect.poll(() => db.stats().store.readers?.open).toBe(3)
    expect(db.stats().store.readers).toMatchObject({ idle: 0, waiting: 7, limit: 3, waits: 9 })
    const registry = new Registry()
    showPools(registry, db)
    const shown = await registry.metrics()
    expect(shown).toContain('tidemark_readers_waiting{server="primary"} 7\n')
    expect(shown).toContain('tidemark_readers_waits_total{server="primary"} 9\n')
    expect(await letGo()).toHaveLength(10)
    expect(db.stats().store.readers).toMatchObject({ open: 3, idle: 3, waiting: 0, waits: 9 })
    expect(db.stats().store.readers?.waitedMs).toBeGreaterThan(0)
  })

  test('law 7 · a read that finds no connection fails at its own deadline, and leaves the line', async () => {
    const stand = await standOn(server, [])
    await using db = await stand.open({ readers: { max: 1 } })
    const letGo = await blocked(stand.url, db, 1)
    for (const consistency of ['eventual', 'readAfterWrite', 'strong'] as const)
      await expect(db.query(count, { consistency, timeoutMs: 30 })).rejects.toMatchObject({
        code: 'STALE_READ',
        message: expect.stringContaining('all 1 connections for reads were busy after 30 ms'),
      })
    const aborted = new AbortController()
    const reading = db.query(count, { signal: aborted.signal })
    aborted.abort('enough')
    await expect(reading).rejects.toMatchObject({ code: 'STALE_READ', cause: 'enough' })
    expect(db.stats().store.readers?.waiting).toBe(0)
    await letGo()
    expect((await db.query(count, 'eventual')).rows).toEqual([{ count: 0 }])
  })

  test('law 9 · closed while reads wait for a connection, each of them is told', async () => {
    const stand = await standOn(server, [])
    const db = await stand.open({ readers: { max: 1 } })
    const letGo = await blocked(stand.url, db, 1)
    const patient = { consistency: 'eventual', timeoutMs: Infinity } as const
    const waiting = db.query(count, patient).catch((error: unknown) => error)
    await expect.poll(() => db.stats().store.readers?.waiting).toBe(1)
    const closed = db.close()
    expect(await waiting).toMatchObject({ code: 'CLOSED' })
    // Told before the one that runs has ended.
    await letGo().catch(() => undefined)
    await closed
  })

  test('after a failover reads follow to the new primary, also where nobody writes', async () => {
    await using primary = await PostgresServer.start(path.join(server.programs, 'postgres'))
    await using standby = await Standby.of(primary, { name: 'second' })
    await primary.query('CREATE TABLE songs (id int)')
    await using db = await open(postgres([primary.url(), standby.url()]))
    expect((await db.query(count, 'eventual')).rows).toEqual([{ count: 0 }])
    await standby.whenCaughtUp()
    await primary.kill()
    await standby.promote()
    await standby.query('INSERT INTO songs VALUES (1)')
    const found = async (): Promise<unknown> =>
      await db.query(count, 'eventual').then(
        ({ rows }) => rows,
        () => undefined,
      )
    await expect.poll(found).toEqual([{ count: 1 }])
  })
})
