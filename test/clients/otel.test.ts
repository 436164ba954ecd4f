/** The OpenTelemetry SDK of JavaScript, as its users set it up, against a server. */
import { context, SeverityNumber, trace, TraceFlags } from '@opentelemetry/api'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { serve } from '../../src/server/index.ts'
import { call, running } from '../server/running.ts'
import { rowsIn } from './pino.ts'
import { scriptedServer } from './scripted-server.ts'

function providerTo(url: string, more: { headers?: Record<string, string> } = {}): LoggerProvider {
  const exporter = new OTLPLogExporter({ url: `${url}/v1/logs`, ...more })
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': 'checkout', 'service.version': '1.2.3' }),
    processors: [new BatchLogRecordProcessor({ exporter })],
  })
  onTestFinished(() => provider.shutdown().catch(() => undefined))
  return provider
}

function attributesOf(row: { readonly attributes: string | null } | undefined): Record<string, unknown> {
  return JSON.parse(row?.attributes ?? '{}') as Record<string, unknown>
}

// SPEC S4.9
test('every record is there once, in order, with what it says', async () => {
  const { url, file } = await running()
  const provider = providerTo(url)
  const logger = provider.getLogger('http', '2.0.0')
  const timestamp = Date.now() - 5_000
  for (let n = 0; n < 1_500; n++)
    logger.emit({
      timestamp: timestamp + n,
      severityNumber: n === 7 ? SeverityNumber.ERROR2 : SeverityNumber.INFO,
      severityText: n === 7 ? 'ERROR2' : 'INFO',
      body: `request ${n}`,
      attributes: { 'http.status': 200, n, nested: { list: [1, 'two', true] } },
    })
  await provider.forceFlush()

  const rows = rowsIn(file)
  expect(rows.map(({ message }) => message)).toEqual(Array.from({ length: 1_500 }, (_, n) => `request ${n}`))
  expect(rows.map(({ ts }) => ts)).toEqual(Array.from({ length: 1_500 }, (_, n) => timestamp + n))
  expect(rows[0]).toMatchObject({ level: 'info', service: 'checkout' })
  expect(attributesOf(rows[0])).toEqual({
    resource: { 'service.version': '1.2.3' },
    scope: { name: 'http', version: '2.0.0' },
    'http.status': 200,
    n: 0,
    nested: { list: [1, 'two', true] },
  })
  expect(rows[7]).toMatchObject({ level: 'error' })
  expect(attributesOf(rows[7])).toMatchObject({ severityText: 'ERROR2' })
})

test('a record within a span says which', async () => {
  const { url, file } = await running()
  const provider = providerTo(url)
  const span = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.SAMPLED,
  }
  provider.getLogger('http').emit({
    severityNumber: SeverityNumber.WARN,
    body: { what: 'slow', ms: 1_200 },
    context: trace.setSpanContext(context.active(), span),
  })
  await provider.forceFlush()
  const [row] = rowsIn(file)
  expect(row).toMatchObject({ level: 'warn', message: '{"what":"slow","ms":1200}' })
  expect(attributesOf(row)).toMatchObject({ traceId: span.traceId, spanId: span.spanId, flags: 1 })
})

test('while the queue is full the SDK is told to come again, and nothing is there twice', async () => {
  const { url, file, logs } = await running({
    logs: { queue: { maxOperations: 600 }, batch: { maxOperations: 100 } },
    serve: { limits: { fullQueueMs: 20 } },
  })
  const provider = providerTo(url)
  const logger = provider.getLogger('http')
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  // Nobody can commit, so they stay, and there is room for less than the SDK sends at once.
  for (let n = 0; n < 500; n++) logs.store({ message: 'before' })
  for (let n = 0; n < 1_500; n++) logger.emit({ body: `request ${n}` })
  const flushed = provider.forceFlush()
  while (!(await refusals(url))) await new Promise((resolve) => void setImmediate(resolve))
  other.exec('ROLLBACK')
  other.close()
  await flushed
  const found = rowsIn(file).map(({ message }) => message)
  expect(found.filter((message) => message !== 'before')).toEqual(
    Array.from({ length: 1_500 }, (_, n) => `request ${n}`),
  )
})

async function refusals(url: string): Promise<boolean> {
  const { text } = await call(url, 'GET', '/metrics')
  return /tidemark_http_requests_total\{[^}]*status="429"[^}]*\} [1-9]/.test(text)
}

test('a server that ends answers 503; its successor gets the records of which it took none', async () => {
  const { logs, server, url, file } = await running()
  const { port } = new URL(url)
  await server.close()
  const ending = await scriptedServer(
    [{ status: 503, headers: { 'retry-after': '1', connection: 'close' } }],
    Number(port),
  )
  const provider = providerTo(url)
  for (let n = 0; n < 100; n++) provider.getLogger('http').emit({ body: `request ${n}` })
  const flushed = provider.forceFlush()
  while (ending.received.length === 0) await new Promise((resolve) => void setImmediate(resolve))
  await ending.close()
  const successor = await serve({ logs, port: Number(port), dashboard: false })
  await flushed
  await successor.close()
  expect(rowsIn(file).map(({ message }) => message)).toEqual(
    Array.from({ length: 100 }, (_, n) => `request ${n}`),
  )
})

test('a token goes along as a header', async () => {
  const { url, file } = await running({
    serve: { tokens: [{ name: 'sdk', token: 's3cret-s3cret-s3cret-s3cret-s3cret', scopes: ['write'] }] },
  })
  const provider = providerTo(url, {
    headers: { authorization: 'Bearer s3cret-s3cret-s3cret-s3cret-s3cret' },
  })
  provider.getLogger('http').emit({ body: 'hello' })
  await provider.forceFlush()
  expect(rowsIn(file)).toHaveLength(1)
})
