/** Ctrl-C and SIGTERM: the first drains, the second ends at once, and the next run goes on. */
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { Command, succeed } from './command.ts'
import { expectLines, linesOf, Onlooker, writeInput } from './inputs.ts'

const lineCount = 300_000

test.each([
  ['SIGINT', 130, 'app.ndjson'],
  ['SIGTERM', 143, 'app.log.gz'],
] as const)('%s drains, exits with %i, and the same command goes on', async (signal, code, name) => {
  const folder = temporaryFolder()
  writeInput(folder, name, lineCount)
  const command = new Command(folder, ['ingest', name])
  using onlooker = new Onlooker(folder)
  await command.reached('wrote a row', () => onlooker.count('logs') > 0)
  const stopped = await command.kill(signal)

  expect(stopped).toMatchObject({ code, signal: null })
  expect(stopped.stderr).toBe('tidemark: stopping; what was read is being committed (again to end at once)\n')
  expect(stopped.stdout).toContain('stopped; the same command goes on from here')
  const written = Number(/: ([\d,]+) rows? into/.exec(stopped.stdout)?.[1]?.replaceAll(',', ''))
  expect(written).toBeLessThan(lineCount)
  expect(onlooker.count('logs'), 'what it says that it wrote is what is there').toBe(written)

  expect(await succeed(folder, 'ingest', name)).toContain('went on behind line ')
  expectLines(folder, name, lineCount)
})

test('while the database is locked it waits and says so; a second SIGINT ends it at once all the same', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', lineCount)
  const command = new Command(folder, ['ingest', 'app.ndjson'])
  using onlooker = new Onlooker(folder)
  await command.reached('wrote a row', () => onlooker.count('logs') > 0)
  using other = lock(folder)
  await command.said('none was committed for ')
  command.send('SIGINT')
  await command.said('what was read is being committed')
  expect(command.hasEnded).toBe(false)
  // Whoever starts it sees the signal itself; a shell makes 130 of that.
  expect(await command.kill('SIGINT')).toMatchObject({ code: null, signal: 'SIGINT' })
  other.release()

  await succeed(folder, 'ingest', 'app.ndjson')
  expectLines(folder, 'app.ndjson', lineCount)
})

test('SIGINT commits what came through a pipe that stays open', async () => {
  const folder = temporaryFolder()
  const command = new Command(folder, ['ingest', '-'], { hasInput: true })
  command.type(linesOf('ndjson', 1, 2_500))
  using onlooker = new Onlooker(folder)
  await command.reached('wrote the last row', () => onlooker.count('logs') === 2_500)
  const { code, stdout } = await command.kill('SIGINT')

  expect(code).toBe(130)
  expect(stdout).toContain('standard input: 2,500 rows')
  expectLines(folder, 'app.ndjson', 2_500)
})

test('one SIGINT is enough where nothing has come yet: nothing is to be drained', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 1)
  const command = new Command(folder, ['ingest', 'app.ndjson', '-'], { hasInput: true })
  // By then it catches signals, and goes on to the next input.
  await command.said('app.ndjson: 1 row')
  const { code, signal } = await command.kill('SIGINT')
  expect(code ?? signal).toBeOneOf([130, 'SIGINT'])
})

test.each([
  ['nothing', ''],
  ['a line', linesOf('ndjson', 1, 1)],
])('one SIGINT is enough for a named pipe that %s came through and that stays open', async (_, text) => {
  const folder = temporaryFolder()
  const pipe = path.join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const command = new Command(folder, ['ingest', 'pipe'])
  const writer = await writerOf(pipe, command)
  writeSync(writer, text)
  using onlooker = new Onlooker(folder)
  if (text !== '') await command.reached('wrote the row', () => onlooker.count('logs') === 1)
  const { code, signal, stdout } = await command.kill('SIGINT')
  closeSync(writer)

  expect({ code, signal }).toEqual({ code: null, signal: 'SIGINT' })
  expect(stdout).toMatch(text === '' ? /^$/ : /^pipe: 1 row into /)
})

/** Opens a pipe for writing as soon as the command has it open for reading. */
async function writerOf(pipe: string, command: Command): Promise<number> {
  let writer: number | undefined
  await command.reached('opened the pipe', () => {
    try {
      writer = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
      return true
    } catch {
      return false
    }
  })
  return writer as number
}

/** Takes the write lock, between two transactions of whoever writes. */
function lock(folder: string): Disposable & { release(): void } {
  const database = new DatabaseSync(path.join(folder, 'app.db'), { timeout: 10_000 })
  database.exec('BEGIN IMMEDIATE')
  const release = (): void => {
    if (database.isOpen) database.close()
  }
  return { release, [Symbol.dispose]: release }
}
