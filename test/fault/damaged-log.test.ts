/**
 * The log that a killed process left is damaged before the file is opened again. What opens holds a prefix of what
 * was committed; a log that does not belong to its file is refused, and nothing is changed.
 */
import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { randomFrom } from '../crash/workload.ts'
import { change } from '../support/database-file.ts'
import { LoggedDatabase, reopened } from '../support/logged-database.ts'

const seed = Math.floor(Math.random() * 1_000_000)
const random = randomFrom(seed)
const frameBytes = 24 + 4_096
const firstFrame = 32
const placesOfHeader = [0, 3, 5, 9, 14, 17, 21, 25, 30]

/** 300 rows in the file, 300 more in its log. */
async function withLog(): Promise<{ database: LoggedDatabase; log: Buffer; bookmark: string }> {
  const database = new LoggedDatabase()
  await database.write(300)
  await database.close()
  const bookmark = await database.write(300)
  await database.kill()
  return { database, log: readFileSync(`${database.file}-wal`), bookmark }
}

test('law 2 · a log that is cut anywhere, also inside a frame, leaves a prefix of its commits', async () => {
  const { database, log } = await withLog()
  const frames = Math.floor((log.length - firstFrame) / frameBytes)
  const cuts = [
    0,
    1,
    31,
    32,
    firstFrame + 23,
    log.length - 1,
    log.length,
    ...Array.from({ length: 12 }, () => Math.floor(random() * log.length)),
    ...Array.from({ length: 5 }, () => firstFrame + Math.floor(random() * frames) * frameBytes),
  ].toSorted((a, b) => a - b)
  const tidemarks: number[] = []
  for (const cut of cuts) {
    const file = database.copy()
    truncateSync(`${file}-wal`, cut)
    const [before, logged = 0] = (await reopened(file)) as number[]
    expect(before, `cut at ${cut}, seed ${seed}`).toBe(300)
    tidemarks.push(logged)
  }
  expect(tidemarks).toEqual(tidemarks.toSorted((a, b) => a - b))
  expect([tidemarks[0], tidemarks.at(-1)]).toEqual([0, 300])
  expect(new Set(tidemarks).size).toBeGreaterThan(3)
})

test('law 2 · a log with a flipped bit anywhere leaves a prefix of its commits', async () => {
  const { database, log } = await withLog()
  const places = [
    ...placesOfHeader,
    ...[0, 5, 9, 13, 17, 23].map((place) => firstFrame + 40 * frameBytes + place), // the header of a frame
    ...Array.from({ length: 15 }, () => Math.floor(random() * log.length)),
  ]
  const tidemarks = new Set<number>()
  for (const place of places) {
    const file = database.copy()
    const flipped = Buffer.from(log)
    flipped[place] = (flipped[place] as number) ^ (1 << Math.floor(random() * 8))
    writeFileSync(`${file}-wal`, flipped)
    const [before, logged = 0] = (await reopened(file)) as number[]
    expect(before, `flipped at ${place}, seed ${seed}`).toBe(300)
    tidemarks.add(logged)
  }
  expect(tidemarks.size).toBeGreaterThan(3)
})

test.for([
  { what: 'deleted', damage: (log: string) => rmSync(log) },
  { what: 'emptied', damage: (log: string) => truncateSync(log) },
  { what: 'overwritten with zeros', damage: (log: string) => writeFileSync(log, Buffer.alloc(200_000)) },
  {
    what: 'overwritten with garbage',
    damage: (log: string) => writeFileSync(log, Buffer.alloc(200_000, 'garbage')),
  },
])(
  'laws 2, 6 · a log that is $what: the rows in the file, and bookmarks to others are lost',
  async ({ damage }) => {
    const { database, bookmark } = await withLog()
    const file = database.copy()
    damage(`${file}-wal`)
    expect(await reopened(file)).toEqual([300])

    await using db = await open(sqlite(file), { writer: 'logging' })
    const read = db.query(
      { sql: 'SELECT 1', parameters: [] },
      { consistency: 'readAfterWrite', after: bookmark },
    )
    await expect(read).rejects.toMatchObject({ code: 'POSITION_LOST' })
  },
)

test('law 6 · a bookmark beyond what a cut log has kept is POSITION_LOST, not a read of fewer rows', async () => {
  const { database, log, bookmark } = await withLog()
  truncateSync(`${database.file}-wal`, log.length / 2)
  // The same name ends the epoch that the log has begun, with the tidemark that is left.
  await using db = await open(sqlite(database.file), { writer: 'logging' })
  const read = db.query(
    { sql: 'SELECT count(*) FROM rows', parameters: [] },
    { consistency: 'readAfterWrite', after: bookmark, timeoutMs: 60_000 },
  )
  await expect(read).rejects.toMatchObject({ code: 'POSITION_LOST' })
})

