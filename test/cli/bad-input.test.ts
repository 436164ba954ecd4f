/** Input that is not what it should be: the message names file and line and says what to do; what is good is in. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { change, look, temporaryFolder } from '../support/database-file.ts'
import { Command, succeed, tidemark } from './command.ts'
import { csvHeader, expectLines, linesOf, writeInput } from './inputs.ts'
import { otherUser } from './other-user.ts'

const text = linesOf('ndjson', 1, 1_000)

/** How the input is made, what the command says of it, and what it advises. */
const unreadable: [string, string, (file: string) => void, RegExp, RegExp][] = [
  ['is missing', 'app.log', () => undefined, /^tidemark: there is no file app\.log\.$/, /check the path/],
  [
    'is a directory',
    'logs',
    (file) => mkdirSync(file),
    /^tidemark: logs is a directory\.$/,
    /name its files/,
  ],
  [
    'is binary',
    'app.log',
    (file) => writeFileSync(file, Buffer.from([...Buffer.from('ELF'), 0, 1, 2, 3, 0])),
    /^tidemark: app\.log is not a text file: there is a NUL byte at offset 3\.$/,
    /only lines of text are read/,
  ],
  [
    'is an SQLite database',
    'other.db',
    (file) => change(file, 'CREATE TABLE t (x)'),
    /^tidemark: other\.db is an SQLite database, not a text file\.$/,
    /to write into it, name it with --db; to read from it: sqlite3 /,
  ],
  [
    'is UTF-16',
    'app.log',
    (file) => writeFileSync(file, Buffer.from('\uFEFFa line\n', 'utf16le')),
    /^tidemark: app\.log is UTF-16; lines are read as UTF-8\.$/,
    /iconv -f UTF-16 -t UTF-8 FILE \| tidemark ingest -/,
  ],
  [
    'is one JSON document',
    'app.json',
    (file) => writeFileSync(file, '[{"a": 1},\n {"a": 2}]\n'),
    /^tidemark: app\.json is one JSON array; one object a line is needed\.$/,
    /jq -c '\.\[\]' FILE \| tidemark ingest -/,
  ],
  [
    'is a CSV file whose header is empty',
    'rows.csv',
    (file) => writeFileSync(file, ',,\n1,2,3\n'),
    /^tidemark: rows\.csv has no header row\.$/,
    /the first row must name the columns/,
  ],
]

test.each(unreadable)('a file that %s: exit code 3, and what to do', async (_, name, make, message, hint) => {
  const folder = temporaryFolder()
  make(path.join(folder, name))
  writeInput(folder, 'good.ndjson', 3)
  const { code, stdout, stderr } = await tidemark(folder, 'ingest', name, 'good.ndjson')

  expect(code).toBe(3)
  const [said, advised, ...rest] = stderr.split('\n')
  expect(said).toMatch(message)
  expect(advised).toMatch(hint)
  expect(rest).toEqual([''])
  expect(stdout, 'the other file is in').toMatch(/^good\.ndjson: 3 rows /)
})

test('a file that this user may not read: exit code 3, and what to do', async ({ skip }) => {
  const user = otherUser()
  if ('unable' in user) return skip(user.unable)
  const folder = temporaryFolder()
  chmodSync(folder, 0o777)
  chmodSync(writeInput(folder, 'app.ndjson', 1), 0o000)
  const { code, stderr } = await new Command(folder, ['ingest', 'app.ndjson'], { ...user, temporary: folder })
    .ended

  expect(code).toBe(3)
  expect(stderr).toBe(
    'tidemark: app.ndjson may not be read by this user.\n' +
      '  read it as a user who may, or pipe it: sudo cat FILE | tidemark ingest -.\n',
  )
})

