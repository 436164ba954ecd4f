/** Logs in and out: lines of JSON, OTLP, search, the newest, cleanup. */
import { gzipSync } from 'node:zlib'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { expect, test } from 'vitest'
import { NDJSON, running, type Running } from './running.ts'

const lines = (...texts: string[]): string => `${texts.join('\n')}\n`

test('lines are accepted with 202, and are in the file soon after', async () => {
  const server = await running()
  const body = lines('{"level":"warn","msg":"one","service":"api","size":5}', '', '{"msg":"two"}')
  const { status, body: answer, headers } = await server.call('POST', '/v1/logs', body, NDJSON)
  expect(status).toBe(202)
  expect(answer).toMatchObject({
    accepted: 2,
    lines: 3,
    bad: [],
    badCount: 0,
    position: { seq: expect.any(Number) },
  })
  expect(headers.get('tidemark-bookmark')).toBe(answer.bookmark)
  await server.logs.tidemark.flush()
  expect(server.rows('SELECT level, service, message, attributes FROM logs ORDER BY id')).toEqual([
    { level: 'warn', service: 'api', message: 'one', attributes: '{"size":5}' },
    { level: 'info', service: null, message: 'two', attributes: null },
  ])
})

test('law 1 · 201 means that the rows are in the file', async () => {
  const server = await running()
  for (let count = 1; count <= 10; count++) {
    const { status, body } = await server.call(
      'POST',
      '/v1/logs?ack=committed',
      lines(`{"msg":"${count}"}`),
      NDJSON,
    )
    expect(status).toBe(201)
    expect(body.rejected).toBe(0)
    expect(server.rows('SELECT count(*) AS n FROM logs')).toEqual([{ n: count }])
  }
})

test('law 5 · a bad line is reported and kept, and its neighbours are written', async () => {
  const server = await running()
  const body = lines('{"msg":"good"}', '{"half', 'nonsense', '{"msg":"good too"}')
  const { status, body: answer } = await server.call('POST', '/v1/logs?ack=committed', body, NDJSON)
  expect(status).toBe(201)
  expect(answer).toMatchObject({ accepted: 2, badCount: 2, lines: 4, rejected: 0 })
  expect(answer.bad.map(({ line }: { line: number }) => line)).toEqual([2, 3])
  expect(server.rows('SELECT message FROM logs')).toEqual([{ message: 'good' }, { message: 'good too' }])
  const { body: letters } = await server.call('GET', '/v1/dead-letters')
  expect(
    letters.letters.map(({ content, code }: { content: string; code: string }) => ({ content, code })),
  ).toEqual([
    { content: '{"half', code: 'UNREADABLE_INPUT' },
    { content: 'nonsense', code: 'UNREADABLE_INPUT' },
  ])
})

test('only where every line is bad does the request fail; ten of them are told', async () => {
  const server = await running()
  const { status, body } = await server.call('POST', '/v1/logs', 'x\n'.repeat(25), NDJSON)
  expect({
    status,
    code: body.code,
    badCount: body.badCount,
    told: body.bad.length,
    accepted: body.accepted,
  }).toEqual({
    status: 422,
    code: 'INVALID_BODY',
    badCount: 25,
    told: 10,
    accepted: 0,
  })
})

