/**
 * The connection is cut, by a proxy, at every single message of two batches of which the second is sent behind the
 * first: whatever the server had carried out by then, each batch is applied once.
 */
import { expect, test } from 'vitest'
import { open, type Receipt } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres, untilAt } from '../support/servers/postgres.ts'
import type { Rule, Step, Wire } from '../support/servers/wire-proxy.ts'
import {
  isBatch,
  isTakeOver,
  powerless,
  throughProxy,
  untilTidemark,
  type ThroughProxy,
} from './postgres-workload.ts'

type Act = (wire: Wire) => Step

/** What is done at one message of the connection on which the next batch begins. */
class Cut {
  /** The connection, once it is done. */
  wire: Wire | undefined
  readonly #act: Act
  #left: number
  #watched: Wire | undefined

  /** @param at 0 is the batch's first */
  constructor(at: number, act: Act) {
    this.#left = at
    this.#act = act
  }

  readonly rule: Rule = (message, wire) => {
    if (this.wire) return 'forward'
    if (isBatch(message)) this.#watched ??= wire
    if (wire !== this.#watched || this.#left-- > 0) return 'forward'
    this.wire = wire
    return this.#act(wire)
  }
}

/** @returns at how many messages it was cut */
async function cutEverywhere(at: ThroughProxy, step: Step, write: () => Promise<void>): Promise<number> {
  for (let index = 0; ; index++) {
    const cut = new Cut(index, () => step)
    at.proxy.rule = cut.rule
    await write()
    if (!cut.wire) return index
  }
}

await withServer(embeddedPostgres, (server) => {
  const steps: readonly Step[] = ['cut before', 'cut after', 'leave']
  test.for(steps)(
    'law 3 · a connection that is cut at every step of a batch in one series applies it once: %s',
    async (step) => {
      await using at = await throughProxy(server)
      const cuts = await cutEverywhere(at, step, async () => {
        at.workload.write(at.db)
        at.workload.write(at.db)
        await at.workload.settle(at.db)
      })
      expect(cuts).toBeGreaterThan(50)
      expect(at.db.stats().store.reconnects).toBe(cuts)
    },
  )

  test.for(steps)(
    'law 3 · a connection that is cut at every step of a batch with an answer to each applies it once: %s',
    async (step) => {
      await using at = await throughProxy(server)
      const cuts = await cutEverywhere(at, step, async () => {
        // On the next one nothing is prepared.
        at.proxy.wires.at(-1)?.cut()
        at.workload.write(at.db)
        at.workload.write(at.db)
        await at.workload.settle(at.db)
      })
      expect(cuts).toBeGreaterThan(70)
      expect(at.db.stats().store.reconnects).toBe(2 * cuts + 1)
    },
  )

  test('law 4 · a connection that is cut at every step of looking for a bad row rejects that one once', async () => {
    await using at = await throughProxy(server)
    const rejected: Receipt[] = []
    at.workload.write(at.db)
    const cuts = await cutEverywhere(at, 'cut after', async () => {
      rejected.push(at.workload.writePoison(at.db))
      await at.workload.settle(at.db)
    })
    expect(cuts).toBeGreaterThan(50)
    for (const receipt of rejected) expect(await receipt.outcome()).toMatchObject({ kind: 'rejected' })
    expect(await at.db.deadLetters({ limit: 1_000 })).toHaveLength(rejected.length)
  })

  test('law 3 · what is cut off at any step of a batch, and carried out while another connection takes over, is applied once', async () => {
    await using at = await throughProxy(server, {}, await powerless(server))
    for (let index = 0; ; index++) {
      const cut = new Cut(index, (wire) => {
        wire.leave()
        return 'hold'
      })
      at.proxy.rule = (message, wire) => {
        if (isTakeOver(message) && message.letter === 'E') cut.wire?.requests.open()
        return cut.rule(message, wire)
      }
      at.workload.write(at.db)
      at.workload.write(at.db)
      await at.workload.settle(at.db)
      if (!cut.wire) break
      cut.wire.requests.add(undefined)
      await cut.wire.ended
      await at.workload.settle(at.db)
    }
  })

  test('law 1 · what an engine called not committed is refused when an old connection brings it later', async () => {
    const url = await powerless(server)
    await using at = await throughProxy(server, {}, url)
    // One batch a minute: what the takeover found uncommitted waits, and is not sent again before the engine closes.
    const db: AnyTidemark = await open(postgres(at.proxy.url(url)), {
      batch: { minIntervalMs: 60_000, lingerMs: 0 },
    })
    const cut = new Cut(0, (wire) => {
      wire.leave()
      return 'hold'
    })
    at.proxy.rule = cut.rule
    const outcome = db.insert('events', { n: 1 }).outcome()
    // The last that it asks before it goes on is what was rejected. When that is answered it knows.
    const asked = `SELECT 1 FROM pg_stat_activity WHERE state = 'idle' AND application_name = 'tidemark'
      AND datname = current_database() AND query LIKE '%FROM tidemark_dead_letters%'`
    await untilAt(url, asked)
    await server.query('SELECT 1')
    // The epoch stays open: only the holder tells the old connection from the new one.
    at.proxy.isReachable = false
    for (const wire of at.proxy.wires) if (wire !== cut.wire) wire.cut()
    await expect(db.close({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
    expect(await outcome).toMatchObject({ kind: 'abandoned', error: { outcome: 'not-committed' } })
    expect(
      await server.query(
        `SELECT watermark, closed, holder FROM tidemark_writers WHERE epoch = ${db.epoch}`,
        url,
      ),
    ).toEqual([{ watermark: '0', closed: 0, holder: 1 }])

    cut.wire?.requests.open()
    cut.wire?.requests.add(undefined)
    await cut.wire?.ended
    expect(await server.query('SELECT n FROM events', url)).toEqual([])
    at.proxy.isReachable = true
  })

  test('law 1 · an engine that closes while nobody knows says "unknown" of what was sent, and "not committed" of the rest', async () => {
    await using at = await throughProxy(server)
    const cut = new Cut(0, (wire) => {
      at.proxy.isReachable = false
      wire.leave()
      return 'hold'
    })
    at.proxy.rule = cut.rule
    at.workload.write(at.db)
    at.workload.write(at.db)
    const sent = [...at.workload.receipts]
    at.workload.write(at.db)
    await expect(at.db.close({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
    for (const receipt of at.workload.receipts)
      expect(await receipt.outcome()).toMatchObject({
        kind: 'abandoned',
        error: { outcome: sent.includes(receipt) ? 'unknown' : 'not-committed' },
      })
    cut.wire?.requests.open()
    cut.wire?.requests.add(undefined)
    await cut.wire?.ended
    expect(
      await server.query('SELECT count(*)::int AS n FROM events', at.url),
      'and carried out it was',
    ).toEqual([{ n: 14 }])
  })

  test('law 3 · batches whose replies to COMMIT were lost are told committed, and are not applied again', async () => {
    await using at = await throughProxy(server)
    const cut = new Cut(0, (wire) => {
      wire.replies.close()
      return 'forward'
    })
    at.proxy.rule = cut.rule
    at.workload.write(at.db)
    at.workload.write(at.db)
    await untilTidemark(at, at.workload.receipts.at(-1)?.position.seq)
    expect(at.workload.receipts.map(({ state }) => state)).not.toContain('committed')
    cut.wire?.cut()
    await at.workload.settle(at.db)
    expect(at.db.stats().store.reconnects).toBe(1)
  })

  test('law 3 · a transaction whose reply to COMMIT was lost is told committed, and is not run again on PostgreSQL', async () => {
    await using at = await throughProxy(server)
    let runs = 0
    at.proxy.rule = ({ sql }, wire) => {
      if (sql === 'COMMIT') wire.replies.close()
      return 'forward'
    }
    const result = at.db.transaction(async (trx) => {
      runs++
      await trx.insertInto('events').values({ n: 7 }).execute()
      return 'done'
    })
    await untilTidemark(at, 1)
    at.proxy.rule = () => 'forward'
    at.proxy.wires[0]?.cut()
    expect(await result).toBe('done')
    expect(runs).toBe(1)
    expect(await server.query('SELECT n FROM events', at.url)).toEqual([{ n: 7 }])
  })
})
