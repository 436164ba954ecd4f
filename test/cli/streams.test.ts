/** Input that is read once: standard input and named pipes. */
import { execFileSync } from 'node:child_process'
import { createWriteStream, readFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { finished } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { Command } from './command.ts'
import { csvHeader, expectLines, linesOf } from './inputs.ts'

const cannotResume = 'a stream cannot be resumed: run again, its lines are written again'

test('standard input is read to its end, and the command says that it cannot be resumed', async () => {
  const folder = temporaryFolder()
  const command = new Command(folder, ['ingest', '-'], { hasInput: true })
  command.type(linesOf('ndjson', 1, 20_000))
  // A last line without line end is whole: nothing will follow.
  command.type(linesOf('ndjson', 20_001, 20_001).trimEnd())
  command.endInput()
  const { code, stdout, stderr } = await command.ended

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^standard input: 20,001 rows into table "logs" of app.db /)
  expect(stdout).toContain(cannotResume)
  expectLines(folder, 'app.ndjson', 20_001)
})

test('gzip and CSV come through standard input as well', async () => {
  const folder = temporaryFolder()
  const command = new Command(folder, ['ingest', '-', '--table', 'rows'], { hasInput: true })
  command.type(gzipSync(csvHeader + linesOf('csv', 1, 100)))
  command.endInput()
  const { code, stdout } = await command.ended

  expect(code).toBe(0)
  expect(stdout).toContain('100 rows into table "rows" of app.db')
  expectLines(folder, 'rows.csv', 100)
})

test('a named pipe is read as a stream', async () => {
  const folder = temporaryFolder()
  const pipe = path.join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const command = new Command(folder, ['ingest', 'pipe'])
  const writer = createWriteStream(pipe)
  writer.end(linesOf('ndjson', 1, 5_000))
  await finished(writer)
  const { code, stdout } = await command.ended

  expect(code).toBe(0)
  expect(stdout).toMatch(/^pipe: 5,000 rows into table "logs" /)
  expect(stdout).toContain(cannotResume)
  expectLines(folder, 'app.ndjson', 5_000)
})

test('`npm start -- FILE` ingests, since a first word that is no command is a file', async () => {
  const folder = temporaryFolder()
  const file = path.join(import.meta.dirname, '../../examples/data/access.log')
  const { code, stdout } = await new Command(folder, [file]).ended
  expect(code).toBe(0)
  expect(stdout).toContain(
    `${readFileSync(file, 'utf8').trimEnd().split('\n').length} rows into table "logs"`,
  )
})
