/** Databases and tables that cannot take the rows. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { change, look, temporaryFolder } from '../support/database-file.ts'
import { Command, succeed, tidemark } from './command.ts'
import { expectLines, writeInput } from './inputs.ts'
import { otherUser } from './other-user.ts'

test('a database in a folder that may not be written to: exit code 1, and what to do', async ({ skip }) => {
  const user = otherUser()
  if ('unable' in user) return skip(user.unable)
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 1)
  mkdirSync(path.join(folder, 'tmp'))
  chmodSync(path.join(folder, 'tmp'), 0o777)
  chmodSync(folder, 0o555)
  const { code, stderr } = await new Command(folder, ['ingest', 'app.ndjson'], user).ended
  chmodSync(folder, 0o755)

  expect(code).toBe(1)
  expect(stderr).toBe(
    'tidemark: cannot open "app.db": unable to open database file (SQLITE_CANTOPEN).\n' +
      '  Check the path given with --db, and that its folder exists and may be written to.\n',
  )
})

test('a database that may not be written to: exit code 1, and what to do', async ({ skip }) => {
  const user = otherUser()
  if ('unable' in user) return skip(user.unable)
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 1)
  change(path.join(folder, 'app.db'), 'CREATE TABLE other (x)')
  chmodSync(path.join(folder, 'app.db'), 0o444)
  chmodSync(folder, 0o777)
  const { code, stderr } = await new Command(folder, ['ingest', 'app.ndjson'], { ...user, temporary: folder })
    .ended

  expect(code).toBe(1)
  expect(stderr).toBe(
    'tidemark: cannot open "app.db": attempt to write a readonly database (SQLITE_READONLY).\n' +
      '  Give this user write permission on the file and on its folder, or name another with --db.\n',
  )
})

test.each([
  ['whose folder is missing', 'gone/app.db', 'Check the path given with --db'],
  ['that is a folder', '.', 'Check the path given with --db'],
  ['that is something else', 'app.ndjson', 'this file is something else'],
])('a database %s: exit code 1, and what to do', async (_, database, hint) => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 100)
  const { code, stderr } = await tidemark(folder, 'ingest', 'app.ndjson', '--db', database)

  expect(code).toBe(1)
  expect(stderr).toMatch(/^tidemark: cannot open "\S+": .*\n {2}.*\n$/)
  expect(stderr).toContain(hint)
})

test('a database that another process keeps locked: exit code 1 before anything was read', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 1)
  const other = new DatabaseSync(path.join(folder, 'app.db'))
  other.exec('BEGIN EXCLUSIVE')
  const { code, stderr } = await tidemark(folder, 'ingest', 'app.ndjson')
  other.close()

  expect(code).toBe(1)
  expect(stderr).toBe(
    'tidemark: cannot open "app.db": database is locked (SQLITE_BUSY).\n' +
      '  Another process holds its lock. Wait until it lets go, then run the same command again.\n',
  )
})

test('a table that exists with other columns: exit code 1, the columns are named, nothing is written', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 10)
  change(path.join(folder, 'app.db'), 'CREATE TABLE logs (id INTEGER PRIMARY KEY, ts INTEGER, line TEXT)')
  const { code, stderr } = await tidemark(folder, 'ingest', 'app.ndjson')

  expect(code).toBe(1)
  expect(stderr).toBe(
    'tidemark: table "logs" of app.db has other columns: it lacks "level", "service", "message", "attributes" ' +
      '(it has "id", "ts", "line"). Nothing was written.\n' +
      '  Choose another table with --table NAME, or another database with --db FILE.\n',
  )
  expect(look(path.join(folder, 'app.db'), 'SELECT count(*) AS n FROM logs')).toEqual([{ n: 0 }])
})

test('a table with more columns than needed takes the rows, and so does one made for CSV before', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 10)
  writeInput(folder, 'rows.csv', 10)
  change(
    path.join(folder, 'app.db'),
    `CREATE TABLE logs (id INTEGER PRIMARY KEY, ts, level, service, message, attributes, host TEXT DEFAULT 'here');
     CREATE TABLE Rows (n TEXT, half REAL, Text TEXT)`,
  )
  await succeed(folder, 'ingest', 'app.ndjson', 'rows.csv')

  expectLines(folder, 'app.ndjson', 10)
  expect(look(path.join(folder, 'app.db'), 'SELECT * FROM rows LIMIT 1')).toEqual([
    { n: '1', half: 0.5, Text: 'event 1' },
  ])
})

test.each([
  ['sqlite_mine', 2, 'a table cannot be named "sqlite_mine".'],
  ['tidemark_writers', 2, 'a table cannot be named "tidemark_writers".'],
  ['', 2, 'a table cannot be named "".'],
  ['seen', 1, '"seen" of app.db is a view.'],
])('--table "%s" is refused with exit code %i', async (table, code, message) => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 1)
  change(path.join(folder, 'app.db'), 'CREATE VIEW seen AS SELECT 1 AS ts')
  const refused = await tidemark(folder, 'ingest', 'app.ndjson', '--table', table)
  expect(refused.code).toBe(code)
  expect(refused.stderr).toContain(`tidemark: ${message}\n`)
})

test('a CSV file whose name is taken by the engine or by SQLite goes to a table of a name beside it', async () => {
  const folder = temporaryFolder()
  writeFileSync(path.join(folder, 'tidemark_writers.csv'), 'a,b\n1,2\n')
  writeFileSync(path.join(folder, 'Bücher 2024.csv'), 'a,b\n1,2\n')
  const output = await succeed(folder, 'ingest', 'tidemark_writers.csv', 'Bücher 2024.csv')
  expect(output).toContain('1 row into table "csv_tidemark_writers"')
  expect(output).toContain('1 row into table "Bücher_2024"')
})
