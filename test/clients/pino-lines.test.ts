/** What of pino's lines goes into which column. */
import { once } from 'node:events'
import path from 'node:path'
import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino'
import { expect, test } from 'vitest'
import type { PinoTransportOptions } from '../../src/pino/index.ts'
import { look, temporaryFolder } from '../support/database-file.ts'
import { rowsIn, type Row } from './pino.ts'

const target = new URL('../../src/pino/index.ts', import.meta.url).pathname

type Transport = DestinationStream & NodeJS.EventEmitter & { end(): void }

function transport(options: object): Transport {
  return pino.transport({ target, options }) as Transport
}

/** Logs, ends the transport, and reads what is in the table. */
async function logged(
  log: (logger: Logger<'audit' | 'notice' | 'shout'>) => void,
  options: LoggerOptions<'audit' | 'notice' | 'shout'> = {},
  more: Partial<PinoTransportOptions> = {},
): Promise<(Omit<Row, 'attributes'> & { attributes: Record<string, unknown> })[]> {
  const file = path.join(temporaryFolder(), 'app.db')
  const stream = transport({ database: file, ...more })
  log(pino({ base: null, level: 'trace', ...options }, stream))
  const closed = once(stream, 'close')
  stream.end()
  await closed
  return rowsIn(file).map((row) => ({
    ...row,
    attributes: JSON.parse(row.attributes ?? '{}') as Record<string, unknown>,
  }))
}

// SPEC S4.9
test('the six levels are the six levels', async () => {
  const rows = await logged((log) => {
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[level](level)
  })
  expect(rows.map(({ level, message }) => [level, message])).toEqual(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, level]),
  )
  expect(rows.every(({ attributes }) => Object.keys(attributes).length === 0)).toBe(true)
})

test('a level of the program’s own is the nearest below, and its number and name are kept; a known name counts', async () => {
  const customLevels = { audit: 35, notice: 31, shout: 55 }
  const rows = await logged((log) => [log.audit('a'), log.notice('n'), log.shout('s'), log.info('i')], {
    customLevels,
  })
  expect(rows.map(({ level, attributes }) => ({ level, attributes }))).toEqual([
    { level: 'info', attributes: { level: 35, levelLabel: 'audit' } },
    { level: 'info', attributes: { level: 'notice' } },
    { level: 'error', attributes: { level: 55, levelLabel: 'shout' } },
    { level: 'info', attributes: {} },
  ])
})

test('a level that is written as its name is understood', async () => {
  const formatters = { level: (label: string) => ({ level: label }) }
  const [row] = await logged((log) => log.warn('w'), { formatters })
  expect(row).toMatchObject({ level: 'warn', message: 'w', attributes: {} })
})

test('the name is the service; process and host, nested objects and errors are attributes', async () => {
  const [row] = await logged((log) => log.error(new TypeError('it broke')), {
    name: 'api',
    base: { pid: 7, hostname: 'h' },
  })
  expect(row).toMatchObject({
    level: 'error',
    service: 'api',
    message: 'it broke',
    attributes: { pid: 7, hostname: 'h', err: { type: 'TypeError', message: 'it broke' } },
  })
  const [nested] = await logged((log) =>
    log.info({ user: { id: 1, tags: ['a'] }, count: 9_007_199_254_740_993n }, 'n'),
  )
  expect(nested?.attributes).toMatchObject({ user: { id: 1, tags: ['a'] } })
})

test('integers that a number cannot hold keep their digits, also where the line is put into other names', async () => {
  for (const options of [{}, { messageKey: 'note' }]) {
    const file = path.join(temporaryFolder(), 'app.db')
    const stream = transport({ database: file })
    pino({ base: null, ...options }, stream).info({ id: 9_007_199_254_740_993n }, 'x')
    const closed = once(stream, 'close')
    stream.end()
    await closed
    expect(rowsIn(file)[0]).toMatchObject({ message: 'x', attributes: '{"id":9007199254740993}' })
  }
})

test('message and time are found under the names that pino was told', async () => {
  const nowMs = Date.now()
  const [row] = await logged(
    (log) => log.info({ msg: 'a field' }, 'the message'),
    { messageKey: 'note', timestamp: () => `,"at":"${new Date(nowMs).toISOString()}"` },
    { timestampKey: 'at' },
  )
  expect(row).toMatchObject({ ts: nowMs, message: 'the message', attributes: { msg_: 'a field' } })
})

test('a line that is no entry is a dead letter, with what it said', async () => {
  const file = path.join(temporaryFolder(), 'app.db')
  const stream = transport({ database: file })
  pino(stream).info('good')
  stream.write('no JSON at all\n')
  const closed = once(stream, 'close')
  stream.end()
  await closed
  expect(rowsIn(file).map(({ message }) => message)).toEqual(['good'])
  expect(look(file, 'SELECT count(*) AS n FROM tidemark_dead_letters')).toEqual([{ n: 1 }])
})

test.each([
  [{ database: '/no/such/folder/app.db' }, /unable to open/],
  [{}, /either database, an SQLite file, or url, a Tidemark server, must be given/],
  [{ url: 'ftp://x', linger: 5 }, /linger is not an option here.*url must begin with http/],
  [{ database: 'app.db', url: 'http://x' }, /either database/],
])('with the options %j the transport says what is wrong', async (options, problem) => {
  const [error] = (await once(transport(options), 'error')) as [Error]
  expect(error.message).toMatch(problem)
})
