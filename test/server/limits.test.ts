/** Law 7 over HTTP: everything has a limit, and whoever meets it is told which. */
import { expect, test } from 'vitest'
import { lock, metricReaches, NDJSON, running } from './running.ts'
import { RawClient } from './raw.ts'

const head = (line: string, ...headers: string[]): string =>
  [line, 'Host: 127.0.0.1', ...headers, '', ''].join('\r\n')

test('a full queue is waited for, then told with 429, and nothing is lost or repeated by going on behind it', async () => {
  const server = await running({
    logs: { queue: { maxOperations: 1_000 } },
    serve: { limits: { fullQueueMs: 200 } },
  })
  const lines = Array.from({ length: 5_000 }, (_, index) => `{"msg":"${index}"}`)
  const held = lock(server.file)
  const refused = await server.call('POST', '/v1/logs', lines.join('\n'), NDJSON)
  expect({ status: refused.status, code: refused.body.code }).toEqual({ status: 429, code: 'QUEUE_FULL' })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(refused.body.accepted).toBe(refused.body.lines)
  expect(refused.body.accepted).toBeGreaterThan(0)
  expect(refused.body.accepted).toBeLessThanOrEqual(1_000)
  const single = await server.call('POST', '/v1/tables/notes/rows', [{ text: 'x' }])
  expect(single.status).toBe(429)
  const otlp = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'x' } }] }] }] }
  expect((await server.call('POST', '/v1/logs', otlp)).headers.get('retry-after')).toBeTruthy()
  const { body } = await server.call('GET', '/v1/stats')
  expect(body.alerts.map(({ kind }: { kind: string }) => kind)).toContain('backpressure')

  held.release()
  const rest = lines.slice(refused.body.lines).join('\n')
  expect((await server.call('POST', '/v1/logs?ack=committed', rest, NDJSON)).status).toBe(201)
  const found = server.rows<{ message: string }>('SELECT message FROM logs ORDER BY id')
  expect(found.map(({ message }) => Number(message))).toEqual(lines.map((_, index) => index))
})

test('an export of OpenTelemetry is taken whole, be it thousands of records, or not at all', async () => {
  const server = await running({ logs: { queue: { maxOperations: 6_000 } } })
  const exported = (count: number): object => {
    const logRecords = Array.from({ length: count }, (_, index) => ({
      body: { stringValue: `record ${index}` },
    }))
    return { resourceLogs: [{ scopeLogs: [{ logRecords }] }] }
  }
  expect((await server.call('POST', '/v1/logs', exported(5_000))).body).toEqual({})
  expect(server.rows('SELECT count(*) AS n FROM logs')).toEqual([{ n: 5_000 }])
  const { status, body } = await server.call('POST', '/v1/logs', exported(6_001))
  expect({ status, code: body.code }).toEqual({ status: 413, code: 'TOO_LARGE' })
  expect(server.rows('SELECT count(*) AS n FROM logs')).toEqual([{ n: 5_000 }])
})

test('while the queue is full nothing more is read of an upload; it goes on when there is room', async () => {
  const server = await running({
    logs: { queue: { maxOperations: 1_000 } },
    serve: { limits: { fullQueueMs: 60_000 } },
  })
  const held = lock(server.file)
  const line = `{"msg":"${'x'.repeat(5_000)}"}\n`
  const count = 20_000
  const client = new RawClient(server.url)
  client.send(
    head(
      'POST /v1/logs HTTP/1.1',
      'Content-Type: application/x-ndjson',
      `Content-Length: ${line.length * count}`,
    ),
  )
  client.socket.write(line.repeat(count))
  await metricReaches(server, 'tidemark_queue_full 1')
  // 100 MB are sent; the kernel's buffers and a few pieces are all that was taken of them.
  expect(client.socket.bytesWritten - client.socket.writableLength).toBeLessThan(line.length * count)
  expect(server.logs.tidemark.stats().queued.operations).toBeLessThanOrEqual(1_000)
  held.release()
  await client.received(`"accepted":${count}`)
  expect(client.statuses).toEqual([202])
  await server.logs.tidemark.flush()
  expect(server.rows('SELECT count(*) AS n FROM logs')).toEqual([{ n: count }])
  client.socket.destroy()
})

test('bodies, lines, headers and brackets have limits', async () => {
  const server = await running({ serve: { limits: { bodyBytes: 10_000, headerBytes: 4_096, jsonDepth: 8 } } })
  const big = { text: 'x'.repeat(20_000) }
  expect(await server.call('POST', '/v1/tables/notes/rows', big)).toMatchObject({
    status: 413,
    body: { code: 'BODY_TOO_LARGE' },
  })
  const deep = `${'{"a":'.repeat(9)}1${'}'.repeat(9)}`
  expect(await server.call('POST', '/v1/tables/notes/rows', deep)).toMatchObject({ status: 400 })
  const brackets = { text: '[[[[[[[[[[[[{{{{{{{"\\"[[[[' }
  expect(
    (await server.call('POST', '/v1/tables/notes/rows', brackets)).status,
    'in a text they are none',
  ).toBe(201)

  const client = new RawClient(server.url)
  client.send(head('GET /v1/stats HTTP/1.1', `X-Long: ${'x'.repeat(8_000)}`))
  await client.closed
  expect(client.statuses).toEqual([431])
  expect(client.text).toContain('"code":"HEADERS_TOO_LARGE"')
})