test('invalid UTF-8, NULs and a line over the limit are bad lines', async () => {
  const server = await running({ serve: { limits: { lineBytes: 1_000 } } })
  const body = Buffer.concat([
    Buffer.from('{"msg":"before"}\n{"msg":"'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from(`"}\n{"msg":"\0"}\n{"msg":"${'x'.repeat(2_000)}"}\n{"msg":"after"}`),
  ])
  const { status, body: answer } = await server.call('POST', '/v1/logs', body, NDJSON)
  expect({ status, accepted: answer.accepted, badCount: answer.badCount }).toEqual({
    status: 202,
    accepted: 2,
    badCount: 3,
  })
  expect(answer.bad.map(({ line }: { line: number }) => line)).toEqual([2, 3, 4])
})

test('an empty body is no error: it holds no line', async () => {
  const server = await running()
  expect(await server.call('POST', '/v1/logs', '', NDJSON)).toMatchObject({
    status: 202,
    body: { accepted: 0, lines: 0 },
  })
})

test.each(['application/jsonl', 'application/x-ndjson; charset=utf-8'])('%s are lines too', async (type) => {
  const server = await running()
  expect((await server.call('POST', '/v1/logs', '{"msg":"x"}', { 'content-type': type })).status).toBe(202)
})

test('a packed body is unpacked; one that is not what it says is refused', async () => {
  const server = await running()
  const packed = { ...NDJSON, 'content-encoding': 'gzip' }
  const many = '{"msg":"packed"}\n'.repeat(5_000)
  expect((await server.call('POST', '/v1/logs', gzipSync(many), packed)).body).toMatchObject({
    accepted: 5_000,
  })
  expect(await server.call('POST', '/v1/logs', many, packed)).toMatchObject({
    status: 400,
    body: { code: 'BAD_REQUEST' },
  })
  const half = gzipSync(many)
  expect((await server.call('POST', '/v1/logs', half.subarray(0, half.length / 2), packed)).status).toBe(400)
  expect((await server.call('POST', '/v1/logs', many, { ...NDJSON, 'content-encoding': 'br' })).status).toBe(
    415,
  )
})

test('a client that goes on behind what was accepted before a failure loses and repeats nothing', async () => {
  const server = await running()
  const all = Array.from({ length: 4_000 }, (_, index) => `{"msg":"${index}"}`)
  // Packed, and cut in the middle: the lines before the cut are taken.
  const packed = gzipSync(lines(...all), { level: 0 })
  const cut = await server.call('POST', '/v1/logs', packed.subarray(0, packed.length - 2_000), {
    ...NDJSON,
    'content-encoding': 'gzip',
  })
  expect(cut.status).toBe(400)
  expect(cut.body.lines).toBeGreaterThan(0)
  expect(cut.body.accepted).toBe(cut.body.lines)
  const rest = all.slice(cut.body.lines)
  expect((await server.call('POST', '/v1/logs?ack=committed', lines(...rest), NDJSON)).status).toBe(201)
  expect(
    server
      .rows<{ message: string }>('SELECT message FROM logs ORDER BY id')
      .map(({ message }) => Number(message)),
  ).toEqual(all.map((_, index) => index))
})

test('what an OpenTelemetry SDK exports is stored, and answered as its specification demands', async () => {
  const server = await running()
  const exporter = new OTLPLogExporter({ url: `${server.url}/v1/logs` })
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': 'checkout', 'host.name': 'web-1' }),
    processors: [new BatchLogRecordProcessor({ exporter })],
  })
  const logger = provider.getLogger('payments', '1.2.3')
  logger.emit({
    severityNumber: 13,
    severityText: 'WARN',
    body: 'card declined',
    attributes: { amount: 12.5, retries: 3, ok: false, tags: ['a', 'b'], 'card.brand': 'visa' },
  })
  logger.emit({ severityNumber: 22, body: { structured: true }, eventName: 'crash' })
  await provider.shutdown()
  const { body } = await server.call('GET', '/v1/logs/recent')
  expect(body.entries).toMatchObject([
    {
      level: 'fatal',
      service: 'checkout',
      message: '{"structured":true}',
      attributes: { eventName: 'crash' },
    },
    {
      level: 'warn',
      service: 'checkout',
      message: 'card declined',
      attributes: {
        amount: 12.5,
        retries: 3,
        ok: false,
        tags: ['a', 'b'],
        'card.brand': 'visa',
        resource: { 'host.name': 'web-1' },
        scope: { name: 'payments', version: '1.2.3' },
      },
    },
  ])
})

const exportOf = (...logRecords: unknown[]) => ({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })

