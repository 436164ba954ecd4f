/**
 * The connection is lost, and the one that is to take its place is cut, reset or left without an answer, at each of its
 * messages; or it arrives when nobody waits for it any more.
 */
import { expect, test } from 'vitest'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres, untilAt } from '../support/servers/postgres.ts'
import type { Rule, Wire, WireProxy } from '../support/servers/wire-proxy.ts'
import { isBatch, isTakeOver, powerless, throughProxy } from './postgres-workload.ts'

/** Does `act` at one message of the next connection, if it comes so far before its first batch. */
function atMessage(
  proxy: WireProxy,
  index: number,
  act: (wire: Wire) => void,
): { readonly rule: Rule; isDone: boolean } {
  const known = new Set(proxy.wires)
  let watched: Wire | undefined
  const attempt = {
    isDone: false,
    rule: ((message, wire) => {
      if (known.has(wire)) return 'forward'
      watched ??= wire
      if (wire !== watched || message.index !== index || isBatch(message)) return 'forward'
      attempt.isDone = true
      act(wire)
      return 'hold'
    }) satisfies Rule,
  }
  return attempt
}

await withServer(embeddedPostgres, (server) => {
  test.for<[string, (wire: Wire) => void, number]>([
    ['is cut', (wire) => wire.cut(), 1],
    ['is reset', (wire) => wire.cut(true), 1],
    // Not at each: it takes the time of an answer.
    ['gets no answer', (wire) => wire.blackHole(), 6],
  ])(
    'law 3 · a connection that %s while it takes over, at any step, is given up for the next one',
    async ([, act, step]) => {
      const timeoutMs = step === 1 ? 5_000 : 500
      await using at = await throughProxy(server, { answerTimeoutMs: timeoutMs, connectTimeoutMs: timeoutMs })
      for (let index = 0; ; index += step) {
        const attempt = atMessage(at.proxy, index, act)
        at.proxy.rule = attempt.rule
        at.proxy.wires.at(-1)?.cut()
        at.workload.write(at.db)
        await at.workload.settle(at.db)
        if (!attempt.isDone) break
      }
    },
  )

  test('law 3 · an attempt to take over that arrives after the next one is noticed', async () => {
    await using at = await throughProxy(server, { answerTimeoutMs: 300 }, await powerless(server))
    let late: Wire | undefined
    at.proxy.rule = (message, wire) => {
      if (late !== undefined || !isTakeOver(message)) return 'forward'
      late = wire
      return 'hold'
    }
    at.proxy.wires[0]?.cut()
    at.workload.write(at.db)
    await at.workload.settle(at.db)
    late?.requests.open()
    await late?.ended
    at.workload.write(at.db)
    await at.workload.settle(at.db)
  })

  test('law 10 · an engine that comes back to a database without its tables stops', async () => {
    await using at = await throughProxy(server)
    at.workload.write(at.db)
    await at.workload.settle(at.db)
    await server.query('DROP TABLE tidemark_writers', at.url)
    at.proxy.wires[0]?.cut()
    expect(await at.db.insert('events', { n: 1 }).outcome()).toMatchObject({
      kind: 'abandoned',
      error: { code: 'HISTORY_LOST' },
    })
  })

  test('law 9 · an engine that is closed while it takes over leaves no connection behind', async () => {
    await using at = await throughProxy(server)
    const other = await server.connect(at.url)
    await other.query(`BEGIN; SELECT FROM tidemark_writers WHERE epoch = ${at.db.epoch} FOR UPDATE`)
    at.proxy.wires[0]?.cut()
    at.workload.write(at.db)
    await untilAt(
      at.url,
      "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%SET holder%'",
    )
    await expect(at.db.close({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
    await other.query('COMMIT')
    await untilAt(
      at.url,
      `SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity
         WHERE application_name = 'tidemark' AND datname = current_database())`,
    )
    await other.end()
  })
})
