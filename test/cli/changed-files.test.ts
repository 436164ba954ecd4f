/** The next run: what was appended goes on, what was changed is read anew, and the command says why. */
import { copyFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { change, look, temporaryFolder } from '../support/database-file.ts'
import { succeed } from './command.ts'
import { appendLines, csvHeader, expectLines, linesOf, writeInput } from './inputs.ts'

test.each(['app.ndjson', 'app.log.gz', 'rows.csv'])(
  '%s goes on behind what was read, and only there',
  async (name) => {
    const folder = temporaryFolder()
    const file = writeInput(folder, name, 1_500)
    await succeed(folder, 'ingest', name)
    appendLines(file, 1_501, 1_800)
    const second = await succeed(folder, 'ingest', name)
    const third = await succeed(folder, 'ingest', name)

    const lines = name.endsWith('.csv') ? ['1,501', '1,801'] : ['1,500', '1,800']
    expect(second).toMatch(
      new RegExp(`: 300 rows .*\\n  went on behind line ${lines[0]}, where the last run ended\\n`),
    )
    expect(third).toMatch(new RegExp(`: 0 rows .*\\n  went on behind line ${lines[1]}, `))
    expectLines(folder, name, 1_800)
  },
)

test.each(['app.ndjson', 'rows.csv'])('%s goes on under a new name', async (name) => {
  const folder = temporaryFolder()
  writeInput(folder, name, 100)
  await succeed(folder, 'ingest', name)
  const rotated = `old-${name}`
  renameSync(path.join(folder, name), path.join(folder, rotated))
  appendLines(path.join(folder, rotated), 101, 120)
  // A new file takes the old name, as at every rotation.
  writeInput(folder, `new-${name}`, 5)
  const output = await succeed(folder, 'ingest', rotated)

  expect(output).toContain('20 rows into table')
  expectLines(folder, name, 120)
})

const grown = linesOf('ndjson', 1, 1_000)
const changes: [string, (file: string) => void, string][] = [
  ['cut', (file) => truncateSync(file, 300), 'it was cut or replaced: it has 300 bytes where'],
  [
    'overwritten from its beginning',
    (file) => writeFileSync(file, grown.replace('event 1"', 'EVENT 1"')),
    'it was replaced: its first 4096 bytes are not those that were read',
  ],
  [
    'changed just before where reading ended',
    (file) => writeFileSync(file, grown.replace('event 1000"', 'EVENT 1000"')),
    'it was changed before byte',
  ],
]

test.each(changes)('a file that was %s is read anew, and the command says why', async (_, alter, reason) => {
  const folder = temporaryFolder()
  const file = writeInput(folder, 'app.ndjson', 1_000)
  await succeed(folder, 'ingest', 'app.ndjson')
  alter(file)
  const output = await succeed(folder, 'ingest', 'app.ndjson')

  expect(output).toContain(`read from its beginning: ${reason}`)
  const whole = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
  expect(rowCount(folder)).toBe(1_000 + whole.length)
})

test('another file in place of the old one is read from its beginning', async () => {
  const folder = temporaryFolder()
  const file = writeInput(folder, 'app.ndjson', 10)
  await succeed(folder, 'ingest', 'app.ndjson')
  copyFileSync(file, `${file}.other`)
  renameSync(`${file}.other`, file)
  const output = await succeed(folder, 'ingest', 'app.ndjson')

  expect(output).toContain('10 rows into table "logs"')
  expect(rowCount(folder)).toBe(20)
})

test('a file that goes to two tables goes on in each of them, and without --table in the last one', async () => {
  const folder = temporaryFolder()
  const file = writeInput(folder, 'app.ndjson', 10)
  await succeed(folder, 'ingest', 'app.ndjson')
  expect(await succeed(folder, 'ingest', 'app.ndjson', '--table', 'copy')).toContain(
    '10 rows into table "copy"',
  )
  appendLines(file, 11, 12)
  expect(await succeed(folder, 'ingest', 'app.ndjson', '--table', 'LOGS')).toContain(
    '2 rows into table "logs"',
  )
  expect(await succeed(folder, 'ingest', 'app.ndjson')).toContain('0 rows into table "logs"')
  expect(await succeed(folder, 'ingest', 'app.ndjson', '--table', 'copy')).toContain(
    '2 rows into table "copy"',
  )
  expectLines(folder, 'app.ndjson', 12)
})

test('a table that was dropped is filled again', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 10)
  await succeed(folder, 'ingest', 'app.ndjson')
  change(path.join(folder, 'app.db'), 'DROP TABLE logs')
  const output = await succeed(folder, 'ingest', 'app.ndjson')

  expect(output).toContain('read from its beginning: table "logs" is not there any more')
  expectLines(folder, 'app.ndjson', 10)
})

test('a database that was deleted is filled again', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'rows.csv', 10)
  await succeed(folder, 'ingest', 'rows.csv')
  rmSync(path.join(folder, 'app.db'))
  expect(await succeed(folder, 'ingest', 'rows.csv')).not.toContain('went on')
  expectLines(folder, 'rows.csv', 10)
})

test('half a line at the end is left, and is one row when it was completed', async () => {
  const folder = temporaryFolder()
  const file = path.join(folder, 'app.ndjson')
  const [first, second] = [linesOf('ndjson', 1, 1), linesOf('ndjson', 2, 2)]
  writeFileSync(file, first + second.slice(0, 30))
  const before = await succeed(folder, 'ingest', 'app.ndjson')
  expect(before).toMatch(
    /1 row into .*\n  line 2, the last, is not finished \(not JSON: .*\) and is left for the next run/,
  )
  expect(await succeed(folder, 'dead-letters')).toContain('0 rows')

  writeFileSync(file, first + second)
  expect(await succeed(folder, 'ingest', 'app.ndjson')).toContain('went on behind line 1,')
  expectLines(folder, 'app.ndjson', 2)
})

test('half a CSV record at the end is left, and is one row when it was completed', async () => {
  const folder = temporaryFolder()
  const file = path.join(folder, 'rows.csv')
  writeFileSync(file, `${csvHeader}1,"event 1",0.5\n2,"event\n`)
  expect(await succeed(folder, 'ingest', 'rows.csv')).toContain('line 3, the last, is not finished')
  writeFileSync(file, `${csvHeader}1,"event 1",0.5\n2,"event\n2",1.0\n`)
  await succeed(folder, 'ingest', 'rows.csv')
  expectLines(folder, 'rows.csv', 2)
})

function rowCount(folder: string): number | undefined {
  return look<{ count: number }>(path.join(folder, 'app.db'), 'SELECT count(*) AS count FROM logs')[0]?.count
}