test('OTLP: records that cannot be read are told as a partial success', async () => {
  const server = await running()
  const good = { timeUnixNano: '1700000000123456789', severityNumber: 9, body: { stringValue: 'good' } }
  const none = await server.call('POST', '/v1/logs', exportOf(good))
  expect({ status: none.status, body: none.body }).toEqual({ status: 200, body: {} })
  const some = await server.call(
    'POST',
    '/v1/logs',
    exportOf(good, 'no object', { timeUnixNano: 'yesterday' }),
  )
  expect(some.status).toBe(200)
  expect(some.body).toEqual({
    partialSuccess: { rejectedLogRecords: '2', errorMessage: expect.stringMatching(/./) },
  })
  expect(server.rows('SELECT ts, level, message FROM logs')).toEqual([
    { ts: 1_700_000_000_123, level: 'info', message: 'good' },
    { ts: 1_700_000_000_123, level: 'info', message: 'good' },
  ])
})

const severities: readonly (readonly [number, string])[] = [
  [1, 'trace'],
  [4, 'trace'],
  [5, 'debug'],
  [8, 'debug'],
  [9, 'info'],
  [12, 'info'],
  [13, 'warn'],
  [16, 'warn'],
  [17, 'error'],
  [20, 'error'],
  [21, 'fatal'],
  [24, 'fatal'],
  [0, 'info'],
  [25, 'info'],
]

test('OTLP: every severity has the level that the specification gives it', async () => {
  const server = await running()
  const records = severities.map(([severityNumber]) => ({ severityNumber, body: { stringValue: 'x' } }))
  await server.call('POST', '/v1/logs', exportOf(...records))
  expect(server.rows('SELECT level FROM logs ORDER BY id')).toEqual(
    severities.map(([, level]) => ({ level })),
  )
})

test('OTLP: every kind of value, and names that reach for prototypes', async () => {
  const server = await running()
  const attributes = [
    { key: 's', value: { stringValue: 'text' } },
    { key: 'i', value: { intValue: '5' } },
    { key: 'big', value: { intValue: '9223372036854775807' } },
    { key: 'd', value: { doubleValue: 0.5 } },
    { key: 'b', value: { boolValue: true } },
    { key: 'bytes', value: { bytesValue: 'AP8=' } },
    { key: 'list', value: { arrayValue: { values: [{ intValue: 1 }, { stringValue: 'x' }] } } },
    { key: 'map', value: { kvlistValue: { values: [{ key: '__proto__', value: { stringValue: 'y' } }] } } },
    { key: '__proto__', value: { stringValue: 'z' } },
    { key: 'none' },
  ]
  await server.call('POST', '/v1/logs', exportOf({ traceId: 'aa', spanId: 'bb', flags: 1, attributes }))
  const [row] = server.rows<{ attributes: string }>('SELECT attributes FROM logs')
  expect(row?.attributes).toContain('"__proto__":"z"')
  expect(JSON.parse(row?.attributes ?? '')).toMatchObject({
    s: 'text',
    i: 5,
    big: '9223372036854775807',
    d: 0.5,
    b: true,
    bytes: 'AP8=',
    list: [1, 'x'],
    none: null,
    traceId: 'aa',
    spanId: 'bb',
    flags: 1,
  })
})

test('OTLP as Protobuf is refused with what to do', async () => {
  const server = await running()
  const { status, body } = await server.call('POST', '/v1/logs', 'x', {
    'content-type': 'application/x-protobuf',
  })
  expect({ status, hint: body.hint }).toEqual({ status: 415, hint: expect.stringContaining('http/json') })
})

test('a packed OTLP body may not unpack to more than a JSON body may have', async () => {
  const server = await running({ serve: { limits: { bodyBytes: 100_000 } } })
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const bomb = gzipSync(`{"resourceLogs":[]${' '.repeat(10_000_000)}}`)
  expect(bomb.length).toBeLessThan(100_000)
  expect((await server.call('POST', '/v1/logs', bomb, headers)).status).toBe(413)
  expect((await server.call('POST', '/v1/logs', gzipSync('{"resourceLogs":[]}'), headers)).status).toBe(200)
})

