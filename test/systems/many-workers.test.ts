/** S3: many workers import files into one SQLite database. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { open, type Receipt, type Tidemark } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { databaseFile, look } from '../support/database-file.ts'

interface DB {
  artists: { name: string }
  songs: { file: string; artist: string; title: string }
  passages: { file: string; n: number; startMs: number }
}

const schema = `
  CREATE TABLE artists (name TEXT PRIMARY KEY);
  CREATE TABLE songs (file TEXT PRIMARY KEY, artist TEXT NOT NULL REFERENCES artists, title TEXT NOT NULL);
  CREATE TABLE passages (
    file TEXT NOT NULL REFERENCES songs, n INTEGER NOT NULL, startMs INTEGER NOT NULL CHECK (startMs >= 0),
    PRIMARY KEY (file, n)
  );`

const workers = 16
const files = Array.from({ length: 800 }, (_, n) => `${n}.flac`)
/** Every hundredth file is damaged in its last passage. */
const isDamaged = (file: string): boolean => Number.parseInt(file, 10) % 100 === 99

/** What belongs to a file is one group: one position, one receipt, all or nothing. */
function importFile(db: Tidemark<DB>, file: string): Receipt {
  const artist = `artist ${Number.parseInt(file, 10) % 7}`
  return db.atomic((group) => {
    group.upsert('artists', { name: artist })
    group.insert('songs', { file, artist, title: `song of ${file}` })
    for (let n = 0; n < 5; n++)
      group.insert('passages', { file, n, startMs: n === 4 && isDamaged(file) ? -1 : n * 1_000 })
  })
}

// SPEC S3.1, S3.3, S3.4, S3.9
test('law 4 · files of sixteen workers share commits, far fewer than one for ten files, and none is there in part', async () => {
  const file = databaseFile(schema)
  const db = await open<DB>(sqlite(file), {
    queue: { whenFull: 'wait' },
    batch: { lingerMs: 50 },
  })
  const todo = files.values()
  const receipts = new Map<string, Receipt>()
  const work = async (worker: number): Promise<void> => {
    for (const path of todo) {
      // Reading a file takes some turns of the loop, and every worker its own time.
      for (let turn = 0; turn <= worker % 4; turn++) await nextTurn()
      const receipt = importFile(db, path)
      receipts.set(path, receipt)
      // No worker waits for a commit; only a full queue holds it up.
      await receipt.accepted
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))
  await db.flush()

  const { transactions, retries } = db.stats()
  expect(transactions.count / files.length, 'lock acquisitions a file').toBeLessThan(0.1)
  expect(retries).toBe(0)
  for (const [path, receipt] of receipts)
    expect(receipt.state).toBe(isDamaged(path) ? 'rejected' : 'committed')
  expect(
    look(
      file,
      `SELECT count(*) AS songs, sum((SELECT count(*) FROM passages WHERE passages.file = songs.file)) AS passages
       FROM songs`,
    ),
  ).toEqual([{ songs: 792, passages: 792 * 5 }])
  expect(await db.deadLetters({ code: 'SQLITE_CONSTRAINT_CHECK' })).toHaveLength(8)
  await db.close()
})
