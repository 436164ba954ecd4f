/** `tidemark doctor`: what is wrong with a database is found, said with what to do, and not touched. */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { change, temporaryFolder } from '../support/database-file.ts'
import { Command, succeed, tidemark } from './command.ts'
import { doctor } from './examined.ts'
import { Onlooker, writeInput } from './inputs.ts'
import { otherUser } from './other-user.ts'

test('a healthy database: all is ok, exit code 0, and nothing in its folder is changed', async () => {
  const folder = await ingested(100)
  const before = contentsOf(folder)
  const { code, stderr, findings, of } = await doctor(folder, ['--full'])

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(findings.filter(({ status }) => status !== 'ok')).toEqual([])
  expect(findings.map(({ name }) => name).join(', ')).toBe(
    'Node, SQLite, file, folder, file system, disk, journal, log, database, bookkeeping, writers, dead letters, ' +
      'integrity, foreign keys, in use, libraries, packages',
  )
  expect(of('integrity').finding).toBe('every page and every index')
  expect(contentsOf(folder)).toEqual(before)
})

test('a database that was left by a kill: it is looked at with its log, and neither is changed', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 100_000)
  const command = new Command(folder, ['ingest', 'app.ndjson'])
  {
    using onlooker = new Onlooker(folder)
    await command.reached('wrote a row', () => onlooker.count('logs') > 0)
    await command.kill()
    // Copied while somebody has it open, who would else take the log away with him.
    for (const ending of ['', '-wal'])
      copyFileSync(path.join(folder, `app.db${ending}`), path.join(folder, `left.db${ending}`))
  }
  const before = contentsOf(folder, /^left\.db(-wal)?$/)
  const { code, of } = await doctor(folder, ['--db', 'left.db'])

  expect(code).toBe(0)
  expect(of('database').finding).toBe('it opens, and the log is its own')
  expect(of('writers').finding).toMatch(/^1 writer not closed: "ingest file:\d+:\d+" since 20\S+Z/)
  if (isRoot()) expect(of('writers').status).toBe('warn')
  expect(contentsOf(folder, /^left\.db(-wal)?$/)).toEqual(before)
})

test('--json prints one document', async () => {
  const folder = await ingested(1)
  const document: unknown = JSON.parse(await succeed(folder, 'doctor', '--json'))
  expect(document).toMatchObject({
    database: 'app.db',
    ok: true,
    findings: expect.arrayContaining([{ status: 'ok', name: 'database', finding: 'it opens' }]),
  })
  const { code, stdout } = await tidemark(folder, 'doctor', '--json', '--db', 'none.db')
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ ok: false })
})

test.each([
  ['missing', 'none.db', 'there is no file ', 'npx tidemark ingest FILE'],
  ['a folder', 'tmp', ' is no file', 'Name the file of the database with --db.'],
  ['something else', 'app.ndjson', ' is no SQLite database', 'Check the path given with --db.'],
])('a database that is %s: FAIL, exit code 1', async (_, name, finding, advice) => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 100)
  const { code, of } = await doctor(folder, ['--db', name])
  expect(code).toBe(1)
  expect(of('file')).toMatchObject({
    status: 'FAIL',
    finding: expect.stringContaining(finding),
    advice: expect.stringContaining(advice),
  })
  expect(readdirSync(folder).toSorted()).toEqual(['app.ndjson', 'tmp'])
})

test.for([
  ['that may not be read', 0o000, 0o777, 'file', 'may not be read by this user'],
  ['that may not be written to', 0o444, 0o777, 'file', 'may not be written by this user'],
  ['in a folder that may not be written to', 0o666, 0o555, 'folder', 'may not be written to by this user'],
] as const)('a database %s: FAIL, exit code 1', async ([, fileMode, folderMode, name, finding], { skip }) => {
  const user = otherUser()
  if ('unable' in user) return skip(user.unable)
  const folder = await ingested(1)
  chmodSync(path.join(folder, 'app.db'), fileMode)
  chmodSync(folder, folderMode)
  const temporary = temporaryFolder()
  const { code, of } = await doctor(folder, [], { ...user, temporary })
  chmodSync(folder, 0o755)
  expect(code).toBe(1)
  expect(of(name)).toMatchObject({ status: 'FAIL', finding: expect.stringContaining(finding) })
})

test('a damaged page is found, also without --full', async () => {
  const folder = await ingested(2_000)
  damage(folder, 'event 1000', (page) => page.fill(0xab))
  const { code, of } = await doctor(folder)
  expect(code).toBe(1)
  expect(of('integrity')).toMatchObject({
    status: 'FAIL',
    finding: expect.stringMatching(/page|malformed/),
    advice: expect.stringContaining('Restore a backup'),
  })
})

test('an index that does not agree with its table is found by --full', async () => {
  const folder = await ingested(1)
  change(
    path.join(folder, 'app.db'),
    `CREATE TABLE words (word TEXT); INSERT INTO words VALUES ('needle'); CREATE INDEX by_word ON words (word)`,
  )
  damage(folder, 'needle', (page) => page.write('noodle', page.indexOf('needle')))
  expect((await doctor(folder)).of('integrity').status).toBe('ok')
  const { code, of } = await doctor(folder, ['--full'])
  expect(code).toBe(1)
  expect(of('integrity')).toMatchObject({ status: 'FAIL', finding: expect.stringContaining('by_word') })
})

