/** What becomes of a file that is followed: renamed, copied and cut, replaced, while it is looked at and while not. */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { deadLetters, expectNumbers, Follower, numbersIn, upTo } from './followed.ts'
import { appendLines, csvHeader, linesOf, writeInput } from './inputs.ts'

const name = 'app.ndjson'

test('rename and create: the old file is read to its end, late lines too, then the new one', async () => {
  const { folder, file } = input(100)
  const follower = new Follower(folder, name)
  await follower.wrote(100)
  renameSync(file, `${file}.1`)
  appendLines(file, 104, 104)
  // Its writer has not been told yet.
  appendLines(`${file}.1`, 101, 102)
  await follower.wrote(102)
  appendLines(`${file}.1`, 103, 103)
  await follower.wrote(103, 104)
  appendLines(file, 105, 105)
  await follower.wrote(105)
  const { stdout } = await follower.stop()

  expect(numbersIn(folder, name)).toEqual(upTo(105))
  expect(stdout.match(/^app\.ndjson: .* rows? into/gm)).toEqual([
    'app.ndjson: 103 rows into',
    'app.ndjson: 2 rows into',
  ])
})

test('rename, and no file for a moment: the old one is read on until there is a new one', async () => {
  const { folder, file } = input(3)
  const follower = new Follower(folder, name)
  await follower.wrote(3)
  renameSync(file, `${file}.1`)
  appendLines(`${file}.1`, 4, 4)
  await follower.wrote(4)
  appendLines(file, 5, 5)
  await follower.wrote(5)
  await follower.stop()
  expect(numbersIn(folder, name)).toEqual(upTo(5))
})

test('a line that comes to the old file when the new one is being read: read at the next start', async () => {
  const { folder, file } = input(3)
  const follower = new Follower(folder, name)
  await follower.wrote(3)
  renameSync(file, `${file}.1`)
  appendLines(file, 4, 4)
  await follower.wrote(4)
  appendLines(`${file}.1`, 5, 5)
  await follower.stop()
  await followUpTo(folder, 5)
  expect(numbersIn(folder, name)).toEqual(upTo(5))
})

test('several rotations at once: none is passed over', async () => {
  const { folder, file } = input(3)
  const follower = new Follower(folder, name)
  await follower.wrote(3)
  for (let n = 4; n <= 8; n++) {
    shift(file, 6)
    appendLines(file, n, n)
  }
  await follower.wrote(8)
  await follower.stop()
  expectNumbers(folder, name, upTo(8))
})

test('replaced by an atomic rename: the new file is read from its beginning', async () => {
  const { folder, file } = input(3)
  const follower = new Follower(folder, name)
  await follower.wrote(3)
  appendLines(file, 4, 4)
  writeFileSync(path.join(folder, 'new'), linesOf('ndjson', 5, 6))
  renameSync(path.join(folder, 'new'), file)
  await follower.wrote(5, 6)
  await follower.stop()
  expect(numbersIn(folder, name)).toEqual(upTo(6))
})

test('copied and cut: what it holds now is read from its beginning', async () => {
  const { folder, file } = input(200)
  const follower = new Follower(folder, name)
  await follower.wrote(200)
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
  appendLines(file, 201, 202)
  await follower.wrote(202)
  await follower.stop(cutMessage)
  expect(numbersIn(folder, name)).toEqual(upTo(202))
})

test('an unfinished line that was cut away is nothing', async () => {
  const { folder, file } = input(20)
  const follower = new Follower(folder, name)
  await follower.wrote(20)
  // Read together with the line before it, and whole but for its end.
  appendFileSync(file, linesOf('ndjson', 21, 22).slice(0, -1))
  await follower.wrote(21)
  truncateSync(file)
  appendLines(file, 23, 23)
  await follower.wrote(23)
  await follower.stop(cutMessage)
  expect(numbersIn(folder, name)).toEqual([...upTo(21), 23])
  expect(deadLetters(folder)).toEqual([])
})

