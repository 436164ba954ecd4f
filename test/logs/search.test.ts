/** What is found, in which order, page by page; and that the index says the same as the rows. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  LEVELS,
  type LogEntry,
  type LogStore,
  type SearchQuery,
  type StoredEntry,
} from '../../src/logs/index.ts'
import { change, look } from '../support/database-file.ts'
import { ingested, logFile, logsOn, messages } from './log-files.ts'

async function allPages(logs: LogStore, query: SearchQuery): Promise<StoredEntry[]> {
  const entries: StoredEntry[] = []
  for (let before: string | undefined; ;) {
    const page = await logs.search({ ...query, ...(before !== undefined && { before }) })
    entries.push(...page.entries)
    if (page.next === undefined) return entries
    before = page.next
  }
}

test('by words, level, service, attributes and time, together', async () => {
  const logs = await logsOn(logFile())
  const entries: LogEntry[] = [
    {
      ts: 10,
      message: 'payment refused',
      level: 'error',
      service: 'shop',
      attributes: { order: 17, ok: false },
    },
    {
      ts: 20,
      message: 'payment taken',
      level: 'info',
      service: 'shop',
      attributes: { order: 17, path: '/a b/"c"' },
    },
    {
      ts: 30,
      message: 'refused to start',
      level: 'fatal',
      service: 'shop-api',
      attributes: { 'a.b': { order: 17 } },
    },
    { ts: 40, message: 'refused', level: 'warn' },
  ]
  for (const entry of entries) logs.store(entry)
  await logs.tidemark.flush()
  const found = async (query: SearchQuery): Promise<number[]> =>
    (await logs.search(query)).entries.map(({ id }) => id)
  expect(await found({})).toEqual([4, 3, 2, 1])
  expect(await found({ text: 'refused' })).toEqual([4, 3, 1])
  expect(await found({ text: 'refused', level: 'error' })).toEqual([3, 1])
  expect(await found({ level: 'warn' })).toEqual([4, 3, 1])
  expect(await found({ level: 'trace' })).toEqual([4, 3, 2, 1])
  expect(await found({ service: 'shop' })).toEqual([2, 1])
  expect(await found({ service: 'SHOP' })).toEqual([])
  expect(await found({ attributes: { order: '17' } })).toEqual([2, 1])
  expect(await found({ attributes: { order: '17', ok: 'false' } })).toEqual([1])
  expect(await found({ attributes: { path: '/a b/"c"' } })).toEqual([2])
  expect(await found({ attributes: { path: '/a b/' } })).toEqual([])
  expect(await found({ attributes: { order: '1' } })).toEqual([])
  expect(await found({ text: 'payment', fromMs: 20 })).toEqual([2])
  expect(await found({ fromMs: 20, toMs: 40 })).toEqual([3, 2])
  expect(await found({ fromMs: 50 })).toEqual([])
  expect(await found({ text: 'refused -payment', level: 'warn', toMs: 40 })).toEqual([3])
  await expect(logs.search({ text: '***' })).rejects.toMatchObject({ code: 'INVALID_CALL' })
  await expect(logs.search({ limit: 0 })).rejects.toMatchObject({ code: 'INVALID_CALL' })
  await expect(logs.search({ before: '1; DROP' })).rejects.toMatchObject({ code: 'INVALID_CALL' })
  await expect(logs.search({ level: 'loud' as 'info' })).rejects.toMatchObject({ code: 'INVALID_CALL' })
})

test('pages follow each other without gap or repetition, also while entries come', async () => {
  const logs = await logsOn(logFile())
  for (let n = 0; n < 300; n++) logs.store({ message: n % 3 === 0 ? `third ${n}` : `other ${n}` })
  await logs.tidemark.flush()
  const first = await logs.search({ text: 'third', limit: 7 })
  for (let n = 0; n < 50; n++) logs.store({ message: `third later ${n}` })
  await logs.tidemark.flush()
  const rest = await allPages(logs, { text: 'third', limit: 7, before: first.next! })
  const ids = [...first.entries, ...rest].map(({ id }) => id)
  expect(ids).toEqual(Array.from({ length: 100 }, (_, at) => 298 - 3 * at))
})

test('law 6 · a strong search finds whatever was accepted before it, a session its own', async () => {
  const logs = await logsOn(logFile(), { batch: { lingerMs: 60_000 } })
  for (let round = 0; round < 50; round++) {
    const receipt = logs.store({ message: `needle ${round}` })
    const { entries, bookmark } =
      round % 2 === 0
        ? await logs.search({ text: `"needle ${round}"`, consistency: 'strong' })
        : await logs.search({ text: `"needle ${round}"`, after: receipt.bookmark })
    expect(messages(entries)).toEqual([`needle ${round}`])
    await logs.search({ after: bookmark })
  }
})

test('what a search finds is what the rows say, whatever they are', async () => {
  const logs = await logsOn(logFile())
  const words = ['red', 'green', 'blue', 'Grün', 'a-b', 'x_y', '7.5', 'naïve']
  const entry = fc.record({
    ts: fc.integer({ min: 0, max: 100 }),
    level: fc.constantFrom(...LEVELS),
    service: fc.constantFrom(null, 'api', 'api-gateway', '***'),
    message: fc.array(fc.constantFrom(...words), { maxLength: 4 }).map((all) => all.join(' ')),
    attributes: fc.constantFrom(null, { k: 'red' }, { k: 7.5 }, { 'odd key': 'a-b' }, { k: '!' }),
  })
  const query = fc.record(
    {
      level: fc.constantFrom(...LEVELS),
      service: fc.constantFrom('api', '***', 'none'),
      attributes: fc.constantFrom({ k: 'red' }, { k: '7.5' }, { 'odd key': 'a-b' }, { k: '!' }),
      fromMs: fc.integer({ min: 0, max: 100 }),
      toMs: fc.integer({ min: 0, max: 100 }),
    },
    { requiredKeys: [] },
  )
  const all: LogEntry[] = fc.sample(entry, { numRuns: 300, seed: 5 })
  for (const one of all) logs.store(one)
  await logs.tidemark.flush()
  const stored = await allPages(logs, { limit: 1_000 })
  expect(stored).toHaveLength(300)
  await fc.assert(
    fc.asyncProperty(query, async (asked) => {
      const { level, service, attributes = {}, fromMs, toMs } = asked
      const expected = stored.filter(
        (one) =>
          (level === undefined || LEVELS.indexOf(one.level) >= LEVELS.indexOf(level)) &&
          (service === undefined || one.service === service) &&
          (fromMs === undefined || one.ts >= fromMs) &&
          (toMs === undefined || one.ts < toMs) &&
          Object.entries(attributes).every(
            ([name, value]) =>
              one.attributes?.[name] !== undefined &&
              JSON.stringify(one.attributes[name]).replaceAll('"', '') === value,
          ),
      )
      expect(await allPages(logs, { ...asked, limit: 50 })).toEqual(expected)
    }),
    { numRuns: 150 },
  )
})

test('the index follows deletes and updates, whoever makes them, and an id that is given again', async () => {
  const file = logFile()
  const logs = await logsOn(file)
  for (const message of ['alpha', 'beta', 'gamma']) logs.store({ message })
  await logs.tidemark.flush()
  change(file, "UPDATE logs SET message = 'delta' WHERE id = 2; DELETE FROM logs WHERE id = 3;")
  const found = async (text: string): Promise<number[]> =>
    (await logs.search({ text })).entries.map(({ id }) => id)
  expect([await found('beta'), await found('delta'), await found('gamma')]).toEqual([[], [2], []])
  await logs.store({ message: 'epsilon' })
  expect([await found('gamma'), await found('epsilon')]).toEqual([[], [3]])
  change(file, 'UPDATE logs SET id = 9 WHERE id = 1')
  await logs.store({ message: 'zeta' })
  expect([await found('alpha'), await found('zeta')]).toEqual([[9], [10]])
  change(file, 'DELETE FROM logs')
  await logs.store({ message: 'eta' })
  expect([await found('eta'), await found('zeta')]).toEqual([[1], []])
})

test('a table that was there before is indexed afterwards, slice by slice, and a search says what is still to do', async () => {
  const file = logFile(
    `${ingested} WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
     INSERT INTO logs (ts, level, message) SELECT i, 'info', 'old ' || i FROM n;`,
  )
  const logs = await logsOn(file)
  const live = logs.store({ message: 'live' })
  const seen = [(await logs.search({ text: 'old' })).unindexed]
  while ((seen.at(-1) ?? 0) > 0) seen.push((await logs.search({ text: 'old' })).unindexed)
  await live
  expect(seen).toEqual(seen.toSorted((a, b) => b - a))
  expect(logs.tidemark.stats().transactions.count, 'a slice a transaction').toBeGreaterThanOrEqual(10)
  expect(messages((await logs.search({ text: '"old 1"' })).entries)).toEqual(['old 1'])
  expect(messages((await logs.search({ text: 'live' })).entries)).toEqual(['live'])
  expect(look(file, 'SELECT count(*) AS n FROM logs_text_docsize')).toEqual([{ n: 20_001 }])
})

test('a search that is given up stops', async () => {
  const logs = await logsOn(logFile())
  await logs.store({ message: 'one' })
  const reason = new Error('enough')
  await expect(logs.search({ signal: AbortSignal.abort(reason) })).rejects.toThrow()
})

test('what was written past us is shown as it is', async () => {
  const file = logFile()
  const logs = await logsOn(file)
  change(
    file,
    `INSERT INTO logs (ts, level, message, attributes) VALUES
       (1, 'LOUD', 5, 'no JSON'), (2, NULL, NULL, '[1]'), (3, 'warn', 'fine', '{"a":1}')`,
  )
  const base = { service: null }
  expect(await logs.getRecent()).toEqual([
    { ...base, id: 3, ts: 3, level: 'warn', message: 'fine', attributes: { a: 1 } },
    { ...base, id: 2, ts: 2, level: 'info', message: '""', attributes: { value: [1] } },
    { ...base, id: 1, ts: 1, level: 'info', message: '5', attributes: { text: 'no JSON' } },
  ])
})
