import { expect, test } from 'vitest'
import { parseAccess } from './access.ts'
import type { LogRow } from './format.ts'

function parse(line: string): LogRow {
  const entry = parseAccess(line, { lastTs: Number.NaN, referenceMs: 0 })
  if (typeof entry === 'string') throw new Error(entry)
  return entry
}

const TIME = '[10/Oct/2000:13:55:36 -0700]'
const TS = Date.UTC(2000, 9, 10, 20, 55, 36)

test('common', () => {
  const entry = parse(`127.0.0.1 - frank ${TIME} "GET /a.gif HTTP/1.0" 200 2326`)
  expect(entry).toMatchObject({ ts: TS, level: 'info', service: null, message: 'GET /a.gif HTTP/1.0 200' })
  expect(JSON.parse(entry.attributes ?? '')).toEqual({
    remote: '127.0.0.1',
    user: 'frank',
    method: 'GET',
    path: '/a.gif',
    protocol: 'HTTP/1.0',
    status: 200,
    bytes: 2326,
  })
})

test('combined, with a virtual host in front, escaped quotes and fields behind', () => {
  const entry = parse(
    `shop.example:443 2001:db8::1 - - ${TIME} "GET /a?q=\\"x\\" HTTP/1.1" 304 - "https://a.example/" "probe \\x22b\\x22" 0.012 "-"`,
  )
  expect(JSON.parse(entry.attributes ?? '')).toEqual({
    host: 'shop.example:443',
    remote: '2001:db8::1',
    method: 'GET',
    path: '/a?q="x"',
    protocol: 'HTTP/1.1',
    status: 304,
    referer: 'https://a.example/',
    agent: 'probe "b"',
    extra: '0.012 "-"',
  })
})

test('a user with a space in the name', () => {
  expect(parse(`127.0.0.1 - anna berg ${TIME} "GET / HTTP/1.1" 200 1`).attributes).toContain(
    '"user":"anna berg"',
  )
})

test.each([
  [200, 'info'],
  [302, 'info'],
  [404, 'warn'],
  [500, 'error'],
  [503, 'error'],
])('status %d is %s', (status, level) => {
  expect(parse(`::1 - - ${TIME} "GET / HTTP/1.1" ${status} 1`).level).toBe(level)
})

test('a request that is no request is kept as it is', () => {
  const entry = parse(`::1 - - ${TIME} "\\x16\\x03\\x01" 400 157 "-" "-"`)
  expect(entry.message).toBe('\\x16\\x03\\x01 400')
  expect(JSON.parse(entry.attributes ?? '')).toEqual({ remote: '::1', status: 400, bytes: 157 })
})

test('the time of one line is not that of the next', () => {
  const line = (second: number): string =>
    `::1 - - [10/Oct/2000:13:55:${second} +0000] "GET / HTTP/1.1" 200 1`
  expect(parse(line(36)).ts).toBe(Date.UTC(2000, 9, 10, 13, 55, 36))
  expect(parse(line(37)).ts).toBe(Date.UTC(2000, 9, 10, 13, 55, 37))
  expect(parse(line(36)).ts).toBe(Date.UTC(2000, 9, 10, 13, 55, 36))
})

test.each([
  [`127.0.0.1 - - "GET / HTTP/1.1" 200 1`, 'not an access log line: no [time]'],
  [`127.0.0.1 - - ${TIME} "GET / HT`, 'not an access log line: no "request" and status'],
  [
    `127.0.0.1 - - [40/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 1`,
    'not a time: [40/Oct/2000:13:55:36 -0700]',
  ],
  ['', 'not an access log line: no [time]'],
])('%s is bad', (line, expected) => {
  expect(parseAccess(line, { lastTs: Number.NaN, referenceMs: 0 })).toBe(expected)
})
