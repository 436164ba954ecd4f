import { describe, expect, test } from 'vitest'
import type { Clock, LogRow } from './format.ts'
import { parseNdjson } from './ndjson.ts'

const REFERENCE = Date.UTC(2024, 0, 1)
const NOON = Date.UTC(2024, 4, 1, 12)

function clock(): Clock {
  return { lastTs: Number.NaN, referenceMs: REFERENCE }
}

function parse(line: string, at: Clock = clock()): LogRow {
  const entry = parseNdjson(line, at)
  if (typeof entry === 'string') throw new Error(entry)
  return entry
}

function refusal(line: string): string {
  const entry = parseNdjson(line, clock())
  if (typeof entry !== 'string') throw new Error(`taken: ${JSON.stringify(entry)}`)
  return entry
}

describe('what loggers write', () => {
  test.each([
    [
      'pino',
      `{"level":50,"time":${NOON},"pid":1,"hostname":"h","name":"api","msg":"failed","err":{"code":"E"}}`,
      {
        level: 'error',
        service: 'api',
        message: 'failed',
        attributes: { pid: 1, hostname: 'h', err: { code: 'E' } },
      },
    ],
    [
      'bunyan',
      '{"name":"api","hostname":"h","pid":1,"level":40,"msg":"slow","time":"2024-05-01T12:00:00.000Z","v":0}',
      { level: 'warn', service: 'api', message: 'slow', attributes: { hostname: 'h', pid: 1, v: 0 } },
    ],
    [
      'winston',
      '{"level":"info","message":"ready","timestamp":"2024-05-01T12:00:00.000Z","service":"api"}',
      { level: 'info', service: 'api', message: 'ready', attributes: null },
    ],
    [
      'zerolog',
      '{"level":"debug","time":1714564800,"message":"hit","key":"k"}',
      { level: 'debug', service: null, message: 'hit', attributes: { key: 'k' } },
    ],
    [
      'zap',
      '{"level":"error","ts":1714564800.0004,"logger":"api","caller":"a.go:1","msg":"failed"}',
      { level: 'error', service: 'api', message: 'failed', attributes: { caller: 'a.go:1' } },
    ],
    [
      'slog',
      '{"time":"2024-05-01T14:00:00+02:00","level":"WARN","msg":"slow","ms":12}',
      { level: 'warn', service: null, message: 'slow', attributes: { ms: 12 } },
    ],
    [
      'journald',
      '{"__REALTIME_TIMESTAMP":"1714564800000123","PRIORITY":"3","SYSLOG_IDENTIFIER":"sshd","_COMM":"sshd","MESSAGE":"no"}',
      { level: 'error', service: 'sshd', message: 'no', attributes: { _COMM: 'sshd' } },
    ],
    [
      'journald, bytes',
      '{"__REALTIME_TIMESTAMP":"1714564800000000","PRIORITY":"6","MESSAGE":[104,195,169]}',
      { level: 'info', service: null, message: 'hé', attributes: null },
    ],
    [
      'docker',
      '{"log":"hello\\n","stream":"stdout","time":"2024-05-01T12:00:00.000000001Z"}',
      { level: 'info', service: null, message: 'hello', attributes: { stream: 'stdout' } },
    ],
    [
      'elastic',
      '{"@timestamp":"2024-05-01T12:00:00Z","log.level":"error","message":"x","service.name":"api"}',
      { level: 'error', service: 'api', message: 'x', attributes: null },
    ],
    [
      'Serilog',
      '{"@t":"2024-05-01T12:00:00Z","@mt":"took {Ms}","@l":"Warning","Ms":3}',
      { level: 'warn', service: null, message: 'took {Ms}', attributes: { Ms: 3 } },
    ],
    [
      'GELF',
      '{"version":"1.1","host":"h","short_message":"x","timestamp":1714564800,"level":4}',
      { level: 'warn', service: null, message: 'x', attributes: { version: '1.1', host: 'h' } },
    ],
  ])('%s', (_, line, { attributes, ...expected }) => {
    const entry = parse(line)
    expect(entry).toMatchObject({ ts: NOON, ...expected })
    expect(entry.attributes === null ? null : JSON.parse(entry.attributes)).toEqual(attributes)
  })
})

