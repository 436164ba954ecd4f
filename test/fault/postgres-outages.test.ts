/** The server goes away, comes back, and does not answer: nothing is lost, and nobody waits without an end. */
import { expect, test } from 'vitest'
import { CompiledQuery } from 'kysely'
import { next } from '../support/events.ts'
import { failureOf } from '../support/failure.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres, untilAt } from '../support/servers/postgres.ts'
import { powerless, throughProxy, type ThroughProxy } from './postgres-workload.ts'

/** Writes batch after batch until it is told to stop. */
function writing({ db, workload }: ThroughProxy): { readonly stop: () => Promise<void> } {
  const over = new AbortController()
  const done = (async () => {
    while (!over.signal.aborted) {
      for (let batches = 0; batches < 4; batches++) workload.write(db)
      await workload.receipts.at(-1)?.outcome()
    }
  })()
  return {
    async stop() {
      over.abort()
      await done
    },
  }
}

async function someCommits({ db }: ThroughProxy): Promise<void> {
  for (let commits = 0; commits < 5; commits++) await next(db, 'commit')
}

await withServer(embeddedPostgres, (server) => {
  test('law 3 · a server that dies again and again while it is written to loses nothing and repeats nothing', async () => {
    await using at = await throughProxy(server)
    const { stop } = writing(at)
    for (const end of ['kill', 'immediate', 'fast', 'kill'] as const) {
      await someCommits(at)
      if (end === 'kill') await server.kill()
      else await server.shutDown(end)
      await server.restart()
    }
    await someCommits(at)
    await stop()
    await at.workload.settle(at.db)
  })

  test('law 3 · connections that an administrator ends at random lose nothing, and a read says that it may be tried again', async () => {
    await using at = await throughProxy(server)
    const other = await server.connect(at.url)
    const { stop } = writing(at)
    const failures: unknown[] = []
    for (let left = 30; left > 0; left--) {
      const ended = other.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'tidemark' AND datname = current_database() ORDER BY random() LIMIT 1`)
      await at.db
        .query(CompiledQuery.raw('SELECT count(*) FROM events'))
        .catch((error: unknown) => failures.push(error))
      await ended
    }
    await stop()
    await at.workload.settle(at.db)
    for (const error of failures) expect(error).toMatchObject({ code: 'STORE_FAILED', retryable: true })
    await other.end()
  })

  test.for([
    { how: 'is cancelled', end: (pid: number) => server.query(`SELECT pg_cancel_backend(${pid})`) },
    { how: 'is ended', end: (pid: number) => server.query(`SELECT pg_terminate_backend(${pid})`) },
    {
      how: 'ends with its server',
      async end() {
        await server.shutDown('fast')
        await server.restart()
      },
    },
  ])(
    'law 1 · a commit that waits for a standby and $how is acknowledged only when it has waited',
    async ({ end }) => {
      await using at = await throughProxy(server)
      await server.holdCommits()
      const waiting =
        "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
      try {
        at.workload.write(at.db)
        await untilAt(at.url, waiting)
        const [{ pid } = {}] = await server.query(waiting, at.url)
        await end(Number(pid))
        // It is carried out; and the one that has found it waits in its turn.
        await untilAt(at.url, `${waiting} AND pid <> ${Number(pid)}`)
        expect(await server.query('SELECT count(*)::int AS n FROM events', at.url)).toEqual([{ n: 7 }])
        expect(at.workload.receipts.map(({ state }) => state)).not.toContain('committed')
      } finally {
        await server.letCommitsGo()
      }
      await at.workload.settle(at.db)
    },
  )

  test('law 1 · a server that does not answer is given up; writes stay pending, and waits end in time', async () => {
    await using at = await throughProxy(server, { answerTimeoutMs: 300, connectTimeoutMs: 300 })
    const count = CompiledQuery.raw('SELECT count(*) FROM events')
    at.workload.write(at.db)
    await at.workload.settle(at.db)
    await at.db.query(count)
    server.pause()
    try {
      at.workload.write(at.db)
      const [receipt] = at.workload.receipts
      const givenUp = next(at.db, 'retry')
      const stale = failureOf(at.db.query(count, { consistency: 'strong', timeoutMs: 100 }))
      await expect(receipt?.within(50)).rejects.toMatchObject({ code: 'RECEIPT_TIMEOUT' })
      expect(await stale).toMatchObject({ code: 'STALE_READ' })
      expect(await failureOf(at.db.query(count))).toMatchObject({ code: 'STORE_FAILED', retryable: true })
      expect((await givenUp).error.message).toContain('did not answer for 300 ms')
      await next(at.db, 'retry')
      expect(receipt?.state).toBe('pending')
    } finally {
      server.resume()
    }
    await at.workload.settle(at.db)
    await at.db.query(count)
  })

  test('law 5 · while others take all connections writes wait for one', async () => {
    const url = await powerless(server)
    await using at = await throughProxy(server, {}, url)
    await server.query(`ALTER ROLE ${new URL(url).username} CONNECTION LIMIT 1`)
    // The engine's only one is lost, and somebody else is faster.
    at.proxy.isReachable = false
    at.proxy.wires[0]?.cut()
    await untilAt(
      server.url(),
      `SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = '${new URL(url).username}')`,
    )
    const other = await server.connect(url)
    at.proxy.isReachable = true
    at.workload.write(at.db)
    const refused = await next(at.db, 'retry', ({ error }) => !/terminated|ECONNRESET/.test(error.message))
    expect(refused.error).toMatchObject({ retryable: true, message: expect.stringContaining('53300') })
    await server.query(`ALTER ROLE ${new URL(url).username} CONNECTION LIMIT -1`)
    await other.end()
    await at.workload.settle(at.db)
  })
})
