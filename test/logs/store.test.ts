/** Entries in, and what a caller is told. */
import { expect, test } from 'vitest'
import { LOG_DEFAULTS, openLogs, type LogEntry } from '../../src/logs/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { look } from '../support/database-file.ts'
import { ingested, logFile, logsOn, messages } from './log-files.ts'

// SPEC S4.1
test('store, search, getRecent, cleanup, close: one interface', async () => {
  const logs = await logsOn(logFile())
  logs.store({ ts: 1, message: 'one', service: 'shop', attributes: { user: { id: 7 }, ok: true } })
  logs.store({ ts: 2, message: 'two', level: 'error' })
  const page = await logs.search({ text: 'one', consistency: 'strong' })
  const entry = { id: 1, ts: 1, level: 'info', service: 'shop', message: 'one' }
  expect(page.entries).toEqual([{ ...entry, attributes: { user: { id: 7 }, ok: true } }])
  expect(messages(await logs.getRecent(5))).toEqual(['two', 'one'])
  expect(await logs.cleanup({ maxAgeMs: 1_000 })).toMatchObject({ deleted: 1 })
  expect(messages(await logs.getRecent())).toEqual(['two'])
  await logs.close()
  expect(() => logs.store({ message: 'late' })).toThrow(expect.objectContaining({ code: 'CLOSED' }))
})

// SPEC S4.3
test('the preset is 100 rows, 100 ms and 10,000 in the queue, and each can be another', async () => {
  expect(LOG_DEFAULTS).toMatchObject({
    batch: { maxOperations: 100, lingerMs: 100 },
    queue: { maxOperations: 10_000 },
  })
  const file = logFile()
  const logs = await logsOn(file, { batch: { lingerMs: 60_000 } })
  const sizes: number[] = []
  logs.tidemark.on('commit', ({ operations }) => sizes.push(operations))
  for (let n = 0; n < 250; n++) logs.store({ message: `n ${n}` })
  await logs.tidemark.flush()
  expect(sizes).toEqual([100, 100, 50])
  for (let n = 0; n < 10_000; n++) logs.store({ message: `n ${n}` })
  expect(() => logs.store({ message: 'one too many' })).toThrow(
    expect.objectContaining({ code: 'QUEUE_FULL' }),
  )
})

test('the id is told when the entry is committed', async () => {
  const logs = await logsOn(logFile())
  const receipts = ['a', 'b'].map((message) => logs.store({ message }))
  expect((await Promise.all(receipts)).map(({ id }) => id)).toEqual([1, 2])
})

test('an entry without a time has the present one', async () => {
  const logs = await logsOn(logFile())
  const before = Date.now()
  await logs.store({ message: 'now' })
  const [entry] = await logs.getRecent()
  expect(entry?.ts).toBeGreaterThanOrEqual(before)
  expect(entry?.ts).toBeLessThanOrEqual(Date.now())
})

test.for<[string, unknown]>([
  ['its message must be a text', { message: 5 }],
  ['its level must be one of trace, debug', { message: 'a', level: 'loud' }],
  ['whole milliseconds', { message: 'a', ts: 1.5 }],
  ['whole milliseconds', { message: 'a', ts: Number.NaN }],
  ['its attributes must be an object', { message: 'a', attributes: [] }],
  ['have no JSON', { message: 'a', attributes: { big: 1n } }],
])('what is no entry is refused at the call: %s', async ([problem, entry]) => {
  const logs = await openLogs(memory())
  expect(() => logs.store(entry as LogEntry)).toThrow(problem)
  expect(logs.tidemark.stats().queued.operations).toBe(0)
  await logs.close()
})

test('rows of a format stand alone, and input that gave none is a dead letter', async () => {
  const logs = await logsOn(logFile())
  const row = { ts: 1, level: 'info' as const, service: null, attributes: null }
  const rows = [
    { ...row, message: 'first' },
    { ...row, message: 'second' },
  ]
  const { rejected } = await logs.storeRows(rows, [{ text: '{half', error: 'not JSON' }])
  expect(rejected).toBe(1)
  expect(await logs.tidemark.deadLetters()).toMatchObject([{ code: 'UNREADABLE_INPUT', content: '{half' }])
  expect(messages(await logs.getRecent())).toEqual(['second', 'first'])
})

test('many rows at once are indexed without being asked', async () => {
  const logs = await logsOn(logFile(), { retention: { everyMs: 3_600_000 } })
  const row = { ts: 1, level: 'info' as const, service: null, attributes: null }
  await logs.storeRows(Array.from({ length: 5_000 }, (_, n) => ({ ...row, message: `row ${n}` })))
  while ((await logs.search({ text: '"row 4999"' })).unindexed > 0);
  expect(messages((await logs.search({ text: '"row 4999"' })).entries)).toEqual(['row 4999'])
})

test('wrong options are told at once, all of them', async () => {
  const opened = openLogs(memory(), { table: 'tidemark_x', retention: { maxBytes: -1, often: 1 } as object })
  await expect(opened).rejects.toThrow(
    /table must be.*retention\.often is not an option.*retention\.maxBytes/,
  )
})

test('a table that cannot hold logs is refused, and left as it is', async () => {
  const file = logFile('CREATE TABLE logs (id INTEGER PRIMARY KEY, text TEXT)')
  await expect(logsOn(file)).rejects.toMatchObject({ code: 'UNKNOWN_COLUMN' })
  expect(look(file, "SELECT name FROM sqlite_schema WHERE name LIKE 'logs%'")).toEqual([{ name: 'logs' }])
  const keyed = logFile(ingested.replace('INTEGER PRIMARY KEY', 'TEXT PRIMARY KEY'))
  await expect(logsOn(keyed)).rejects.toMatchObject({ code: 'UNKNOWN_COLUMN' })
  const occupied = logFile(`${ingested} CREATE TABLE logs_text (a)`)
  await expect(logsOn(occupied)).rejects.toMatchObject({ code: 'INVALID_CALL' })
})

test('another table, whose name needs quotes, beside the first', async () => {
  const file = logFile()
  const logs = await logsOn(file)
  const other = await logsOn(file, { table: 'my "odd" logs' })
  await Promise.all([logs.store({ message: 'here' }), other.store({ message: 'there' })])
  expect(messages((await other.search({ text: 'there' })).entries)).toEqual(['there'])
  expect(messages((await logs.search({ text: 'there' })).entries)).toEqual([])
  await other.tidemark.delete('my "odd" logs', { id: 1 })
  expect((await other.search({ text: 'there' })).entries).toEqual([])
})