test('bad lines become dead letters with file and line, and are counted; the good ones are in', async () => {
  const folder = temporaryFolder()
  const good = linesOf('ndjson', 1, 20).trimEnd().split('\n')
  const lines = [
    good[0],
    '{"half',
    good[1],
    Buffer.from([0x22, 0xff, 0xfe]),
    good[2],
    '[1]',
    ...good.slice(3),
  ]
  writeFileSync(
    path.join(folder, 'app.ndjson'),
    Buffer.concat(lines.map((line) => Buffer.concat([Buffer.from(line ?? ''), Buffer.from('\n')]))),
  )
  const output = await succeed(folder, 'ingest', 'app.ndjson')

  expect(output).toMatch(
    /^app\.ndjson: 20 rows .*\n {2}3 bad lines kept as dead letters, the first is line 2: not JSON.*\n {2}see them: npx tidemark dead-letters --db app\.db\n$/,
  )
  expectLines(folder, 'app.ndjson', 20)
  expect(letters(folder)).toEqual([
    expect.stringMatching(/^app\.ndjson, line 2: not JSON: /),
    expect.stringMatching(/^app\.ndjson, line 4: not UTF-8; .*iconv/),
    expect.stringMatching(/^app\.ndjson, line 6: not a JSON object/),
  ])
})

test('a line of 50 MB is a bad line, its neighbours are in, and it is not held in memory', async () => {
  const folder = temporaryFolder()
  const [first, second] = [linesOf('ndjson', 1, 1), linesOf('ndjson', 2, 2)]
  writeFileSync(
    path.join(folder, 'app.ndjson'),
    `${first}{"msg":"${'x'.repeat(50 * 1024 * 1024)}"}\n${second}`,
  )
  const output = await succeed(folder, 'ingest', 'app.ndjson')

  expect(output).toContain(
    '1 bad line kept as dead letters, the first is line 2: a line of 52428810 bytes; at most',
  )
  expectLines(folder, 'app.ndjson', 2)
  const [letter] = look<{ size: number }>(
    path.join(folder, 'app.db'),
    'SELECT length(content) AS size FROM tidemark_dead_letters',
  )
  expect(letter?.size).toBeLessThan(10_000)
})

test('damaged gzip: what could be unpacked is in and counted, then exit code 3', async () => {
  const folder = temporaryFolder()
  const packed = gzipSync(text)
  writeFileSync(path.join(folder, 'app.log.gz'), packed.subarray(0, packed.length / 2))
  const { code, stdout, stderr } = await tidemark(folder, 'ingest', 'app.log.gz')

  expect(code).toBe(3)
  expect(stdout).toMatch(/^app\.log\.gz: \d+ rows into table "logs"/)
  expect(stderr).toMatch(
    /^tidemark: app\.log\.gz ends in the middle of its compressed data\.\n {2}what could be unpacked is in/,
  )
  // The rest arrives, as when a file is still being copied.
  writeFileSync(path.join(folder, 'app.log.gz'), packed)
  await succeed(folder, 'ingest', 'app.log.gz')
  expectLines(folder, 'app.log.gz', 1_000)
})

test('a CSV file whose header is not the table’s: exit code 3, both are named, and nothing is written', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'rows.csv', 10)
  await succeed(folder, 'ingest', 'rows.csv')
  writeFileSync(path.join(folder, 'rows.csv'), `n,text,double\n${linesOf('csv', 1, 10)}`)
  const { code, stderr } = await tidemark(folder, 'ingest', 'rows.csv')

  expect(code).toBe(3)
  expect(stderr).toBe(
    'tidemark: the header of rows.csv differs from the table: it was (n, text, half), now it is (n, text, double).\n' +
      '  ingest it into another table with --table, or give the file its old columns back.\n',
  )
  expectLines(folder, 'rows.csv', 10)
})

test('a CSV row that does not fit is a bad line with its line number, also behind a field of several lines', async () => {
  const folder = temporaryFolder()
  writeFileSync(path.join(folder, 'rows.csv'), `${csvHeader}1,"event\n1",0.5\n3,too few\n2,"event 2",1\n`)
  const output = await succeed(folder, 'ingest', 'rows.csv')

  expect(output).toContain('2 rows into table "rows"')
  expect(letters(folder)).toEqual(['rows.csv, line 4: 2 fields where the header has 3'])
})

test.each(['app.log', 'rows.csv', 'app.log.gz'])('an empty file is no failure: %s', async (name) => {
  const folder = temporaryFolder()
  writeFileSync(path.join(folder, name), name.endsWith('.gz') ? gzipSync('') : '')
  expect(await succeed(folder, 'ingest', name)).toMatch(/^[^\n]*: 0 rows into table [^\n]*\n$/)
})

function letters(folder: string): unknown[] {
  return look(path.join(folder, 'app.db'), 'SELECT message FROM tidemark_dead_letters ORDER BY id').map(
    ({ message }) => message,
  )
}
