/** What an operator looks at: health, stats, history, metrics, the description of all routes. */
import { expect, test } from 'vitest'
import { lock, metricReaches, NDJSON, running } from './running.ts'

test('healthy and ready, and says nothing else', async () => {
  const server = await running()
  const health = await server.call('GET', '/healthz')
  expect({ status: health.status, text: health.text }).toEqual({ status: 200, text: 'ok\n' })
  expect(await server.call('GET', '/readyz')).toMatchObject({
    status: 200,
    body: { ready: true, reasons: [] },
  })
})

test('not ready while nothing is committed, and again when it is', async () => {
  const server = await running({ logs: { alertAfterMs: 100 } })
  const held = lock(server.file)
  await server.call('POST', '/v1/logs', '{"msg":"x"}\n', NDJSON)
  let ready = await server.call('GET', '/readyz')
  while (ready.status === 200) ready = await server.call('GET', '/readyz')
  expect(ready).toMatchObject({
    status: 503,
    body: { ready: false, reasons: [expect.stringContaining('none was committed')] },
  })
  const { body } = await server.call('GET', '/v1/stats')
  expect(body.alerts[0]).toMatchObject({ kind: 'stalled', sinceMs: expect.any(Number) })
  expect((await server.call('GET', '/healthz')).status).toBe(200)
  held.release()
  while (ready.status !== 200) ready = await server.call('GET', '/readyz')
  expect((await server.call('GET', '/v1/stats')).body.alerts).toEqual([])
})

test('an engine that was fenced is not ready, refuses writes with 503 and tells the operator why', async () => {
  const server = await running({ logs: { writer: 'one' } })
  const { open } = await import('../../src/index.ts')
  const { sqlite } = await import('../../src/stores/sqlite/index.ts')
  await using _ = await open(sqlite(server.file), { writer: 'one' })
  const { status, body } = await server.call('POST', '/v1/tables/notes/rows', { text: 'x' })
  expect({ status, code: body.code }).toEqual({ status: 503, code: 'FENCED' })
  expect(body.detail).not.toContain(server.file)
  expect(await server.call('GET', '/readyz')).toMatchObject({ status: 503 })
  expect(server.incidents.map(({ where }) => where.id)).toContain(body.incident)
  expect(server.rows('SELECT * FROM notes')).toEqual([])
})

test('stats say what the engine does', async () => {
  const server = await running({ logs: { retention: { maxAgeMs: 1e12 } } })
  await server.call('POST', '/v1/logs?ack=committed', '{"time":1700000000000,"msg":"x"}\nbad\n', NDJSON)
  const { body } = await server.call('GET', '/v1/stats')
  expect(body).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    startedAt: expect.stringMatching(/^\d{4}-/),
    writer: server.logs.tidemark.writer,
    queue: { operations: 0, maxOperations: 10_000, isFull: false },
    committed: { operations: expect.any(Number), batches: expect.any(Number) },
    rejected: 1,
    deadLetters: 1,
    logs: {
      newestId: 1,
      oldestMs: 1_700_000_000_000,
      newestMs: 1_700_000_000_000,
      unindexed: 0,
      retention: { maxAgeMs: 1e12 },
    },
    alerts: [],
  })
  expect(body.storage.databaseBytes).toBe(body.storage.usedBytes + body.storage.freeBytes)
  expect(body.storage.usedBytes).toBeGreaterThan(0)
  expect(body.memory.rssBytes).toBeGreaterThan(body.memory.heapUsedBytes)
})

test('law 6 · stats show what was committed before they were asked for, also beside those who asked before', async () => {
  const server = await running({ logs: {} })
  for (let newestId = 1; newestId <= 40; newestId++) {
    const asked = server.call('GET', '/v1/stats')
    await server.call('POST', '/v1/logs?ack=committed', '{"msg":"x"}\n', NDJSON)
    expect((await server.call('GET', '/v1/stats')).body.logs).toMatchObject({ newestId })
    await asked
  }
})

