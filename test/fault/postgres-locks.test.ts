/** What other programs hold: locks that the engine waits for, and rows locked in another order. And rows that are refused meanwhile. */
import { expect, test } from 'vitest'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres, untilAt } from '../support/servers/postgres.ts'
import { next } from '../support/events.ts'
import { isFence, powerless, throughProxy } from './postgres-workload.ts'

const isWaiting =
  "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

await withServer(embeddedPostgres, (server) => {
  test.for([{ when: 'behind it' }, { when: 'while it is looked for' }])(
    'a bad row is looked for in its own batch: those that come $when are sent as ever',
    async ({ when }) => {
      await using at = await throughProxy(server)
      const writeOthers = () => {
        for (let batches = 10; batches > 0; batches--) at.workload.write(at.db)
      }
      // Its statements are prepared.
      writeOthers()
      await at.workload.settle(at.db)
      const isLooking = Promise.withResolvers<void>()
      const seen: ('batch' | 'savepoint')[] = []
      at.proxy.rule = (message) => {
        if (isFence(message)) seen.push('batch')
        if (message.sql !== 'SAVEPOINT tidemark_unit') return 'forward'
        isLooking.resolve()
        seen.push('savepoint')
        return 'forward'
      }
      const rejected = at.workload.writePoison(at.db)
      if (when === 'behind it') writeOthers()
      const outcome = rejected.outcome()
      await isLooking.promise
      if (when !== 'behind it') writeOthers()
      await at.workload.settle(at.db)
      expect(await outcome).toMatchObject({ kind: 'rejected' })
      expect(
        seen.slice(seen.lastIndexOf('savepoint')).filter((what) => what === 'batch').length,
      ).toBeGreaterThan(8)
    },
  )

  test('law 2 · a batch that is sent behind one with a bad row is not carried out before it', async () => {
    await using at = await throughProxy(server)
    const insert = (numbers: readonly number[]) => numbers.map((n) => at.db.insert('events', { n }).outcome())
    // Its statements are prepared.
    await Promise.all(insert([1]))
    // Two batches.
    const numbers = Array.from({ length: 24 }, (_, index) => index + 2)
    await Promise.all(insert(numbers.with(3, -1)))
    const found = await server.query('SELECT n FROM events ORDER BY id', at.url)
    expect(found.map(({ n }) => n)).toEqual([1, ...numbers.toSpliced(3, 1)])
  })

  test.for([
    { who: 'that the next connection ends', isEnded: true },
    { who: 'that nobody may end', isEnded: false },
  ])(
    'law 3 · a batch that waits for a lock when its client is gone is applied once: a backend $who',
    async ({ isEnded }) => {
      await using at = await throughProxy(server, {}, isEnded ? undefined : await powerless(server))
      let batches = 0
      at.proxy.rule = (message) => {
        if (isFence(message)) batches++
        return 'forward'
      }
      const other = await server.connect(at.url)
      await other.query('BEGIN; LOCK TABLE places IN EXCLUSIVE MODE')
      at.workload.write(at.db)
      at.workload.write(at.db)
      await untilAt(at.url, isWaiting)
      at.proxy.wires[0]?.leave()
      // The next one takes the row and sends all again; or it waits for the old one, which has the row.
      if (isEnded) await expect.poll(() => batches, { timeout: 30_000 }).toBe(4)
      else await untilAt(at.url, `${isWaiting} AND query LIKE '%SET holder%'`)
      await other.query('COMMIT')
      await other.end()
      await at.workload.settle(at.db)
      // All again by the next one; or nothing, but perhaps the second batch, which comes behind the takeover.
      if (isEnded) expect(batches).toBe(4)
      else expect(batches).toBeLessThan(4)
    },
  )

  test('law 5 · a table that is locked for longer than a lock is waited for holds writes up, and loses none', async () => {
    await using at = await throughProxy(server, { answerTimeoutMs: 200 })
    const other = await server.connect(at.url)
    await other.query('BEGIN; LOCK TABLE places')
    at.workload.write(at.db)
    at.workload.write(at.db)
    await next(at.db, 'retry', ({ error }) => error.message.includes('55P03'))
    await next(at.db, 'retry', ({ error }) => error.message.includes('55P03'))
    expect(at.workload.receipts.map(({ state }) => state)).not.toContain('rejected')
    await other.query('COMMIT')
    await other.end()
    await at.workload.settle(at.db)
    expect(at.db.stats().store.reconnects, 'its connection is none the worse').toBe(0)
  })

  test('law 5 · a batch that was the victim of a deadlock is tried again, and applied once', async () => {
    await using at = await throughProxy(server)
    await server.query('INSERT INTO places VALUES (1, 0), (2, 0)', at.url)
    await server.query("ALTER SYSTEM SET deadlock_timeout = '50ms'")
    await server.query('SELECT pg_reload_conf()')
    const other = await server.connect(at.url)
    // It looks for deadlocks last, so that the engine is the one that finds it.
    await other.query("SET deadlock_timeout = '1min'; BEGIN; UPDATE counters SET count = count WHERE id = 1")
    const retried = next(at.db, 'retry')
    at.workload.write(at.db)
    at.workload.write(at.db)
    await untilAt(at.url, isWaiting)
    // The batch has both places, and waits for the counter.
    const locked = other.query('UPDATE places SET n = n WHERE id = 2; COMMIT')
    expect((await retried).error.message).toContain('40P01')
    await locked
    await other.end()
    await at.workload.settle(at.db)
  })
})
