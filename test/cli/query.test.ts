/** `tidemark query`: what a SELECT finds, for people and for programs; it never writes. */
import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { change, look, temporaryFolder } from '../support/database-file.ts'
import { Command, succeed, tidemark } from './command.ts'
import { Onlooker } from './inputs.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
  change(
    path.join(folder, 'app.db'),
    `CREATE TABLE things (id INTEGER PRIMARY KEY, big INTEGER, real REAL, text TEXT, bytes BLOB);
     INSERT INTO things VALUES
       (1, 9223372036854775807, 0.5, 'plain', x'00ff'),
       (2, NULL, 9e999, 'a "b", c' || char(10) || 'next' || char(27, 0x9b) || '[31m', NULL),
       (3, -3, NULL, '', x'')`,
  )
})

const all = 'select * from things'

test('a table shows NULL, exact integers, blobs, and control characters without obeying them', async () => {
  expect(await succeed(folder, 'query', all)).toBe(
    [
      '┌────┬─────────────────────┬──────────┬────────────────────────────────┬─────────┐',
      '│ id │ big                 │ real     │ text                           │ bytes   │',
      '├────┼─────────────────────┼──────────┼────────────────────────────────┼─────────┤',
      "│ 1  │ 9223372036854775807 │ 0.5      │ plain                          │ x'00ff' │",
      '│ 2  │ NULL                │ Infinity │ a "b", c\\nnext\\u001b\\u009b[31m │ NULL    │',
      "│ 3  │ -3                  │ NULL     │                                │ x''     │",
      '└────┴─────────────────────┴──────────┴────────────────────────────────┴─────────┘',
      '3 rows\n',
    ].join('\n'),
  )
})

test('NDJSON loses nothing: what JSON has no word for becomes a text', async () => {
  const lines = (await succeed(folder, 'query', all, '--format', 'ndjson')).trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { id: 1, big: '9223372036854775807', real: 0.5, text: 'plain', bytes: 'AP8=' },
    { id: 2, big: null, real: 'Infinity', text: 'a "b", c\nnext\u001b\u009b[31m', bytes: null },
    { id: 3, big: -3, real: null, text: '', bytes: '' },
  ])
})

test('CSV quotes what needs it', async () => {
  expect(await succeed(folder, 'query', all, '--format', 'csv')).toBe(
    'id,big,real,text,bytes\n' +
      "1,9223372036854775807,0.5,plain,x'00ff'\n" +
      '2,,Infinity,"a ""b"", c\nnext\u001b\u009b[31m",\n' +
      "3,-3,,,x''\n",
  )
})

test('columns of the same name keep their own values', async () => {
  const sql = 'select a.id, b.id, b.id as id_2 from things a join things b on b.id = a.id + 1'
  expect(await succeed(folder, 'query', sql, '--format', 'csv')).toBe('id,id,id_2\n1,2,2\n2,3,3\n')
  expect(await succeed(folder, 'query', sql, '--format', 'ndjson')).toBe(
    '{"id":1,"id_2":2,"id_2_2":2}\n{"id":2,"id_2":3,"id_2_2":3}\n',
  )
})

test('a table stops at 1,000 rows and cuts long cells, and says what does not', async () => {
  const many = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 1001)
    select i, printf('%.300c', 'x') as text from n`
  const table = await succeed(folder, 'query', many)
  expect(table).toContain(`│ ${'x'.repeat(199)}… │`)
  expect(table).toMatch(/\nfirst 1000 rows; --format ndjson prints all\n$/)
  const lines = (await succeed(folder, 'query', many, '--format', 'ndjson')).split('\n')
  expect(lines).toHaveLength(1_002)
  expect(lines[1_000]).toBe(`{"i":1001,"text":"${'x'.repeat(300)}"}`)
})

test.each([
  ['wrong SQL', 'selec 1', 'the query failed: near "selec": syntax error.'],
  ['a table that is not there', 'select * from nowhere', 'the query failed: no such table: nowhere.'],
  [
    'an error half-way',
    'select abs(id - 9223372036854775807 - 2) from things',
    'the query failed: integer overflow.',
  ],
  ['a statement that writes', 'delete from things', 'this statement gives no rows; `query` only reads.'],
  [
    'one that writes and gives rows',
    'delete from things returning id',
    'attempt to write a readonly database.',
  ],
  ['a second statement', 'select 1; delete from things', 'this is more than one statement; nothing was run.'],
  ['no statement', ' -- nothing', 'the query failed: The SQL query contains no statements.'],
])('%s: exit code 2, a hint, and nothing changed', async (_, sql, message) => {
  const { code, stderr } = await tidemark(folder, 'query', sql)
  expect(code).toBe(2)
  expect(stderr).toMatch(/^tidemark: .*\n {2}\S.*\n$/)
  expect(stderr).toContain(message)
  expect(look(path.join(folder, 'app.db'), 'SELECT count(*) AS n FROM things')).toEqual([{ n: 3 }])
})

test('a statement may end with a semicolon and a remark', async () => {
  expect(await succeed(folder, 'query', 'select 1 as a; -- ; the end\n /* of it */', '--format', 'csv')).toBe(
    'a\n1\n',
  )
})

test.each([
  ['is missing', 'none.db', 'there is no database none.db.'],
  ['is something else', 'notes.txt', 'cannot open "notes.txt": file is not a database (SQLITE_NOTADB).'],
])('a database that %s: exit code 1, and what to do', async (_, database, message) => {
  appendFileSync(path.join(folder, 'notes.txt'), 'some notes, and more than one line of them\n'.repeat(100))
  const { code, stderr } = await tidemark(folder, 'query', 'select 1', '--db', database)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^tidemark: .*\n {2}\S.*\n$/)
  expect(stderr).toContain(`tidemark: ${message}\n`)
})

test('a reader that has seen enough is no failure, and ends the query at once', async () => {
  // Without end: it ends only if the command notices that nobody reads any more.
  const endless =
    "with recursive n(i) as (select 1 union all select i + 1 from n) select i, 'some text' from n"
  const command = new Command(folder, ['query', endless, '--format', 'ndjson'])
  await command.said('"i":1,')
  command.closeOutput()
  expect(await command.ended).toMatchObject({ code: 0, signal: null, stderr: '' })
})

test('the database can be read while an ingest writes to it', async () => {
  const ingest = new Command(folder, ['ingest', '-'], { hasInput: true })
  ingest.type('one line\n')
  const count = () => succeed(folder, 'query', 'select count(*) as n from logs', '--format', 'csv')
  using onlooker = new Onlooker(folder)
  await ingest.reached('wrote the row', () => onlooker.count('logs') === 1)
  expect(await count()).toBe('n\n1\n')
  ingest.type('one more\n')
  ingest.endInput()
  await ingest.ended
  expect(await count()).toBe('n\n2\n')
})
