/** Effects as an operator sees them: metrics, health, alerts, the log, and how they were over time. */
import { expect, test } from 'vitest'
import type { Tidemark } from '../../src/index.ts'
import { metricReaches, running, type Running } from './running.ts'

const everyMs = 20
const unavailable = (): Error => Object.assign(new Error('no'), { status: 503 })

function dbOf({ logs }: Running): Tidemark<Record<string, Record<string, unknown>>> {
  return logs.tidemark
}

async function healthWith(
  server: Running,
  ...kinds: string[]
): Promise<Awaited<ReturnType<Running['call']>>> {
  for (;;) {
    const health = await server.call('GET', '/v1/health')
    const found = (health.body.problems as { kind: string }[]).map(({ kind }) => kind)
    if (found.toSorted().join() === kinds.toSorted().join()) return health
  }
}

// SPEC S1.7
test('metrics tell of each kind what waits, and how long calls of its handler take', async () => {
  const server = await running({ serve: { effects: { everyMs } } })
  const db = dbOf(server)
  await db.effects.handle(
    'embed',
    async (effects) =>
      effects.map(({ key }) =>
        key === 'bad'
          ? { kind: 'dead', error: 'no' }
          : key === 'later'
            ? { kind: 'retry', error: 'no', afterMs: 1e8 }
            : undefined,
      ),
    { concurrency: 3 },
  )
  await db.enqueue(
    { kind: 'embed', key: 'good' },
    { kind: 'embed', key: 'bad' },
    { kind: 'embed', key: 'later' },
  )
  await db.enqueue({ kind: 'ca"che', key: 'a' })
  await metricReaches(server, 'tidemark_effects_dead{kind="embed"} 1')
  await metricReaches(server, 'tidemark_effects_undelivered{kind="embed"} 1')
  await metricReaches(server, 'tidemark_effects_undelivered{kind="ca\\"che"} 1')
  const { text } = await server.call('GET', '/metrics')
  const of = (kind: string, name: string): number | undefined => {
    const line = text.split('\n').find((one) => one.startsWith(`tidemark_effects_${name}{kind="${kind}"}`))
    return line === undefined ? undefined : Number(line.split(' ').at(-1))
  }
  expect(of('embed', 'oldest_seconds')).toBeGreaterThan(0)
  expect(of('embed', 'lag_seconds')).toBeGreaterThan(0)
  const figures = Object.fromEntries(
    [
      'paused',
      'lanes',
      'lanes_held',
      'handler_lanes',
      'running',
      'concurrency_limit',
      'target_down',
      'delivered_total',
      'failed_total',
      'given_up_total',
    ].map((name) => [name, of('embed', name)]),
  )
  expect(figures).toEqual({
    paused: 0,
    lanes: 1,
    lanes_held: 1,
    handler_lanes: 1,
    running: 0,
    concurrency_limit: 3,
    target_down: 0,
    delivered_total: 1,
    failed_total: 2,
    given_up_total: 1,
  })
  expect(of('ca\\"che', 'lanes')).toBe(0)
  expect(of('ca\\"che', 'running')).toBeUndefined()
  const calls = of('embed', 'call_seconds_count')
  expect(calls).toBeGreaterThan(0)
  expect(text).toContain('# TYPE tidemark_effects_call_seconds histogram\n')
  expect(text).toContain(`tidemark_effects_call_seconds_bucket{kind="embed",le="+Inf"} ${calls}\n`)
  const buckets = [...text.matchAll(/^tidemark_effects_call_seconds_bucket\{kind="embed",le=".*"\} (\d+)$/gm)]
  const counts = buckets.map(([, count]) => Number(count))
  expect(counts).toHaveLength(13)
  expect(counts).toEqual(counts.toSorted((one, other) => one - other))
  expect(text).toContain('tidemark_alerts_total{kind="deadEffect"} 1\n')
})

