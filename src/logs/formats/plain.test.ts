import { describe, expect, test } from 'vitest'
import { parsePlain } from './plain.ts'

const REFERENCE = Date.UTC(2024, 5, 1)
const NOON = Date.UTC(2024, 4, 1, 12)

describe('lines that open with a time', () => {
  test.each([
    ['2024-05-01 12:00:00 status installed less:amd64 590', 'info', 'status installed less:amd64 590', null],
    ['2024-05-01T12:00:00.000Z ERROR disk full', 'error', 'disk full', null],
    ['[2024-05-01 12:00:00] [warn] slow', 'warn', 'slow', null],
    ['2024-05-01 12:00:00,000 - my.mod - WARNING - low', 'warn', 'my.mod - WARNING - low', null],
    ['2024/05/01 12:00:00 [error] 7#7: *1 open() failed', 'error', '7#7: *1 open() failed', null],
    ['[Wed May 01 12:00:00.000000 2024] [core:error] [pid 3] no', 'error', '[core:error] [pid 3] no', null],
    ['[01/May/2024:12:00:00 +0000] hello', 'info', 'hello', null],
    ['1714564800.000 GET /', 'info', 'GET /', null],
    ['1714564800000 GET /', 'info', 'GET /', null],
    ['[2943] 2024/05/01 12:00:00.000000 [INF] Starting', 'info', 'Starting', { pid: '2943' }],
    ['2205:C 01 May 2024 12:00:00.000 # Redis is starting', 'info', '# Redis is starting', { pid: '2205' }],
    ['2024-05-01 12:00:00.000 UTC [9] LOG:  ready', 'info', '[9] LOG:  ready', { level: 'LOG' }],
    ['May  1 12:00:00 without a year', 'info', 'without a year', null],
    ['2024-05-01 12:00:00', 'info', '', null],
    ['2024-05-01 12:00:00|CRIT|db down', 'fatal', 'db down', { level: 'CRIT' }],
  ])('%s', (line, level, message, attributes) => {
    const at = { lastTs: Number.NaN, referenceMs: REFERENCE }
    const entry = parsePlain(line, at)
    expect(entry).toMatchObject({ ts: NOON, level, service: null, message })
    expect(entry.attributes === null ? null : JSON.parse(entry.attributes)).toEqual(attributes)
    expect(at.lastTs).toBe(NOON)
  })
})

test.each([
  'no time here',
  '    at main (file.js:1:1)',
  '2024-05-01 is a date, not the time of an event',
  '12 monkeys',
  '1234567890',
  '[17] 3 things',
  'Mon is not a date',
])('%j has no time of its own and stays as it is', (line) => {
  const at = { lastTs: Number.NaN, referenceMs: REFERENCE }
  expect(parsePlain(line, at)).toMatchObject({ ts: REFERENCE, message: line, attributes: null })
  expect(at.lastTs).toBeNaN()
})

test('a stack trace has the time of its error', () => {
  const at = { lastTs: Number.NaN, referenceMs: REFERENCE }
  parsePlain('2024-05-01 12:00:00 ERROR boom', at)
  expect(parsePlain('    at main (file.js:1:1)', at)).toMatchObject({
    ts: NOON,
    message: '    at main (file.js:1:1)',
  })
})
