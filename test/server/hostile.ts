/** The pieces of which hostile requests are made. Each is something that has broken some server somewhere. */
import { gzipSync } from 'node:zlib'
import type { Random } from '../../src/testing/simulation/random.ts'

const numbers = [
  '0',
  '-1',
  '1e999',
  '-0',
  '9223372036854775808',
  '9007199254740993',
  '1.5',
  'NaN',
  '0x10',
  ' 5',
  '５',
]
const words = [
  '',
  ' ',
  '"',
  '"open',
  '*',
  'a*',
  '-',
  '-a',
  'OR',
  'a OR',
  'OR OR OR',
  'a AND NOT',
  'NEAR(a b, 5)',
  'col:x',
  '^a',
  '(((',
  "'; DROP TABLE notes; --",
  '{"$ne":1}',
  '../../etc/passwd',
  '\u0000',
  '\u202e',
  '😀',
  'é'.repeat(300),
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(5_000),
]
const percent = [
  '%',
  '%z',
  '%zz',
  '%00',
  '%ff',
  '%c0%af',
  '%ed%a0%80',
  '%2e%2e%2f',
  '%25',
  '+',
  '%0d%0aSet-Cookie:a',
  '\\',
  '//',
  '/..',
  ';a=b',
  '#x',
]
const tables = [
  'notes',
  'files',
  'logs',
  'logs_text',
  'tidemark_database',
  'sqlite_schema',
  'NOTES',
  'no"tes',
  'x'.repeat(700),
]
const names = [
  'q',
  'level',
  'service',
  'from',
  'to',
  'limit',
  'before',
  'after',
  'since',
  'ack',
  'id',
  'path',
  'table',
  'attr.',
  'attr.a',
  'attr.a[b]',
  'a[]',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '',
]
const statements = [
  'SELECT 1',
  'SELECT * FROM notes',
  'SELECT',
  'PRAGMA journal_mode = DELETE',
  "ATTACH 'x' AS y",
  'SELECT secret FROM tidemark_database',
  'DELETE FROM notes',
  'SELECT ?',
  'SELECT :a',
  "SELECT 'unclosed",
  'SELECT 1; SELECT 2',
  `SELECT ${'('.repeat(500)}1${')'.repeat(500)}`,
  `SELECT ${Array.from({ length: 600 }, (_, index) => index).join(',')}`,
  "SELECT * FROM logs_text WHERE logs_text MATCH '\"'",
  'SELECT zeroblob(1000000000)',
  "SELECT printf('%.*c', 100000000, 'x')",
  'SELECT \u0000',
]
const types = [
  'application/json',
  'application/json',
  'application/json',
  'application/x-ndjson',
  'application/x-ndjson',
  'application/json; charset=utf-16',
  'application/x-protobuf',
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/json;',
  '',
  ',',
  'application/jso\u0001n',
]

export function query(random: Random): string {
  const count = random.below(4)
  const pairs = Array.from(
    { length: count },
    () => `${encoded(random, random.pick(names))}=${encoded(random, value(random))}`,
  )
  return count === 0 ? '' : `?${pairs.join('&')}`
}

export function path(random: Random, route: string): string {
  const filled = route.replaceAll(/\{\w+\}/g, () => encoded(random, random.pick(tables)))
  return random.chance(0.2) ? filled + random.pick(percent) : filled
}

/** Mostly as a client would write it; sometimes as it is. */
function encoded(random: Random, text: string): string {
  if (random.chance(0.15)) return random.pick(percent)
  return random.chance(0.9) ? encodeURIComponent(text) : text.replaceAll(/[\r\n ]/g, '')
}

function value(random: Random): string {
  return random.chance(0.4) ? random.pick(numbers) : random.pick(words)
}