test('copied, cut, and longer than before at the next look: what was not read of it comes from the copy', async () => {
  const { folder, file } = input(20)
  const follower = new Follower(folder, name)
  await follower.wrote(20)
  await follower.command.pause()
  appendLines(file, 21, 25)
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
  appendLines(file, 26, 100)
  follower.command.send('SIGCONT')
  await follower.wrote(100)
  await follower.stop(cutMessage)
  expect(numbersIn(folder, name)).toEqual(upTo(100))
})

test.each([
  ['can be read is a row', linesOf('ndjson', 4, 4).slice(0, -1), upTo(5), []],
  ['cannot be read is a dead letter', '{"n":4', [1, 2, 3, 5], ['app.ndjson, line 4: ']],
] as const)(
  'the unfinished last line of a file that was rotated and %s',
  async (_, half, numbers, letters) => {
    const { folder, file } = input(3)
    const follower = new Follower(folder, name)
    await follower.wrote(3)
    appendFileSync(file, half)
    renameSync(file, `${file}.1`)
    appendLines(file, 5, 5)
    await follower.wrote(5)
    await follower.stop()
    expect(numbersIn(folder, name)).toEqual(numbers)
    expect(deadLetters(folder).map((letter) => letter.slice(0, 20))).toEqual(letters)
  },
)

test('a CSV file that was rotated has its header again', async () => {
  const { folder, file } = input(3, 'rows.csv')
  const follower = new Follower(folder, 'rows.csv')
  await follower.wrote(3)
  renameSync(file, `${file}.1`)
  appendFileSync(`${file}.1`, linesOf('csv', 4, 4))
  writeFileSync(file, csvHeader)
  appendLines(file, 5, 6)
  await follower.wrote(6)
  await follower.stop()
  expect(numbersIn(folder, 'rows.csv')).toEqual(upTo(6))
})

test('a CSV file that has another header after its rotation: exit code 3, and what was there before is in', async () => {
  const { folder, file } = input(3, 'rows.csv')
  const follower = new Follower(folder, 'rows.csv')
  await follower.wrote(3)
  renameSync(file, `${file}.1`)
  writeFileSync(file, 'n,text,whole\n4,four,2\n')
  const { code, stderr } = await follower.command.ended
  expect(code).toBe(3)
  expect(stderr).toContain(
    'the header of rows.csv differs from the table: it was (n, text, half), now it is (n, text, whole)',
  )
  expectNumbers(folder, 'rows.csv', upTo(3))
})

test('rotated while nobody followed it: the old file is found, also under another name, and read first', async () => {
  const { folder, file } = await readUpTo(100)
  appendLines(file, 101, 102)
  renameSync(file, path.join(folder, 'archive'))
  appendLines(file, 103, 104)
  const { stdout } = await followUpTo(folder, 104)
  expect(stdout).toMatch(/^archive: 2 rows .*\n {2}went on behind line 100, .*\napp\.ndjson: 2 rows /)
  expect(numbersIn(folder, name)).toEqual(upTo(104))
})

test('rotated twice while nobody followed it: the file that was never seen is read too, and in order', async () => {
  const { folder, file } = await readUpTo(100)
  appendLines(file, 101, 102)
  shift(file, 3)
  appendLines(file, 103, 104)
  shift(file, 3)
  appendLines(file, 105, 106)
  await followUpTo(folder, 106)
  expect(numbersIn(folder, name)).toEqual(upTo(106))
})

test('a copy of a file that is there is not read beside it', async () => {
  const { folder, file } = await readUpTo(20)
  copyFileSync(file, `${file}.2`)
  renameSync(file, `${file}.1`)
  appendLines(file, 21, 21)
  await followUpTo(folder, 21)
  expect(numbersIn(folder, name)).toEqual(upTo(21))
})

