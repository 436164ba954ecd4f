import { describe, expect, test } from 'vitest'
import type { Clock, LogRow } from './format.ts'
import { parseSyslog } from './syslog.ts'

const REFERENCE = Date.UTC(2024, 4, 1)

function clock(referenceMs: number = REFERENCE): Clock {
  return { lastTs: Number.NaN, referenceMs }
}

function parse(line: string, at: Clock = clock()): LogRow {
  const entry = parseSyslog(line, at)
  if (typeof entry === 'string') throw new Error(entry)
  return entry
}

function attributes(line: string): unknown {
  const text = parse(line).attributes
  return text === null ? null : JSON.parse(text)
}

describe('what daemons write to files', () => {
  test('host, tag, pid and message', () => {
    const line = 'Apr  9 22:14:15 harbour sshd[1234]: Accepted publickey'
    expect(parse(line)).toMatchObject({
      ts: Date.UTC(2024, 3, 9, 22, 14, 15),
      level: 'info',
      service: 'sshd',
      message: 'Accepted publickey',
    })
    expect(attributes(line)).toEqual({ host: 'harbour', pid: '1234' })
  })

  test.each([
    ['Apr 19 22:14:15 harbour kernel: [ 12.5] eth0: up', 'kernel', '[ 12.5] eth0: up'],
    ['Apr 19 22:14:15 harbour postfix/smtpd[7]: connect', 'postfix/smtpd', 'connect'],
    ['Apr 19 22:14:15 harbour last message repeated 2 times', null, 'last message repeated 2 times'],
    ['Apr 19 22:14:15 sshd[7]: no host', 'sshd', 'no host'],
    ['Apr 19 22:14:15 harbour tag:', 'tag', ''],
    ['Apr 19 22:14:15 harbour', null, ''],
    ['Apr 19 22:14:15.123 harbour app: with a fraction', 'app', 'with a fraction'],
    ['2024-04-19T22:14:15.123456+00:00 harbour systemd[1]: Started', 'systemd', 'Started'],
  ])('%s', (line, service, message) => {
    expect(parse(line)).toMatchObject({ service, message })
  })

  test('the level is read in the message, which stays whole', () => {
    const line = 'Apr 19 22:14:15 harbour app[1]: error: no route'
    expect(parse(line)).toMatchObject({ level: 'error', message: 'error: no route' })
    expect(attributes('Apr 19 22:14:15 h a: <notice> x')).toEqual({ host: 'h', level: 'notice' })
  })

  test('an ISO time has its zone and its milliseconds', () => {
    expect(parse('2024-04-19T22:14:15.123456+02:00 h a: x').ts).toBe(Date.UTC(2024, 3, 19, 20, 14, 15, 123))
  })
})

describe('RFC 3164', () => {
  test('the priority gives level, severity and facility', () => {
    const line = "<34>Apr 11 22:14:15 mymachine su: 'su root' failed"
    expect(parse(line)).toMatchObject({ level: 'fatal', service: 'su', message: "'su root' failed" })
    expect(attributes(line)).toEqual({ host: 'mymachine', facility: 'auth', severity: 'crit' })
  })

  test('behind a priority, what has no header is the message', () => {
    expect(parse('<13>hello there')).toMatchObject({ ts: REFERENCE, level: 'info', message: 'hello there' })
  })
})

describe('RFC 5424', () => {
  test('all fields', () => {
    const line =
      '<165>1 2003-10-11T22:14:15.003Z host.example evntslog 12 ID47 [a@1 iut="3" q="\\"x\\]"][b@2] \uFEFFAn entry'
    expect(parse(line)).toMatchObject({
      ts: Date.UTC(2003, 9, 11, 22, 14, 15, 3),
      level: 'info',
      service: 'evntslog',
      message: 'An entry',
    })
    expect(attributes(line)).toEqual({
      host: 'host.example',
      pid: '12',
      messageId: 'ID47',
      facility: 'local4',
      severity: 'notice',
      structured: { 'a@1': { iut: '3', q: '"x]' }, 'b@2': {} },
    })
  })

  test('nothing said but the priority', () => {
    expect(parse('<3>1 - - - - - -')).toMatchObject({
      ts: REFERENCE,
      level: 'error',
      service: null,
      message: '',
    })
    expect(attributes('<3>1 - - - - - -')).toEqual({ facility: 'kern', severity: 'err' })
  })

  test.each([
    ['<34>1 2003-10-11T22:14:15Z host app', 'an RFC 5424 line that ends within its header'],
    ['<34>1 now host app - - - x', 'not a time: now'],
    ['<34>1 - host app - - [half a="b x', 'the structured data is neither - nor [id name="value" …]'],
    ['<34>1 - host app - - [a b="c"]x', 'the structured data is neither - nor [id name="value" …]'],
    ['<34>1 - host app - - none x', 'the structured data is neither - nor [id name="value" …]'],
  ])('%s is bad', (line, expected) => {
    expect(parseSyslog(line, clock())).toBe(expected)
  })
})