describe('fields', () => {
  test('the best name wins; the others stay attributes', () => {
    const entry = parse('{"message":"second","msg":"first","name":"n","service":"s"}')
    expect(entry).toMatchObject({
      message: 'first',
      service: 's',
      attributes: '{"message":"second","name":"n"}',
    })
  })

  test('a level that says more than its column is kept', () => {
    expect(parse('{"msg":"x","level":"notice"}').attributes).toBe('{"level":"notice"}')
    expect(parse('{"msg":"x","level":"zorp"}')).toMatchObject({
      level: 'info',
      attributes: '{"level":"zorp"}',
    })
    expect(parse('{"msg":"x","level":35}').attributes).toBe('{"level":35}')
    expect(parse('{"msg":"x","level":{"a":1}}').attributes).toBe('{"level":{"a":1}}')
  })

  test('a message that is no text is written as JSON, under a name that can only be the message', () => {
    expect(parse('{"msg":{"a":1}}')).toMatchObject({ message: '{"a":1}', attributes: null })
    expect(parse('{"event":{"a":1}}')).toMatchObject({ message: '', attributes: '{"event":{"a":1}}' })
    expect(parse('{"msg":null}')).toMatchObject({ message: '', attributes: '{"msg":null}' })
  })

  test('numbers that a double cannot hold keep their digits', () => {
    expect(parse('{"msg":"x","id":12345678901234567890}').attributes).toBe('{"id":12345678901234567890}')
    expect(parse('{"msg":"x","a":[{"id":9007199254740993}]}').attributes).toBe(
      '{"a":[{"id":9007199254740993}]}',
    )
    expect(parse('{"msg":"x","id":-9007199254740993,"n":1.5}').attributes).toBe(
      '{"id":-9007199254740993,"n":1.5}',
    )
  })

  test('a field called __proto__ is a field', () => {
    expect(parse('{"msg":"x","__proto__":{"a":1}}').attributes).toBe('{"__proto__":{"a":1}}')
  })
})

describe('time', () => {
  test('without one, a line has its predecessor’s, and the file’s before any', () => {
    const at = clock()
    expect(parse('{"msg":"a"}', at).ts).toBe(REFERENCE)
    expect(at.lastTs).toBeNaN()
    parse('{"msg":"b","time":"2024-05-01T12:00:00Z"}', at)
    expect(parse('{"msg":"c"}', at).ts).toBe(NOON)
  })

  test('one that cannot be read makes the line bad, and does not move the clock', () => {
    const at = clock()
    expect(parseNdjson('{"msg":"a","time":"yesterday"}', at)).toBe('time is not a time: "yesterday"')
    expect(at.lastTs).toBeNaN()
  })
})

describe('bad lines', () => {
  test.each([
    ['{"msg":', /^not JSON: /],
    ['plain text', /^not JSON: Unexpected token/],
    ['{"msg":"a', /^not JSON: Unterminated string in JSON at position 9$/],
    ['[1]', 'not a JSON object'],
    ['null', 'not a JSON object'],
    ['"text"', 'not a JSON object'],
    ['12', 'not a JSON object'],
    ['{"msg":"half \\ud83d"}', 'msg holds half a surrogate pair'],
    ['{"msg":"x","service":"\\udc00"}', 'service holds half a surrogate pair'],
    ['{"msg":"x","time":-5}', 'time is not a time: -5'],
  ])('%s', (line, expected) => {
    expect(refusal(line)).toMatch(expected)
  })

  test('half a surrogate pair in an attribute is carried as its escape', () => {
    expect(parse('{"msg":"x","a":"\\ud83d"}').attributes).toBe('{"a":"\\ud83d"}')
  })
})