export function headers(random: Random): string[] {
  const lines: string[] = []
  if (random.chance(0.2))
    lines.push(
      `Tidemark-Consistency: ${random.pick(['eventual', 'strong', 'readAfterWrite', 'STRONG', '', 'strong, strong'])}`,
    )
  if (random.chance(0.2))
    lines.push(
      `Tidemark-Bookmark: ${random.pick(['AAAA', ',,,', 'x'.repeat(4_000), 'A,'.repeat(50), '\u00ff', 'null'])}`,
    )
  if (random.chance(0.1))
    lines.push(`Tidemark-Timeout-Ms: ${random.pick(['0', '1', '-1', '1e9', '999999999', ''])}`)
  if (random.chance(0.1)) lines.push(`Last-Event-ID: ${random.pick(numbers)}`)
  if (random.chance(0.1))
    lines.push(`Content-Encoding: ${random.pick(['gzip', 'br', 'identity', 'gzip, gzip', ''])}`)
  if (random.chance(0.05))
    lines.push(
      `Authorization: ${random.pick(['Bearer', 'Bearer ', 'Bearer x', 'Basic eA==', 'Bearer \u00e9'])}`,
    )
  if (random.chance(0.05)) lines.push(`Origin: ${random.pick(['null', 'http://evil.example', 'x', ''])}`)
  if (random.chance(0.05)) lines.push('Expect: 100-continue')
  if (random.chance(0.03)) lines.push('Upgrade: websocket', 'Connection: Upgrade')
  if (random.chance(0.05)) lines.push(random.pick(brokenHeaders))
  return lines
}

const brokenHeaders = [
  'No colon here',
  ': no name',
  'Space : before',
  'X-Nul: a\u0000b',
  ' folded: line',
  'X-Latin: \u00e9\u00ff',
  `X-Long: ${'x'.repeat(20_000)}`,
  Array.from({ length: 300 }, (_, index) => `X-${index}: ${index}`).join('\r\n'),
  'Host: other.example',
  'Content-Length: 5',
  'Content-Length: -1',
  'Content-Length: 1e3',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: \u000bchunked',
]

export const requestLines = [
  'GET',
  'GET /',
  'GET / HTTP/9.9',
  'GET  / HTTP/1.1',
  'G\u0000T / HTTP/1.1',
  'get /healthz HTTP/1.1',
  'GET * HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'CONNECT example.com:443 HTTP/1.1',
  'TRACE / HTTP/1.1',
  'PURGE /v1/logs HTTP/1.1',
  'QUERY /v1/query HTTP/1.1',
  'GET http://evil.example/v1/stats HTTP/1.1',
  'GET //evil.example/v1/stats HTTP/1.1',
  'GET ?x HTTP/1.1',
  'GET /\u00ff\u00fe HTTP/1.1',
  'GET /a b HTTP/1.1',
  'GET /v1/stats HTTP/1.0',
  'GET /v1/stats HTTP/0.9',
  'PRI * HTTP/2.0',
  '\u0016\u0003\u0001\u0002',
  `GET /${'x'.repeat(20_000)} HTTP/1.1`,
  '',
]

export function contentType(random: Random): string {
  return random.pick(types)
}

/** A JSON value, or what nearly is one. */
export function json(random: Random, depth = 0): string {
  const kind = random.weighted({
    number: 2,
    text: 3,
    list: depth < 3 ? 2 : 0,
    object: depth < 3 ? 4 : 0,
    constant: 2,
    odd: 1,
  })
  switch (kind) {
    case 'number':
      return random.pick(numbers)
    case 'text':
      return JSON.stringify(random.pick(words))
    case 'constant':
      return random.pick(['null', 'true', 'false', 'undefined', 'NaN'])
    case 'odd':
      return random.pick([
        '"\\ud800"',
        '"\\u0000"',
        '{"base64":"!"}',
        '{"base64":"AAAA"}',
        "{'a':1}",
        '{"a":1,}',
        '[',
        '{',
        '"',
        '\ufeff{}',
        '{"a":1}{"b":2}',
      ])
    case 'list':
      return `[${Array.from({ length: random.below(4) }, () => json(random, depth + 1)).join(',')}]`
    case 'object':
      return `{${Array.from({ length: random.below(4) }, () => `${JSON.stringify(random.pick(members))}:${json(random, depth + 1)}`).join(',')}}`
  }
}