const seed = async (server: Running): Promise<void> => {
  const entries = Array.from({ length: 30 }, (_, index) =>
    JSON.stringify({
      time: 1_700_000_000_000 + index * 1_000,
      level: index % 3 === 0 ? 'error' : 'info',
      service: index % 2 === 0 ? 'api' : 'web',
      msg: `request ${index} failed`,
      user: `u${index % 5}`,
    }),
  )
  await server.call('POST', '/v1/logs?ack=committed', lines(...entries), NDJSON)
}

test('search by words, level, service, time and attribute, page by page', async () => {
  const server = await running()
  await seed(server)
  const all = await server.call('GET', '/v1/logs/search?q=failed&level=warn&service=api&attr.user=u1&limit=2')
  expect(all.status).toBe(200)
  expect(all.body.entries.map(({ message }: { message: string }) => message)).toEqual(['request 6 failed'])
  const first = await server.call('GET', '/v1/logs/search?q=request&limit=20')
  expect(first.body.entries).toHaveLength(20)
  expect(first.body.unindexed).toBe(0)
  const second = await server.call('GET', `/v1/logs/search?q=request&limit=20&before=${first.body.next}`)
  const ids = [...first.body.entries, ...second.body.entries].map(({ id }: { id: number }) => id)
  expect(ids).toEqual(Array.from({ length: 30 }, (_, index) => 30 - index))
  const range = await server.call('GET', '/v1/logs/search?from=1700000005000&to=1700000008000')
  expect(range.body.entries).toHaveLength(3)
})

test('law 6 · a search with the bookmark of a write finds it', async () => {
  const server = await running({ logs: { batch: { lingerMs: 60_000 } } })
  const { body } = await server.call('POST', '/v1/logs', lines('{"msg":"needle"}'), NDJSON)
  const found = await server.call('GET', '/v1/logs/search?q=needle', undefined, {
    'tidemark-bookmark': body.bookmark,
  })
  expect(found.body.entries).toHaveLength(1)
  expect(found.headers.get('tidemark-bookmark')).toBeTruthy()
})

const oddSearches = [
  'limit=0',
  'limit=1001',
  'limit=x',
  'limit=5&limit=6',
  'level=loud',
  'before=x',
  'from=-1',
  'nobody=knows',
  `q=${'x'.repeat(1_001)}`,
]

test('a search that makes no sense is refused, and is no fault of the server', async () => {
  const server = await running()
  for (const query of oddSearches) {
    const { status } = await server.call('GET', `/v1/logs/search?${query}`)
    expect([400, 422], query).toContain(status)
  }
  expect((await server.call('GET', '/v1/logs/search?q=%22open')).status).toBe(200)
  expect(server.incidents).toEqual([])
})

test('the newest entries, newest first', async () => {
  const server = await running()
  await seed(server)
  const { body } = await server.call('GET', '/v1/logs/recent?limit=2')
  expect(body.entries.map(({ id }: { id: number }) => id)).toEqual([30, 29])
})

test('cleanup deletes what is old, and says how much', async () => {
  const server = await running()
  await seed(server)
  const { status, body } = await server.call('POST', '/v1/logs/cleanup', { maxAgeMs: 60_000 })
  // The newest entry always stays.
  expect({ status, deleted: body.deleted }).toEqual({ status: 200, deleted: 29 })
  expect(server.rows('SELECT count(*) AS n FROM logs')).toEqual([{ n: 1 }])
  expect((await server.call('POST', '/v1/logs/cleanup', {})).status).toBe(422)
  expect((await server.call('POST', '/v1/logs/cleanup', { maxAgeMs: '1' })).status).toBe(422)
})
