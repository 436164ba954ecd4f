/** `ingest --follow`: lines are rows as soon as they are whole, and nothing else is. */
import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { look, temporaryFolder } from '../support/database-file.ts'
import { Command, succeed, tidemark } from './command.ts'
import { deadLetters, expectNumbers, Follower, numbersIn, upTo } from './followed.ts'
import { appendLines, csvHeader, linesOf, Onlooker, writeInput } from './inputs.ts'
import { otherUser } from './other-user.ts'

test('lines that are appended become rows; Ctrl-C reports, and the next run goes on behind them', async () => {
  const folder = temporaryFolder()
  const file = writeInput(folder, 'app.ndjson', 1_500)
  const follower = new Follower(folder, 'app.ndjson')
  await follower.wrote(1_500)
  for (const n of [1_501, 1_502, 1_503]) {
    appendLines(file, n, n)
    await follower.wrote(n)
  }
  const { stdout } = await follower.stop()

  expect(stdout).toMatch(
    /^app\.ndjson: 1,503 rows into table "logs" of app\.db .*\n {2}stopped; the same command goes on from here\n$/,
  )
  appendLines(file, 1_504, 1_510)
  expect(await succeed(folder, 'ingest', 'app.ndjson')).toContain('7 rows into table "logs"')
  expectNumbers(folder, 'app.ndjson', upTo(1_510))
})

test('half a line is nothing until its end has come, also over a stop', async () => {
  const folder = temporaryFolder()
  const file = path.join(folder, 'app.ndjson')
  const [second, third] = [linesOf('ndjson', 2, 2), linesOf('ndjson', 3, 3)]
  writeFileSync(file, linesOf('ndjson', 1, 1))
  // Whole as JSON: only the line end tells.
  appendFileSync(file, second.slice(0, -1))
  const first = new Follower(folder, 'app.ndjson')
  await first.wrote(1)
  appendFileSync(file, second.slice(-1) + third.slice(0, 40))
  await first.wrote(2)
  await first.stop()
  expectNumbers(folder, 'app.ndjson', [1, 2])

  const next = new Follower(folder, 'app.ndjson')
  appendFileSync(file, third.slice(40) + linesOf('ndjson', 4, 4))
  await next.wrote(4)
  const { stdout } = await next.stop()
  expect(stdout).toContain('went on behind line 2, where the last run ended')
  expectNumbers(folder, 'app.ndjson', upTo(4))
  expect(deadLetters(folder)).toEqual([])
})

test('a file that does not exist yet is waited for, and an empty one until it has a line', async () => {
  const folder = temporaryFolder()
  const file = path.join(folder, 'logs/app.ndjson')
  writeInput(folder, 'app.ndjson', 1)
  const follower = new Follower(folder, 'logs/app.ndjson', 'app.ndjson')
  const waiting = 'tidemark: there is no file logs/app.ndjson yet; waiting for it.\n'
  await follower.command.said(waiting)
  mkdirSync(path.dirname(file))
  const line = linesOf('ndjson', 1, 1)
  // Half a line is none to tell a format by.
  writeFileSync(file, line.slice(0, 10))
  await hasLookedAtAll(follower, folder)
  appendFileSync(file, line.slice(10) + linesOf('ndjson', 2, 2))
  await follower.wrote(1, 2)
  expect((await follower.stop(waiting)).stdout).toMatch(/^logs\/app\.ndjson: 2 rows .*, read as ndjson$/m)
})

/** What it follows beside app.ndjson has been looked at too when a line of that, written now, is in; twice is sure. */
async function hasLookedAtAll(follower: Follower, folder: string): Promise<void> {
  const file = path.join(folder, 'app.ndjson')
  using onlooker = new Onlooker(folder)
  for (let n = 101; n <= 103; n++) {
    const before = onlooker.count('logs')
    appendLines(file, n, n)
    await follower.command.reached(`wrote line ${n}`, () => onlooker.count('logs') > before)
  }
}

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends the wait for a file', async (signal) => {
  const folder = temporaryFolder()
  const command = new Command(folder, ['ingest', '-f', 'app.ndjson'])
  await command.said('waiting for it')
  expect(await command.kill(signal)).toMatchObject({ code: signal === 'SIGINT' ? 130 : 143, stdout: '' })
})

test.each([
  ['that is there', true],
  ['that is not there yet', false],
])('a gzip file %s is refused with exit code 2 before anything is read', async (_, exists) => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 3)
  const name = exists ? 'packed.ndjson' : 'packed.ndjson.gz'
  if (exists) writeFileSync(path.join(folder, name), gzipSync(linesOf('ndjson', 1, 3)))
  expect(await tidemark(folder, 'ingest', '--follow', 'app.ndjson', name)).toEqual({
    code: 2,
    signal: null,
    stdout: '',
    stderr:
      `tidemark: ${name} is packed with gzip and cannot be followed: a packed file does not grow line by line.\n` +
      '  Leave --follow out to ingest it once, and follow the file that is still written to.\n',
  })
})