test('a file that was cut, and a log of another database: FAIL, and both are left as they are', async () => {
  const [folder, other] = [await ingested(10), await ingested(20)]
  const file = path.join(folder, 'app.db')
  const writer = new DatabaseSync(path.join(other, 'app.db'))
  writer.exec('UPDATE tidemark_database SET last_epoch = last_epoch + 1')
  copyFileSync(path.join(other, 'app.db-wal'), `${file}-wal`)
  writer.close()
  const before = contentsOf(folder, /^app\.db(-wal)?$/)
  const mixed = await doctor(folder)
  expect(mixed.code).toBe(1)
  expect(mixed.of('database')).toMatchObject({
    status: 'FAIL',
    finding: expect.stringContaining('does not belong to it'),
  })
  expect(contentsOf(folder, /^app\.db(-wal)?$/)).toEqual(before)

  truncateSync(path.join(other, 'app.db'), 4_096 + 512)
  const cut = await doctor(other)
  expect(cut.code).toBe(1)
  expect(cut.of('database').finding).toContain('the file ends inside a page')
})

test('dead letters: counted by their code, and how to see them', async () => {
  const folder = temporaryFolder()
  writeFileSync(path.join(folder, 'app.ndjson'), '{"a":1}\nno\nnone\n{"b":2}\n')
  await tidemark(folder, 'ingest', 'app.ndjson', '--format', 'ndjson')
  const { code, of } = await doctor(folder)
  expect(code).toBe(0)
  expect(of('dead letters')).toMatchObject({
    status: 'warn',
    finding: '2 operations could not be written: 2 UNREADABLE_INPUT',
    advice: expect.stringContaining('npx tidemark dead-letters --db app.db'),
  })
})

test.each([
  ['of another version', 'UPDATE tidemark_database SET format = 99', 'another version (format 99)'],
  ['of before there were versions', 'DROP TABLE tidemark_database', 'an earlier, unreleased version'],
])('bookkeeping %s: FAIL, exit code 1', async (_, sql, made) => {
  const folder = await ingested(1)
  change(path.join(folder, 'app.db'), sql)
  const { code, of } = await doctor(folder)
  expect(code).toBe(1)
  expect(of('bookkeeping')).toMatchObject({ status: 'FAIL', finding: expect.stringContaining(made) })
})

test('a database that Tidemark never opened: said, and no failure', async () => {
  const folder = temporaryFolder()
  change(path.join(folder, 'app.db'), 'CREATE TABLE other (x)')
  const { code, of, findings } = await doctor(folder)
  expect(code).toBe(0)
  expect(of('bookkeeping').finding).toContain('never opened')
  expect(of('journal').status).toBe('warn')
  expect(findings.some(({ name }) => name === 'writers')).toBe(false)
})

test('rows that refer to nothing are found by --full', async () => {
  const folder = await ingested(1)
  change(
    path.join(folder, 'app.db'),
    `PRAGMA foreign_keys = OFF; CREATE TABLE parents (id INTEGER PRIMARY KEY);
     CREATE TABLE children (parent REFERENCES parents); INSERT INTO children VALUES (1), (2)`,
  )
  const { code, of } = await doctor(folder, ['--full'])
  expect(code).toBe(0)
  expect(of('foreign keys')).toMatchObject({
    status: 'warn',
    finding: '2 rows of "children" refer to rows that are not there',
  })
})

test('a log that was not copied back for long: warn', async () => {
  const folder = await ingested(1)
  writeFileSync(path.join(folder, 'app.db-wal'), '')
  truncateSync(path.join(folder, 'app.db-wal'), 80 * 2 ** 20)
  const { of } = await doctor(folder)
  expect(of('log')).toMatchObject({
    status: 'warn',
    finding: expect.stringContaining('80.0 MiB in the write-ahead log'),
  })
})

test('a second SQLite library that is installed above the current folder: warn, with the reason', async () => {
  const folder = await ingested(1)
  const inner = path.join(folder, 'src/inner')
  mkdirSync(inner, { recursive: true })
  mkdirSync(path.join(folder, 'node_modules/better-sqlite3'), { recursive: true })
  writeFileSync(path.join(folder, 'node_modules/better-sqlite3/package.json'), '{"version":"12.0.1"}')
  const { code, of } = await doctor(inner, ['--db', '../../app.db'])
  expect(code).toBe(0)
  expect(of('packages')).toMatchObject({
    status: 'warn',
    finding: `better-sqlite3 12.0.1 in ${path.join(folder, 'node_modules')}`,
    advice: expect.stringContaining(
      'drops all locks of a process on a file as soon as it closes that file once',
    ),
  })
})

/** A folder with a database of so many rows, closed as it should be. */
async function ingested(rows: number): Promise<string> {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', rows)
  await succeed(folder, 'ingest', 'app.ndjson')
  return folder
}

/** Changes the page on which this text stands first. */
function damage(folder: string, text: string, alter: (page: Buffer) => void): void {
  const file = path.join(folder, 'app.db')
  const bytes = readFileSync(file)
  expect(bytes.includes(text)).toBe(true)
  const start = Math.floor(bytes.indexOf(text) / 4_096) * 4_096
  alter(bytes.subarray(start, start + 4_096))
  writeFileSync(file, bytes)
}

function contentsOf(folder: string, which = /./): Record<string, string> {
  const names = readdirSync(folder).filter((name) => which.test(name) && name !== 'tmp')
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(path.join(folder, name)).toString('base64')]),
  )
}

/** Others cannot look into all processes, and so do not know that none has the file open. */
function isRoot(): boolean {
  return process.getuid?.() === 0
}