describe('bad lines', () => {
  test.each([
    ['<192>x', 'the priority in <> is not a number up to 191'],
    ['<00034>x', 'the priority in <> is not a number up to 191'],
    ['<>x', 'the priority in <> is not a number up to 191'],
    ['<1', 'the priority in <> is not a number up to 191'],
    ['<1e1>x', 'the priority in <> is not a number up to 191'],
    ['2024-05-01 12:00:00 status installed', 'no syslog time at the start of the line'],
    ['Apr 31 22:14:15 h a: x', 'no syslog time at the start of the line'],
    ['Foo 10 22:14:15 h a: x', 'no syslog time at the start of the line'],
    ['Apr 10 22:14', 'no syslog time at the start of the line'],
    ['Apr 10 22:14:15h a: x', 'no syslog time at the start of the line'],
    ['', 'no syslog time at the start of the line'],
    ['2024-05-01T12:00:00Z user=anna action=login', 'an ISO time, but no host and tag behind it'],
    ['2024-05-01T12:00:00Z INFO main: starting', 'an ISO time, but no host and tag behind it'],
    ['2024-05-01T12:00:00Z ERROR: starting', 'an ISO time, but no host and tag behind it'],
    ['2024-05-01T12:00:00Z [main] app: starting', 'an ISO time, but no host and tag behind it'],
  ])('%j', (line, expected) => {
    expect(parseSyslog(line, clock())).toBe(expected)
  })
})

describe('the year that is not there', () => {
  function years(reference: number, ...times: string[]): number[] {
    const at = clock(reference)
    return times.map((time) => new Date(parse(`${time} h a: x`, at).ts).getUTCFullYear())
  }

  test('the first line has the newest year that the file’s time allows', () => {
    expect(years(Date.UTC(2024, 4, 1), 'Apr 30 10:00:00')).toEqual([2024])
    expect(years(Date.UTC(2024, 4, 1), 'Dec 30 10:00:00')).toEqual([2023])
    // A little ahead: another zone.
    expect(years(Date.UTC(2024, 4, 1), 'May  1 14:00:00')).toEqual([2024])
    expect(years(Date.UTC(2024, 4, 1), 'May  3 14:00:00')).toEqual([2023])
  })

  test('it goes up at new year, and lines out of order around it stay where they belong', () => {
    const times = [
      'Dec 31 23:59:58',
      'Jan  1 00:00:00',
      'Dec 31 23:59:59',
      'Jan  1 00:00:02',
      'Jan  2 00:00:00',
    ]
    expect(years(Date.UTC(2024, 0, 3), ...times)).toEqual([2023, 2024, 2023, 2024, 2024])
  })

  test('a quiet year is no step back', () => {
    expect(years(Date.UTC(2024, 11, 1), 'Jan  5 00:00:00', 'Oct  3 00:00:00', 'Nov 30 00:00:00')).toEqual([
      2024, 2024, 2024,
    ])
  })

  test('it goes up as often as there are new years', () => {
    const times = [
      'Nov  1 00:00:00',
      'Jan  1 00:00:00',
      'Dec 31 23:59:59',
      'Nov  1 00:00:00',
      'Feb  1 00:00:00',
    ]
    const at: Clock = { lastTs: Date.UTC(2020, 9, 1), referenceMs: Date.UTC(2024, 4, 1) }
    const got = times.map((time) => new Date(parse(`${time} h a: x`, at).ts).getUTCFullYear())
    expect(got).toEqual([2020, 2021, 2020, 2021, 2022])
  })

  test('never beyond the file’s time, even when lines are far out of order', () => {
    expect(years(Date.UTC(2024, 4, 1), 'Apr 20 00:00:00', 'Mar  1 00:00:00', 'Apr 21 00:00:00')).toEqual([
      2024, 2024, 2024,
    ])
  })

  test('29 February finds a leap year', () => {
    expect(years(Date.UTC(2027, 4, 1), 'Feb 29 10:00:00')).toEqual([2024])
    expect(years(Date.UTC(2024, 2, 1), 'Feb 28 10:00:00', 'Feb 29 10:00:00', 'Mar  1 10:00:00')).toEqual([
      2024, 2024, 2024,
    ])
  })
})