const members = [
  'sql',
  'parameters',
  'maxRows',
  'text',
  'id',
  'stars',
  'path',
  'size',
  'body',
  'key',
  'set',
  'expect',
  'ids',
  'maxAgeMs',
  'maxBytes',
  'resourceLogs',
  'scopeLogs',
  'logRecords',
  'attributes',
  'resource',
  'timeUnixNano',
  'msg',
  'time',
  'level',
  'service',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '',
  '\u0000',
] as const

/** What a body is made of, and the type that it would be sent as by somebody who means it. */
export function body(random: Random): { readonly bytes: Buffer; readonly type: string } {
  const kind = random.weighted({
    json: 6,
    logs: 2,
    row: 2,
    lines: 3,
    sql: 2,
    deep: 1,
    bytes: 1,
    packed: 1,
    otlp: 1,
    none: 1,
  })
  const type = kind === 'lines' || kind === 'logs' ? 'application/x-ndjson' : 'application/json'
  return { bytes: bytesOf(random, kind), type }
}

/** As somebody would send it who has read the description of the route; one of three has a byte that is wrong. */
export function nearlyGood(random: Random, route: string): { readonly bytes: Buffer; readonly type: string } {
  const fitting = { '/v1/logs': 'logs', '/v1/query': 'sql', '/v1/tables/{table}/rows': 'row' } as const
  const kind = route === '/v1/logs' && random.chance(0.3) ? 'otlp' : fitting[route as keyof typeof fitting]
  const bytes = bytesOf(random, kind ?? 'json')
  if (random.chance(0.33) && bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256)
  return { bytes, type: kind === 'logs' ? 'application/x-ndjson' : 'application/json' }
}

type BodyKind = 'json' | 'logs' | 'row' | 'lines' | 'sql' | 'deep' | 'bytes' | 'packed' | 'otlp' | 'none'

function bytesOf(random: Random, kind: BodyKind): Buffer {
  switch (kind) {
    case 'json':
      return Buffer.from(json(random))
    case 'logs':
      return Buffer.from(`{"msg":${json(random)},"level":${json(random)}}\n{"msg":"whole"}\n`)
    case 'row':
      return Buffer.from(
        `{"text":${JSON.stringify(`note ${random.next()}`)},"stars":${random.chance(0.6) ? 4.5 : json(random)}}`,
      )
    case 'lines':
      return Buffer.from(
        Array.from({ length: random.below(6) }, () => json(random)).join(
          random.pick(['\n', '\r\n', '\n\n', '\u2028']),
        ),
      )
    case 'sql':
      return Buffer.from(
        JSON.stringify({ sql: random.pick(statements), parameters: random.chance(0.5) ? [1] : [] }),
      )
    case 'deep':
      return Buffer.from(random.pick(['[', '{"a":']).repeat(random.pick([10, 100, 20_000])))
    case 'bytes':
      return Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256)))
    case 'packed':
      return gzipSync(json(random)).subarray(0, random.below(60))
    case 'otlp':
      return Buffer.from(
        `{"resourceLogs":[{"resource":${json(random)},"scopeLogs":[{"scope":${json(random)},"logRecords":[${json(random)},{"timeUnixNano":${json(random)},"body":${json(random)},"attributes":[{"key":${json(random)},"value":{"${random.pick(['stringValue', 'intValue', 'arrayValue', 'kvlistValue', 'bytesValue'])}":${json(random)}}}]}]}]}]}`,
      )
    case 'none':
      return Buffer.alloc(0)
  }
}

export function chunked(random: Random, bytes: Buffer): Buffer {
  const size = random.pick([
    bytes.length.toString(16),
    bytes.length.toString(16),
    bytes.length.toString(16),
    'zz',
    '-1',
    '',
    'ffffffffffffffff',
    '0',
    `${bytes.length.toString(16)};${'x'.repeat(20_000)}`,
  ])
  const end = random.pick([
    '\r\n0\r\n\r\n',
    '\r\n0\r\n\r\n',
    '\n0\n\n',
    '\r\n',
    '0\r\n',
    '\r\n0\r\nTrailer: x\r\n\r\n',
  ])
  return Buffer.concat([Buffer.from(`${size}\r\n`), bytes, Buffer.from(end)])
}