test('a chunked body without a length meets the same limit', async () => {
  const server = await running({ serve: { limits: { bodyBytes: 10_000 } } })
  const client = new RawClient(server.url)
  client.send(head('POST /v1/query HTTP/1.1', 'Content-Type: application/json', 'Transfer-Encoding: chunked'))
  for (let index = 0; index < 4; index++) client.send(`1000\r\n${'x'.repeat(4_096)}\r\n`)
  await client.received('BODY_TOO_LARGE')
  expect(client.statuses).toEqual([413])
  client.socket.destroy()
})

test('headers that do not come are not waited for', async () => {
  const server = await running({ serve: { limits: { headersMs: 200 } } })
  const silent = new RawClient(server.url)
  const slow = new RawClient(server.url)
  slow.send('GET /healthz HTTP/1.1\r\nHost: 127.0')
  await Promise.all([silent.closed, slow.closed])
  expect(slow.statuses).toEqual([408])
  expect(slow.text).toContain('"code":"REQUEST_TIMEOUT"')
})

test('neither is a body', async () => {
  const server = await running({ serve: { limits: { bodyMs: 200, idleMs: 200 } } })
  const json = new RawClient(server.url)
  json.send(
    head('POST /v1/query HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 100') + '{"sql":',
  )
  const lines = new RawClient(server.url)
  lines.send(
    head('POST /v1/logs HTTP/1.1', 'Content-Type: application/x-ndjson', 'Content-Length: 100') +
      '{"msg":"first"}\n{"msg":',
  )
  await Promise.all([json.closed, lines.closed])
  expect([json.statuses, lines.statuses]).toEqual([[408], [408]])
  // What came before it stopped is taken, and said so.
  expect(lines.text).toContain('"accepted":1')
})

test('a body of lines may take as long as it likes, as long as it comes', async () => {
  const server = await running({ serve: { limits: { bodyMs: 100, idleMs: 1_000 } } })
  const client = new RawClient(server.url)
  client.send(
    head(
      'POST /v1/logs?ack=committed HTTP/1.1',
      'Content-Type: application/x-ndjson',
      'Transfer-Encoding: chunked',
    ),
  )
  const line = '{"msg":"again"}\n'
  for (let count = 1; count <= 5; count++) {
    client.send(`${line.length.toString(16)}\r\n${line}\r\n`)
    // Each line is in the queue before the next one is sent.
    await reached(
      () =>
        server.logs.tidemark.stats().queued.operations + server.logs.tidemark.stats().committed.operations >=
        count,
    )
  }
  client.send('0\r\n\r\n')
  await client.received('"accepted":5')
  client.socket.destroy()
})

test('only so many connections', async () => {
  const server = await running({ serve: { limits: { connections: 3 } } })
  const clients = [1, 2, 3].map(() => new RawClient(server.url))
  for (const client of clients) {
    client.send(head('GET /healthz HTTP/1.1'))
    await client.received('ok\n')
  }
  const more = new RawClient(server.url)
  await more.closed
  expect(more.text).toBe('')
  clients[0]?.socket.destroy()
  await clients[0]?.closed
  for (const client of clients) client.socket.destroy()
})

test('a client that takes nothing of its answer is let go', async () => {
  const server = await running({ serve: { limits: { waitMs: 300, idleMs: 300 } } })
  const entry = `{"msg":"${'x'.repeat(5_000)}"}\n`
  // More than the buffers between the two hold.
  await server.call('POST', '/v1/logs', entry.repeat(4_000), NDJSON)
  const client = new RawClient(server.url)
  client.send(head('GET /v1/logs/tail?after=0 HTTP/1.1'))
  client.socket.pause()
  await metricReaches(server, 'tidemark_tails 1')
  await metricReaches(server, 'tidemark_tails 0')
  client.socket.destroy()
})

test('the rest of an upload that is refused is not read for ever', async () => {
  const server = await running({
    serve: { tokens: [{ name: 'x', scopes: ['read'], token: 'x'.repeat(16) }] },
  })
  const client = new RawClient(server.url)
  client.send(
    head('POST /v1/logs HTTP/1.1', 'Content-Type: application/x-ndjson', 'Transfer-Encoding: chunked'),
  )
  await client.received('HTTP/1.1 401')
  // It goes on sending, so that the connection is never idle.
  while (!client.socket.closed) {
    client.send('5\r\nhello\r\n')
    await new Promise((resolve) => setImmediate(resolve))
  }
})

async function reached(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
