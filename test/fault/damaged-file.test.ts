/**
 * The database file itself is damaged while nobody has it open. SQLite keeps no checksums of its pages: a byte that
 * changed inside a row is a row with another value, and nobody can tell (docs/guides/damaged-files.md). What can be
 * told is refused when the file is opened, or by the first read or write that meets it, and says what to do.
 */
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { TidemarkError } from '../../src/index.ts'
import { randomFrom } from '../crash/workload.ts'
import { LoggedDatabase, readBack, refusalOr, reopened, rowsUpTo } from '../support/logged-database.ts'

const seed = Math.floor(Math.random() * 1_000_000)
const random = randomFrom(seed)
const pageBytes = 4_096

/** 300 rows in the file, and no log. */
async function withoutLog(): Promise<{ database: LoggedDatabase; bytes: Buffer }> {
  const database = new LoggedDatabase()
  await database.write(300)
  await database.close()
  return { database, bytes: readFileSync(database.file) }
}

/** A copy in which these bytes are others. */
function withBytes(database: LoggedDatabase, bytes: Buffer, place: number, others: Uint8Array): string {
  const file = database.copy()
  const damaged = Buffer.from(bytes)
  damaged.set(others, place)
  writeFileSync(file, damaged)
  return file
}

function flipped(bytes: Buffer, place: number): Uint8Array {
  return Uint8Array.of((bytes[place] as number) ^ (1 << Math.floor(random() * 8)))
}

const somewhere = (bytes: number, count: number): number[] =>
  Array.from({ length: count }, () => Math.floor(random() * bytes))

test('law 10 · a file that is cut anywhere is refused: what is missing is never just left out', async () => {
  const { database, bytes } = await withoutLog()
  const { length } = bytes
  const cuts = [2, 99, 100, 512, pageBytes - 1, pageBytes, length - pageBytes, length - 512, length - 1]
  for (const cut of [...cuts, ...somewhere(length, 8)]) {
    const file = database.copy()
    truncateSync(file, cut)
    expect(await reopened(file), `cut at ${cut} of ${length}, seed ${seed}`).toBeInstanceOf(TidemarkError)
  }
})

test('law 10 · a file that is cut while its log was left is refused, unless the log has what is missing', async () => {
  const { database, bytes } = await withoutLog()
  await database.write(300)
  await database.kill()
  for (const cut of [
    2,
    99,
    pageBytes,
    bytes.length - pageBytes,
    bytes.length - 1,
    ...somewhere(bytes.length, 8),
  ]) {
    const file = database.copy()
    truncateSync(file, cut)
    const outcome = await reopened(file)
    if (!(outcome instanceof TidemarkError))
      expect(outcome, `cut at ${cut}, seed ${seed}`).toEqual([300, 300])
  }
})

test('law 10 · an empty file with a log is refused, and the log is kept; without one it is a new database', async () => {
  const { database } = await withoutLog()
  await database.write(300)
  await database.kill()
  for (const left of [0, 1]) {
    const file = database.copy()
    truncateSync(file, left)
    expect(await reopened(file)).toMatchObject({
      message: expect.stringContaining('the file is empty'),
      hint: expect.stringContaining('remove both'),
    })
    expect(readFileSync(`${file}-wal`)).toEqual(readFileSync(`${database.file}-wal`))

    rmSync(`${file}-wal`)
    await expect(readBack(file)).rejects.toThrow('no such table: rows')
  }
})

test('law 10 · a file that is no database any more is refused, and left as it was', async () => {
  const { database } = await withoutLog()
  await database.write(300)
  await database.kill()
  const text = Buffer.alloc(8_192, 'no database ')
  writeFileSync(database.file, text)
  expect(await reopened(database.file)).toMatchObject({ storeCode: 'SQLITE_NOTADB' })
  expect(readFileSync(database.file)).toEqual(text)
  expect(existsSync(`${database.file}-wal`)).toBe(true)
})

test('law 10 · a file with a flipped bit in its header is refused, or none of its rows depends on it', async () => {
  const { database, bytes } = await withoutLog()
  let refused = 0
  for (let place = 0; place < 100; place += 1 + Math.floor(random() * 4)) {
    const file = withBytes(database, bytes, place, flipped(bytes, place))
    const outcome = await refusalOr(() => readBack(file))
    if (outcome instanceof TidemarkError) refused++
    else expect(outcome.rows, `flipped at ${place}, seed ${seed}`).toEqual(rowsUpTo([300]))
  }
  expect(refused).toBeGreaterThan(5)
})

test('law 10 · a page that was lost is refused by whoever needs it: its rows are never just left out', async () => {
  const { database, bytes } = await withoutLog()
  let refused = 0
  for (let place = 0; place < bytes.length; place += pageBytes) {
    const file = withBytes(database, bytes, place, Buffer.alloc(pageBytes))
    const outcome = await refusalOr(() => readBack(file))
    if (outcome instanceof TidemarkError) refused++
    else expect(outcome.rows, `page ${place / pageBytes + 1}`).toEqual(rowsUpTo([300]))
  }
  expect(refused).toBeGreaterThan(20)
})

test('a bit flipped inside a page is refused, or nobody can tell: in no case does anything else happen', async () => {
  const { database, bytes } = await withoutLog()
  for (const place of somewhere(bytes.length - 100, 25)) {
    const file = withBytes(database, bytes, 100 + place, flipped(bytes, 100 + place))
    await refusalOr(() => readBack(file))
  }
})
