/** Two ingests of one file at once. */
import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { look, temporaryFolder } from '../support/database-file.ts'
import { Command, succeed, tidemark } from './command.ts'
import { expectLines, Onlooker, writeInput } from './inputs.ts'

const lineCount = 200_000

test('the second is refused with exit code 4 and told to wait, and the first is not disturbed', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', lineCount)
  writeInput(folder, 'other.ndjson', 3)
  const first = await pausedHalfWay(folder)
  const second = await tidemark(folder, 'ingest', 'app.ndjson', 'other.ndjson')

  expect(second.code).toBe(4)
  expect(second.stderr).toBe(
    'tidemark: app.ndjson is being ingested into app.db by another process.\n' +
      '  Wait until it is done; then the same command goes on where it ended.\n',
  )
  expect(second.stdout, 'the other file is another matter').toContain('other.ndjson: 3 rows')
  first.send('SIGCONT')
  expect(await first.ended).toMatchObject({ code: 0, stderr: '' })
  expect(await succeed(folder, 'query', 'select count(*) as n from logs', '--format', 'ndjson')).toBe(
    `{"n":${lineCount + 3}}\n`,
  )
})

test('the lock is gone with its process, however that ended, and leaves no file behind', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', lineCount)
  const first = await pausedHalfWay(folder)
  await first.kill('SIGKILL')
  await succeed(folder, 'ingest', 'app.ndjson')
  expectLines(folder, 'app.ndjson', lineCount)
  expect(readdirSync(path.join(folder, 'tmp'))).toEqual([])
})

test('law 3 · past the lock, the newer run fences the older one, and no line is written twice', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', lineCount)
  const older = await pausedHalfWay(folder)
  const newer = new Command(folder, ['ingest', 'app.ndjson'], { temporary: path.join(folder, 'elsewhere') })
  expect(await newer.ended).toMatchObject({ code: 0, stderr: '' })
  older.send('SIGCONT')
  const { code, stderr } = await older.ended

  expect(code).toBe(4)
  expect(stderr).toBe(
    'tidemark: another process has begun to ingest app.ndjson into app.db; this one has stopped.\n' +
      '  What it had committed is in, and the other one goes on behind it.\n',
  )
  expectLines(folder, 'app.ndjson', lineCount)
})

test('several files can be ingested into one new database at once', async () => {
  const folder = temporaryFolder()
  const names = ['a', 'b', 'c', 'd'].map((letter) => `${letter}.ndjson`)
  for (const name of names) writeInput(folder, name, 5_000)
  const commands = names.map((name) => new Command(folder, ['ingest', name]))
  for (const command of commands) expect(await command.ended).toMatchObject({ code: 0, stderr: '' })
  // Their lines may stand between each other's; each is there once for each file.
  const counts = look(
    path.join(folder, 'app.db'),
    'SELECT count(*) AS rows, min(copies) AS least, max(copies) AS most FROM (SELECT count(*) AS copies FROM logs GROUP BY attributes)',
  )
  expect(counts).toEqual([{ rows: 5_000, least: 4, most: 4 }])
})

test('without a temporary folder the lock is left out, and the ingest goes on', async () => {
  const folder = temporaryFolder()
  const temporary = path.join(folder, 'gone')
  writeInput(folder, 'app.ndjson', 10)
  const command = new Command(folder, ['ingest', 'app.ndjson'], { temporary })
  rmSync(temporary, { recursive: true })
  expect(await command.ended).toMatchObject({ code: 0, stderr: '' })
})

/** An ingest of app.ndjson that has written some of it, holds no lock of the database, and is paused. */
async function pausedHalfWay(folder: string): Promise<Command> {
  const command = new Command(folder, ['ingest', 'app.ndjson'])
  using onlooker = new Onlooker(folder)
  await command.reached('wrote a row', () => onlooker.count('logs') > 0)
  await command.pause()
  while (!isUnlocked(folder)) {
    command.send('SIGCONT')
    await command.pause()
  }
  return command
}

function isUnlocked(folder: string): boolean {
  const database = new DatabaseSync(path.join(folder, 'app.db'), { timeout: 0 })
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK')
    return true
  } catch {
    return false
  } finally {
    database.close()
  }
}