test('several files are followed at the same time, and one that cannot be read keeps no other out', async () => {
  const folder = temporaryFolder()
  const log = writeInput(folder, 'app.ndjson', 3)
  const rows = writeInput(folder, 'rows.csv', 3)
  mkdirSync(path.join(folder, 'folder'))
  const follower = new Follower(folder, 'app.ndjson', 'rows.csv', 'folder')
  await follower.command.said('folder is a directory')
  for (const n of [4, 5]) {
    appendLines(log, n, n)
    await follower.wrote(n)
    appendLines(rows, n, n)
    await follower.command.reached('wrote the row', () => numbersIn(folder, 'rows.csv').includes(n))
  }
  const { code, stdout } = await follower.command.kill('SIGINT')

  expect(code).toBe(130)
  expect(stdout).toContain('app.ndjson: 5 rows into table "logs"')
  expect(stdout).toContain('rows.csv: 5 rows into table "rows"')
  expectNumbers(folder, 'app.ndjson', upTo(5))
  expectNumbers(folder, 'rows.csv', upTo(5))
})

test('when none can be followed further, the exit code is that of the first failure', async () => {
  const folder = temporaryFolder()
  mkdirSync(path.join(folder, 'folder'))
  const { code, stderr } = await tidemark(folder, 'ingest', '--follow', 'folder')
  expect({ code, stderr }).toEqual({
    code: 3,
    stderr:
      'tidemark: folder is a directory.\n  name its files; with a shell that is: tidemark ingest DIR/*.\n',
  })
})

test('a folder that may not be looked into: exit code 3, and what to do', async ({ skip }) => {
  const user = otherUser()
  if ('unable' in user) return skip(user.unable)
  const folder = temporaryFolder()
  mkdirSync(path.join(folder, 'closed'))
  chmodSync(path.join(folder, 'closed'), 0o000)
  chmodSync(folder, 0o777)
  const options = { ...user, temporary: folder }
  const { code, stderr } = await new Command(folder, ['ingest', '-f', 'closed/app.log'], options).ended
  chmodSync(path.join(folder, 'closed'), 0o755)
  expect(code).toBe(3)
  expect(stderr).toMatch(/^tidemark: .*closed\/app\.log may not be read by this user\.\n/)
})

test('a database that cannot be used ends it with exit code 1', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 3)
  for (const database of ['app.ndjson', 'gone/app.db']) {
    const { code, stderr } = await tidemark(folder, 'ingest', '-f', 'app.ndjson', '--db', database)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^tidemark: cannot open ".*": .*\n {2}Check the path given with --db/)
  }
})

test('a CSV file has types by its first row, however late that comes', async () => {
  const folder = temporaryFolder()
  const file = path.join(folder, 'rows.csv')
  writeFileSync(file, csvHeader)
  const follower = new Follower(folder, 'rows.csv', 'app.ndjson')
  await hasLookedAtAll(follower, folder)
  appendLines(file, 1, 1)
  await follower.wrote(1)
  appendFileSync(file, '2,"event\n')
  appendFileSync(file, '2",1.0\n')
  await follower.wrote(2)
  await follower.stop()
  expect(look(path.join(folder, 'app.db'), 'SELECT n, text, typeof(half) AS type FROM rows')).toEqual([
    { n: 1, text: 'event 1', type: 'real' },
    { n: 2, text: 'event\n2', type: 'real' },
  ])
})

test('standard input is read to its end beside a file that is followed, and alone it ends the run', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 2)
  const both = new Command(folder, ['ingest', '-f', 'app.ndjson', '-'], { hasInput: true })
  using onlooker = new Onlooker(folder)
  both.type(linesOf('ndjson', 3, 4))
  both.endInput()
  await both.said('standard input: 2 rows')
  await both.reached('wrote the file', () => onlooker.count('logs') === 4)
  expect((await both.kill('SIGINT')).stdout).toContain('app.ndjson: 2 rows')
  expectNumbers(folder, 'app.ndjson', upTo(4))

  const alone = new Command(folder, ['ingest', '-f', '-'], { hasInput: true })
  alone.type(linesOf('ndjson', 5, 5))
  alone.endInput()
  expect(await alone.ended).toMatchObject({ code: 0, stderr: '' })
})

test('one Ctrl-C is enough where standard input has said nothing, and what was read of the others is in', async () => {
  const folder = temporaryFolder()
  const file = writeInput(folder, 'app.ndjson', 2)
  const command = new Follower(folder, 'app.ndjson', '-')
  await command.wrote(2)
  appendLines(file, 3, 3)
  await command.wrote(3)
  expect((await command.stop()).stdout).toContain('app.ndjson: 3 rows')
})

test('a second follower of the same file is refused with exit code 4', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 2)
  const first = new Follower(folder, 'app.ndjson')
  await first.wrote(2)
  const { code, stderr } = await tidemark(folder, 'ingest', '--follow', 'app.ndjson')
  expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringContaining('by another process') })
  await first.stop()
})