test('a rotated file that is named as well is followed for itself', async () => {
  const { folder, file } = await readUpTo(20)
  renameSync(file, `${file}.1`)
  appendLines(`${file}.1`, 21, 21)
  appendLines(file, 22, 22)
  const follower = new Follower(folder, name, `${name}.1`)
  await follower.wrote(21, 22)
  appendLines(`${file}.1`, 23, 23)
  await follower.wrote(23)
  const { stdout } = await follower.stop()
  expect(stdout).toContain(`${name}.1: 2 rows`)
  expectNumbers(folder, name, upTo(23))
})

test('files that were rotated before it was followed for the first time are left alone, and so are all others', async () => {
  const folder = temporaryFolder()
  utimesSync(writeInput(folder, 'app.ndjson.1', 50), 1_000_000, 1_000_000)
  const file = writeInput(folder, name, 3)
  const first = new Follower(folder, name)
  await first.wrote(3)
  await first.stop()
  shift(file, 3)
  appendLines(file, 4, 4)
  for (const other of ['app.ndjson.bak', 'app.ndjson.old.1', 'other.ndjson']) writeInput(folder, other, 40)
  await followUpTo(folder, 4)
  expect(numbersIn(folder, name)).toEqual(upTo(4))
})

test('the old file is gone: it says up to where that was read, and reads the new one', async () => {
  const { folder, file } = await readUpTo(10)
  appendLines(file, 11, 12)
  writeFileSync(`${file}.1.gz`, gzipSync(linesOf('ndjson', 1, 12)))
  writeFileSync(path.join(folder, 'new'), linesOf('ndjson', 13, 13))
  renameSync(path.join(folder, 'new'), file)
  const follower = new Follower(folder, name)
  await follower.wrote(13)
  await follower.stop(
    'tidemark: the file that was app.ndjson before is not beside it any more; it was read up to line 10.\n' +
      '  What it got behind that is not in. If it was packed or moved away, ingest the rest of it by hand.\n',
  )
  expect(numbersIn(folder, name)).toEqual([...upTo(10), 13])
})

test('removed and made anew, perhaps under the same number: it is another file, and read from its beginning', async () => {
  const { folder, file } = await readUpTo(10)
  rmSync(file)
  writeFileSync(file, linesOf('ndjson', 11, 40))
  renameSync(file, `${file}.1`)
  writeFileSync(file, linesOf('ndjson', 41, 41))
  const follower = new Follower(folder, name)
  await follower.wrote(41)
  await follower.command.kill('SIGINT')
  expect(numbersIn(folder, name)).toEqual(upTo(41))
})

test('copied and cut while nobody followed it: the rest comes from the copy, and never again', async () => {
  const { folder, file } = await readUpTo(20)
  appendLines(file, 21, 22)
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
  appendLines(file, 23, 24)
  await followUpTo(folder, 24)
  expect(numbersIn(folder, name)).toEqual(upTo(24))

  renameSync(`${file}.1`, `${file}.2`)
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
  appendLines(file, 25, 60)
  await followUpTo(folder, 60)
  appendLines(file, 61, 61)
  await followUpTo(folder, 61)
  expect(numbersIn(folder, name)).toEqual(upTo(61))
})

const cutMessage = 'tidemark: app.ndjson was cut; what it holds now is read from its beginning.\n'

function input(count: number, called: string = name): { folder: string; file: string } {
  const folder = temporaryFolder()
  return { folder, file: writeInput(folder, called, count) }
}

/** A file that was followed up to a line, and is not any more. */
async function readUpTo(count: number): Promise<{ folder: string; file: string }> {
  const made = input(count)
  await followUpTo(made.folder, count)
  return made
}

async function followUpTo(folder: string, last: number): Promise<{ stdout: string }> {
  const follower = new Follower(folder, name)
  await follower.wrote(last)
  return await follower.stop()
}

/** As logrotate does it: `app.1` becomes `app.2`, and so on; the file itself becomes `app.1`. */
function shift(file: string, most: number): void {
  for (let n = most; n > 0; n--)
    if (existsSync(`${file}.${n}`)) renameSync(`${file}.${n}`, `${file}.${n + 1}`)
  renameSync(file, `${file}.1`)
}