test('a scrape does not ask the database: while it cannot be read, what was seen last is told, and how old it is', async () => {
  const server = await running({ serve: { effects: { everyMs } } })
  const db = dbOf(server)
  await db.enqueue({ kind: 'embed', key: 'a' })
  await metricReaches(server, 'tidemark_effects_undelivered{kind="embed"} 1')
  await db.close()
  const looked = async (): Promise<string> => {
    const { text } = await server.call('GET', '/metrics')
    expect(text).toContain('tidemark_effects_undelivered{kind="embed"} 1\n')
    return /^tidemark_effects_looked_timestamp_seconds .*$/m.exec(text)?.[0] ?? ''
  }
  expect(await looked()).toBe(await looked())
})

test('late, orphaned and dead effects and a target that is down are red; the server takes writes all the same', async () => {
  const server = await running({ serve: { effects: { everyMs, lateAfterMs: 1, orphanedAfterMs: 1 } } })
  const db = dbOf(server)
  expect((await server.call('GET', '/v1/health')).body).toEqual({ status: 'ok', problems: [] })
  await db.enqueue({ kind: 'embed', key: 'a' })
  const health = await healthWith(server, 'effectsLate', 'effectsOrphaned')
  expect(health).toMatchObject({ status: 503, body: { status: 'red' } })
  expect(health.body.problems[0]).toMatchObject({
    level: 'red',
    effects: 'embed',
    message: expect.stringMatching(/^Effects of kind "embed" are late: the oldest waits for \d+ s$/),
    sinceMs: expect.any(Number),
  })

  let how: 'down' | 'dead' = 'down'
  const handler = async (effects: readonly unknown[]) => {
    if (how === 'down') throw unavailable()
    return effects.map(() => ({ kind: 'dead' as const, error: 'no' }))
  }
  await db.effects.handle('embed', handler, { retryFirstMs: 1, retryMaxMs: 1 })
  await healthWith(server, 'effectsLate', 'targetDown')
  expect((await server.call('GET', '/v1/stats')).body.alerts).toMatchObject([
    { kind: 'effectsLate' },
    { kind: 'targetDown', message: 'The target of effects of kind "embed" takes none; they wait' },
  ])
  expect((await server.call('GET', '/readyz')).status).toBe(200)
  expect((await server.call('POST', '/v1/tables/notes/rows', { text: 'x' })).status).toBe(201)
  how = 'dead'
  await healthWith(server, 'deadEffects')
  await db.effects.discard((await db.effects.deadLetters()).map(({ id }) => id))
  expect((await healthWith(server)).status).toBe(200)
})

test('a paused kind that waits is a warning, and neither late nor orphaned', async () => {
  const server = await running({ serve: { effects: { everyMs, lateAfterMs: 1, orphanedAfterMs: 1 } } })
  const db = dbOf(server)
  const handling = await db.effects.handle('embed', async () => {})
  await db.effects.pause('embed')
  await handling.stop()
  await db.enqueue({ kind: 'embed', key: 'a' })
  expect(await healthWith(server, 'effectsPaused')).toMatchObject({
    status: 200,
    body: {
      status: 'warn',
      problems: [{ level: 'warn', effects: 'embed', message: 'Effects of kind "embed" are paused: 1 wait' }],
    },
  })
})

test('the log of the server has each alert, and one of many of a kind', async () => {
  const server = await running({ serve: { effects: { everyMs, orphanedAfterMs: 1 } } })
  const db = dbOf(server)
  await db.enqueue({ kind: 'cache', key: 'a' })
  await db.effects.handle('embed', async (effects) => effects.map(() => ({ kind: 'dead', error: 'no' })))
  await db.enqueue(...[1, 2, 3].map((key) => ({ kind: 'embed', key })))
  await metricReaches(server, 'tidemark_alerts_total{kind="deadEffect"} 3')
  await metricReaches(server, 'tidemark_alerts_total{kind="effectsOrphaned"} 1')
  const said = server.incidents.map(({ error, where }) => `${where.id}: ${String(error)}`)
  expect(said.toSorted((one, other) => one.localeCompare(other))).toEqual([
    expect.stringMatching(
      /^engine: Error: effect \S+ of kind "embed" for key "1" is dead after 1 attempts: no$/,
    ),
    'engine: Error: effects of kind "cache" wait, and nobody handles them: 1',
  ])
  expect((await server.call('GET', '/readyz')).status).toBe(200)
})
