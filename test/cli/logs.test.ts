/** `search`, `tail`, `cleanup` and `status`, as a user runs them. */
import { appendFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { look, temporaryFolder } from '../support/database-file.ts'
import { Command, succeed, tidemark } from './command.ts'

const start = Date.UTC(2026, 0, 31, 8)

function lines(from: number, to: number): string {
  let text = ''
  for (let n = from; n < to; n++) {
    const level = n % 10 === 3 ? 'error' : 'info'
    text += `${JSON.stringify({ ts: start + n * 1_000, level, service: n % 2 ? 'shop' : 'mail', msg: `event ${n}`, n, ok: true })}\n`
  }
  return text
}

async function ingested(count: number): Promise<string> {
  const folder = temporaryFolder()
  writeFileSync(path.join(folder, 'app.ndjson'), lines(0, count))
  await succeed(folder, 'ingest', 'app.ndjson')
  return folder
}

// SPEC S4.9
test('search finds by words, level, service, attribute and time, newest first', async () => {
  const folder = await ingested(40)
  const first = await tidemark(folder, 'search', 'event', '33')
  expect(first).toMatchObject({
    code: 0,
    stdout: '2026-01-31T08:00:33.000Z ERROR shop event 33 n=33 ok=true\n',
    // So few may be indexed before it has looked.
    stderr: expect.stringMatching(/^(?:tidemark: \d+ rows are being indexed, once\n)?$/),
  })
  const found = async (...words: string[]): Promise<number[]> =>
    [...(await succeed(folder, 'search', '--format', 'ndjson', ...words)).matchAll(/"n":(\d+)/g)].map(
      ([, n]) => Number(n),
    )
  expect(await found('--level', 'error')).toEqual([33, 23, 13, 3])
  expect(await found('--level', 'error', '--service', 'shop', '--limit', '2')).toEqual([33, 23])
  expect(await found('--attr', 'n=7', '--attr', 'ok=true')).toEqual([7])
  expect(await found('--since', '2026-01-31T08:00:05Z', '--until', '2026-01-31 08:00:08')).toEqual([7, 6, 5])
  expect(await found('--since', '1h')).toEqual([])
  expect(await found('--before', '4')).toEqual([2, 1, 0])
  expect(await found('"event 12" OR "event 14"')).toEqual([14, 12])
  expect(await found('--limit', '4', 'event', '--', '-shop', '-36')).toEqual([38, 34, 32, 30])
})

test('what ingest adds to an indexed table is found at once', async () => {
  const folder = await ingested(10)
  await tidemark(folder, 'search', 'event')
  appendFileSync(path.join(folder, 'app.ndjson'), lines(10, 3_000))
  await succeed(folder, 'ingest', 'app.ndjson')
  expect(JSON.parse(await succeed(folder, 'status', '--json'))).toMatchObject({
    logs: { entries: 3_000, unindexed: 0 },
  })
  expect(await succeed(folder, 'search', '"event 2999"', '--format', 'ndjson')).toContain('"id":3000')
})

test('tail prints the newest, oldest of them first, then what comes, until it is stopped', async () => {
  const folder = await ingested(30)
  const tail = new Command(folder, ['tail', '--follow', '-n', '2'])
  await tail.said('event 29')
  appendFileSync(path.join(folder, 'app.ndjson'), lines(30, 33))
  await succeed(folder, 'ingest', 'app.ndjson')
  await tail.said('event 32')
  const { code, stdout } = await tail.kill('SIGINT')
  expect(code).toBe(130)
  expect([...stdout.matchAll(/event (\d+)/g)].map(([, n]) => Number(n))).toEqual([28, 29, 30, 31, 32])
})

test('a tail with a query follows only what matches', async () => {
  const folder = await ingested(20)
  const tail = new Command(folder, ['tail', '-f', '-q', 'event', '--level', 'error', '-n', '1'])
  await tail.said('event 13')
  appendFileSync(path.join(folder, 'app.ndjson'), lines(20, 50))
  await succeed(folder, 'ingest', 'app.ndjson')
  await tail.said('event 43')
  const { stdout } = await tail.kill('SIGTERM')
  expect([...stdout.matchAll(/event (\d+)/g)].map(([, n]) => Number(n))).toEqual([13, 23, 33, 43])
})

test('control characters of an entry do not reach the terminal', async () => {
  const folder = temporaryFolder()
  writeFileSync(
    path.join(folder, 'a.ndjson'),
    `${JSON.stringify({ msg: 'two\nlines \u001B[31m', key: '\u009Bx' })}\n`,
  )
  await succeed(folder, 'ingest', 'a.ndjson')
  expect(await succeed(folder, 'tail')).toContain(String.raw`two\nlines \u001b[31m key=\u009bx`)
})

test('cleanup deletes by age and by size', async () => {
  const folder = await ingested(5_000)
  const database = path.join(folder, 'app.db')
  expect(await succeed(folder, 'cleanup', '--max-size', '400kB')).toMatch(
    /^[\d,]+ entries deleted; \d+ kB of app\.db in use\n$/,
  )
  const left = Number(look(database, 'SELECT count(*) AS n FROM logs')[0]?.['n'])
  expect(left).toBeGreaterThan(100)
  expect(left).toBeLessThan(5_000)
  expect(look(database, 'SELECT max(id) AS id FROM logs')).toEqual([{ id: 5_000 }])
  expect(await succeed(folder, 'cleanup', '--max-age', '1d')).toMatch(/entries deleted/)
  expect(look(database, 'SELECT count(*) AS n FROM logs')).toEqual([{ n: 1 }])
})

test('status tells what is there and changes nothing', async () => {
  const folder = await ingested(20)
  expect(await succeed(folder, 'status')).toMatch(
    /^database {6}app\.db, \d+ kB .*\nlogs {10}about 20 in "logs"\ntimes {9}2026-01-31T08:00:00\.000Z to 2026-01-31T08:00:19\.000Z\nsearch index {2}none; the first search makes it\ndead letters {2}none\ncheckpoints {3}1 sources ingested\nwriters {7}none open\n$/,
  )
  expect(
    look(path.join(folder, 'app.db'), "SELECT name FROM sqlite_schema WHERE name LIKE 'logs_%'"),
  ).toEqual([])
})

test.for<[string[], number, string]>([
  [['search', 'x'], 1, 'there is no database app.db.'],
  [['tail', '-f'], 1, 'there is no database app.db.'],
  [['status'], 1, 'there is no database app.db.'],
  [['cleanup', '--max-age', '1d'], 1, 'there is no database app.db.'],
  [['cleanup'], 2, 'cleanup needs --max-age or --max-size.'],
  [['cleanup', '--max-age', 'soon'], 2, 'It must be a duration'],
  [['cleanup', '--max-size', '5'], 2, 'It must be a size'],
  [['search', '--level', 'loud'], 2, 'Allowed choices are trace, debug'],
  [['search', '--since', 'yesterday'], 2, 'It must be a time'],
  [['search', '--attr', 'x'], 2, '--attr must be NAME=VALUE'],
  [['tail', '-n', '1e3'], 2, 'It must be a whole number.'],
  [['tail', '-n', '5000'], 2, '--lines can be 1,000 at most.'],
])('%j exits with %i and says why', async ([parameters, code, message]) => {
  const result = await tidemark(temporaryFolder(), ...parameters)
  expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) })
})

test('a search for no word says so; a table that holds no logs is named', async () => {
  const folder = await ingested(3)
  expect(await tidemark(folder, 'search', '***')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('holds no word'),
  })
  writeFileSync(path.join(folder, 'items.csv'), 'id,name\n1,a\n')
  await succeed(folder, 'ingest', 'items.csv')
  expect(await tidemark(folder, 'search', 'a', '--table', 'items')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('table "items" cannot hold logs'),
  })
})
