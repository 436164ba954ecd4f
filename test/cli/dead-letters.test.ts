/** Rows that the table refuses: kept, counted, listed, and written again once the table was mended. */
import path from 'node:path'
import { expect, test } from 'vitest'
import { change, look, temporaryFolder } from '../support/database-file.ts'
import { succeed, tidemark } from './command.ts'
import { appendLines, expectLines, writeInput } from './inputs.ts'

const picky = `
  CREATE TABLE logs (
    id INTEGER PRIMARY KEY, ts INTEGER, level TEXT, service TEXT NOT NULL,
    message TEXT CONSTRAINT not_seven CHECK (message NOT LIKE 'event %7'), attributes TEXT
  )`
/** The same table with the same rows, without its objection. */
const mended = `
  ALTER TABLE logs RENAME TO picky;
  CREATE TABLE logs (id INTEGER PRIMARY KEY, ts INTEGER, level TEXT, service TEXT, message TEXT, attributes TEXT);
  INSERT INTO logs SELECT * FROM picky;
  DROP TABLE picky`

test('what the table refuses is kept as dead letters and counted; the rest is in', async () => {
  const folder = temporaryFolder()
  const database = path.join(folder, 'app.db')
  change(database, picky)
  writeInput(folder, 'app.ndjson', 40)
  const output = await succeed(folder, 'ingest', 'app.ndjson')

  expect(output).toMatch(
    /^app\.ndjson: 36 rows .*\n {2}4 rows refused by the database and kept as dead letters\n {2}see them: npx tidemark dead-letters --db app\.db\n$/,
  )
  expect(look(database, 'SELECT count(*) AS n FROM logs')).toEqual([{ n: 36 }])
  expect(await succeed(folder, 'ingest', 'app.ndjson'), 'refused once is refused').toContain(': 0 rows into')

  const listed = ndjson(await succeed(folder, 'dead-letters', '--format', 'ndjson'))
  expect(listed).toHaveLength(4)
  expect(listed[0]).toEqual({
    id: 1,
    table: 'logs',
    code: 'SQLITE_CONSTRAINT_CHECK',
    message: expect.stringContaining('CHECK constraint failed: not_seven'),
    attempts: 1,
    rejectedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    content: expect.stringContaining('event 7'),
  })
})

test('dead letters are listed as table, NDJSON and CSV, by table, and page by page', async () => {
  const folder = temporaryFolder()
  change(path.join(folder, 'app.db'), picky)
  writeInput(folder, 'app.ndjson', 40)
  await succeed(folder, 'ingest', 'app.ndjson')
  const list = (...parameters: string[]) => succeed(folder, 'dead-letters', ...parameters)

  const table = await list()
  expect(table).toMatch(/^┌.*\n│ id │ table │ code /)
  expect(table).toMatch(/\n4 rows\n$/)
  const csv = (await list('list', '--format', 'csv')).split('\n')
  expect(csv[0]).toBe('id,table,code,message,attempts,rejectedAt,content')
  expect(csv[4]).toMatch(/^4,logs,SQLITE_CONSTRAINT_CHECK,.*,"\[\{""kind"":""insert"",/)
  expect(
    ndjson(await list('--format', 'ndjson', '--after', '1', '--limit', '2')).map(({ id }) => id),
  ).toEqual([2, 3])
  expect(await list('--table', 'other')).toContain('0 rows')
})

test('redrive writes them again once the table was mended, and only then', async () => {
  const folder = temporaryFolder()
  const database = path.join(folder, 'app.db')
  change(database, picky)
  writeInput(folder, 'app.ndjson', 20)
  await succeed(folder, 'ingest', 'app.ndjson')
  const tooEarly = await tidemark(folder, 'dead-letters', 'redrive', '1')
  expect(tooEarly).toMatchObject({ code: 1, stderr: '' })
  expect(tooEarly.stdout).toMatch(/^dead letter 1: .*not_seven/)
  expect(ndjson(await succeed(folder, 'dead-letters', '--format', 'ndjson'))).toMatchObject([
    { id: 1, attempts: 2 },
    { id: 2, attempts: 1 },
  ])

  change(database, mended)
  expect(await succeed(folder, 'dead-letters', 'redrive', '1', '2')).toBe(
    'dead letter 1: written\ndead letter 2: written\n',
  )
  expect(await succeed(folder, 'dead-letters')).toMatch(/\n0 rows\n$/)
  expect(look(database, 'SELECT message FROM logs ORDER BY id DESC LIMIT 2')).toEqual([
    { message: 'event 17' },
    { message: 'event 7' },
  ])
  // A later ingest goes on as if nothing had been.
  appendLines(path.join(folder, 'app.ndjson'), 21, 27)
  expect(await succeed(folder, 'ingest', 'app.ndjson')).toContain(': 7 rows into')
})

test.each([
  ['that does not exist', '99', 'tidemark: there is no dead letter 99.'],
  ['that is input which could not be read', '1', 'tidemark: dead letter 1 is input that could not be read'],
])('a redrive of a letter %s: exit code 1, and nothing is written', async (_, id, message) => {
  const folder = temporaryFolder()
  const sample = path.join(import.meta.dirname, '../../examples/data/pino.ndjson')
  await succeed(folder, 'ingest', sample)
  const { code, stdout, stderr } = await tidemark(folder, 'dead-letters', 'redrive', id)

  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain(message)
  expect(await succeed(folder, 'dead-letters')).toMatch(/\n1 row\n$/)
})

test('a database without dead letters, and one that the engine has never written to', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 1)
  await succeed(folder, 'ingest', 'app.ndjson')
  expect(await succeed(folder, 'dead-letters', '--format', 'ndjson')).toBe('')
  expectLines(folder, 'app.ndjson', 1)
  change(path.join(folder, 'plain.db'), 'CREATE TABLE t (x)')
  expect(await succeed(folder, 'dead-letters', '--db', 'plain.db')).toMatch(/\n0 rows\n$/)
  expect(await tidemark(folder, 'dead-letters', '--db', 'none.db')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('tidemark: there is no database none.db.'),
  })
})

function ndjson(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