test.for([
  { what: 'deleted', damage: (index: string) => rmSync(index) },
  { what: 'emptied', damage: (index: string) => truncateSync(index) },
  { what: 'cut', damage: (index: string) => truncateSync(index, 1_000) },
  {
    what: 'overwritten with garbage',
    damage: (index: string) => writeFileSync(index, Buffer.alloc(32_768, 'garbage')),
  },
])(
  'law 2 · the index of a log (-shm) that is $what is made anew, and nothing is lost',
  async ({ damage }) => {
    const { database } = await withLog()
    const file = database.copy()
    damage(`${file}-shm`)
    expect(await reopened(file)).toEqual([300, 300])
  },
)

test('law 2 · a file with a log is opened with a rollback journal instead, and nothing is lost', async () => {
  const { database } = await withLog()
  const db = await open(sqlite(database.file, { journalMode: 'delete' }), { writer: 'logging' })
  await db.close()
  expect(await reopened(database.file)).toEqual([300, 300, 0])
})

test('law 2 · the index of an earlier moment is not believed', async () => {
  const database = new LoggedDatabase()
  await database.write(100)
  const earlier = database.copy()
  await database.write(200)
  await database.kill()
  copyFileSync(`${earlier}-shm`, `${database.file}-shm`)
  expect(await reopened(database.file)).toEqual([300])
})

test('law 2 · an earlier copy of the same log is a prefix', async () => {
  const database = new LoggedDatabase()
  await database.write(100)
  const earlier = database.copy()
  await database.write(200)
  await database.kill()
  copyFileSync(`${earlier}-wal`, `${database.file}-wal`)
  expect(await reopened(database.file)).toEqual([100])
})

/** Refused with what to do, and as it was: the log that belongs to it can still be put back. */
async function expectRefused(file: string, because: RegExp): Promise<void> {
  const before = [readFileSync(file), readFileSync(`${file}-wal`)]
  expect(await reopened(file)).toMatchObject({
    code: 'STORE_FAILED',
    failure: 'fatal',
    message: expect.stringMatching(because),
    hint: expect.stringContaining('Put back the file and the log that belong together'),
  })
  expect([readFileSync(file), readFileSync(`${file}-wal`)]).toEqual(before)
}

test('law 10 · the log of an earlier moment, over a file that went on, is refused and can be put right', async () => {
  const database = new LoggedDatabase()
  await database.write(3_000)
  await database.close()
  await database.write(20)
  const earlier = database.copy()
  await database.write(280)
  await database.close()
  // Laid over the file, it takes back the rows that came later, and most of the index pages that they are in not.
  copyFileSync(`${earlier}-wal`, `${database.file}-wal`)
  await expectRefused(database.file, /tidemark 20 of epoch \d+/)

  rmSync(`${database.file}-wal`)
  expect(await reopened(database.file)).toEqual([3_000, 300])
})

test('law 10 · the log of an earlier epoch is refused', async () => {
  const { database } = await withLog()
  const log = `${database.copy()}-wal`
  // The next process copies it all back when it closes.
  await database.write(20)
  await database.close()
  copyFileSync(log, `${database.file}-wal`)
  await expectRefused(database.file, /epoch \d+, and the file knows epoch \d+/)
})

test('law 10 · the log of another database is refused', async () => {
  const { database } = await withLog()
  const other = await withLog()
  copyFileSync(`${other.database.file}-wal`, `${database.file}-wal`)
  await expectRefused(database.file, /another database/)
})

test('law 10 · a log that is cut behind what was copied back is refused, unless nothing of it counts', async () => {
  const { database, log } = await withLog()
  // Opening and closing the file copies its log back.
  const whole = database.copy()
  change(whole, 'PRAGMA journal_mode')
  for (let cut = log.length - frameBytes; cut > 0; cut -= 15 * frameBytes) {
    const file = database.copy()
    copyFileSync(whole, file)
    writeFileSync(`${file}-wal`, log.subarray(0, cut))
    const outcome = await reopened(file)
    if (Array.isArray(outcome)) expect([outcome, cut < 30 * frameBytes]).toEqual([[300, 300], true])
    else expect(outcome.message).toContain('does not belong to it')
  }
})