test('history has a sample a second, from where it is asked', async () => {
  const server = await running()
  await server.call('POST', '/v1/logs?ack=committed', '{"msg":"x"}\n'.repeat(500), NDJSON)
  let { body } = await server.call('GET', '/v1/stats/history')
  while (body.samples.length < 2) ({ body } = await server.call('GET', '/v1/stats/history'))
  const column = (name: string): number[] =>
    body.samples.map((sample: number[]) => sample[body.columns.indexOf(name)])
  expect(body.intervalMs).toBe(1_000)
  expect(body.samples[0]).toHaveLength(body.columns.length)
  expect(Math.max(...column('rowsPerSecond'))).toBeGreaterThan(0)
  expect(Math.max(...column('transactionMs'))).toBeGreaterThan(0)
  const [first = 0, second] = column('t')
  const later = await server.call('GET', `/v1/stats/history?since=${first}`)
  expect(later.body.samples[0][0]).toBe(second)
})

test('metrics tell what happened, by route and level', async () => {
  const server = await running()
  await server.call('POST', '/v1/logs?ack=committed', '{"msg":"x"}\n', NDJSON)
  await server.call('GET', '/nowhere')
  await server.call('GET', '/v1/tables/notes/rows?id=1')
  await server.call('GET', '/v1/tables/files/rows?path=x')
  await server.call('GET', '/v1/tables/notes/rows?id=1', undefined, { 'tidemark-consistency': 'strong' })
  await metricReaches(server, 'tidemark_operations_total 1')
  const { text, headers } = await server.call('GET', '/metrics')
  expect(headers.get('content-type')).toContain('text/plain')
  expect(text).toContain('tidemark_http_requests_total{method="POST",route="/v1/logs",status="201"} 1\n')
  expect(text).toContain('tidemark_http_requests_total{method="GET",route="none",status="404"} 1\n')
  // One line for all tables: a client cannot make more of them.
  expect(text).toContain(
    'tidemark_http_requests_total{method="GET",route="/v1/tables/:table/rows",status="200"} 3\n',
  )
  expect(text).toMatch(/tidemark_reads_total\{level="strong",outcome="satisfied"\} 1\n/)
  expect(text).toMatch(/tidemark_commit_seconds_count [1-9]/)
  for (const line of text.split('\n')) expect(line).toMatch(/^(#.*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? \S+)?$/)
})

test('openapi.json describes every route, with what it takes and what it answers', async () => {
  const server = await running()
  const { body } = await server.call('GET', '/openapi.json')
  expect(body.openapi).toMatch(/^3\.1\./)
  expect(Object.keys(body.paths).toSorted()).toEqual([
    '/healthz',
    '/metrics',
    '/readyz',
    '/v1/dead-letters',
    '/v1/dead-letters/redrive',
    '/v1/effect-results/{id}',
    '/v1/effects',
    '/v1/effects/discard',
    '/v1/effects/redrive',
    '/v1/effects/{kind}',
    '/v1/effects/{kind}/dead',
    '/v1/effects/{kind}/pause',
    '/v1/effects/{kind}/recover',
    '/v1/effects/{kind}/resume',
    '/v1/effects/{kind}/waiting',
    '/v1/health',
    '/v1/logs',
    '/v1/logs/cleanup',
    '/v1/logs/recent',
    '/v1/logs/search',
    '/v1/logs/tail',
    '/v1/query',
    '/v1/stats',
    '/v1/stats/effects',
    '/v1/stats/history',
    '/v1/tables/{table}/rows',
  ])
  const ids = new Set<string>()
  for (const [path, methods] of Object.entries(body.paths as Record<string, Record<string, Operation>>)) {
    for (const [method, operation] of Object.entries(methods)) {
      const what = `${method} ${path}`
      expect(operation.summary, what).toMatch(/./)
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const parameters = operation.parameters ?? []
      expect(
        parameters.filter((one) => one.in === 'path').map(({ name }) => name),
        what,
      ).toEqual(named)
      for (const parameter of parameters) expect(parameter.schema, `${what} ${parameter.name}`).toBeDefined()
      expect(
        Object.keys(operation.responses).some((status) => status.startsWith('2')),
        what,
      ).toBe(true)
      const failure = operation.responses['4XX']
      expect(Object.keys(failure?.content ?? {}), what).toEqual(['application/problem+json'])
      for (const response of Object.values(operation.responses))
        expect(response.description, what).toMatch(/./)
      ids.add(what)
    }
  }
  expect(ids.size).toBeGreaterThan(15)
})

interface Operation {
  readonly summary: string
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: unknown }[]
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>
}
