/** `tidemark doctor` and the processes that have the file open, as Linux tells of them. */
import { existsSync, renameSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { Child } from '../support/child.ts'
import { change, temporaryFolder } from '../support/database-file.ts'
import { OtherProcess } from '../support/other-process.ts'
import { succeed } from './command.ts'
import { doctor } from './examined.ts'
import { Follower } from './followed.ts'
import { writeInput } from './inputs.ts'

beforeEach(({ skip }) => {
  if (!existsSync('/proc/self/maps')) skip('only Linux tells which processes have a file open')
})

test('an ingest at work: its process and its writer are named, and all is well', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 10)
  const follower = new Follower(folder, 'app.ndjson')
  await follower.wrote(10)
  const { code, of } = await doctor(folder)
  await follower.stop()

  expect(code).toBe(0)
  expect(of('in use')).toMatchObject({
    status: 'ok',
    finding: expect.stringMatching(/^open in process \d+ \(node\)/),
  })
  expect(of('writers')).toMatchObject({
    status: 'ok',
    finding: expect.stringContaining('1 writer not closed: "ingest file:'),
  })
  expect(of('libraries').status).toBe('ok')
})

test('a process that has the file open with two libraries: warn, with both, and why', async () => {
  const folder = temporaryFolder()
  change(path.join(folder, 'app.db'), 'PRAGMA journal_mode = WAL; CREATE TABLE t (x)')
  const child = new Child(new URL('two-libraries.ts', import.meta.url), [path.join(folder, 'app.db')])
  await child.said('open')
  const { code, of } = await doctor(folder)

  expect(code).toBe(0)
  expect(of('libraries')).toMatchObject({
    status: 'warn',
    finding: expect.stringMatching(
      /^process \d+ \(node\) has Node's own and better-sqlite3 loaded, and the file open 2 times$/,
    ),
    advice: expect.stringContaining('rows that were acknowledged are lost'),
  })
})

test('a process that holds a file which was replaced: warn', async () => {
  const folder = temporaryFolder()
  const file = path.join(folder, 'app.db')
  for (const each of [file, `${file}.new`]) change(each, 'CREATE TABLE t (x)')
  const other = new OtherProcess(file)
  await other.beginReading('t')
  renameSync(`${file}.new`, file)
  const { of } = await doctor(folder)
  await other.close()

  expect(of('in use')).toMatchObject({
    status: 'warn',
    finding: expect.stringContaining('was removed or replaced'),
  })
  expect((await doctor(folder)).of('in use').finding).toContain('no other process has it open')
  expect(await succeed(folder, 'doctor')).toContain('ok    in use')
})
