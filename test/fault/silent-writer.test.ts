/** Reads that wait for a writer of another process: one that died, one that is paused, one that has the lock. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { Child } from '../support/child.ts'
import { change, databaseFile, look } from '../support/database-file.ts'
import { OtherProcess } from '../support/other-process.ts'

const schema = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT)'
const program = new URL('accepting-process.ts', import.meta.url)
const query = { sql: 'SELECT title FROM songs', parameters: [] }

async function started(file: string): Promise<{ child: Child; committed: string; accepted: string }> {
  const child = new Child(program, [file])
  return { child, committed: await child.said('committed'), accepted: await child.said('accepted') }
}

test('law 6 · what a killed process had accepted is lost once its lease is over; what it had committed stays', async () => {
  const file = databaseFile(schema)
  const { child, committed, accepted } = await started(file)
  await child.kill()
  await using db = await open(sqlite(file))
  const read = (after: string, timeoutMs: number) =>
    db.query(query, { consistency: 'readAfterWrite', after, timeoutMs })
  expect((await read(committed, 0)).rows).toEqual([{ title: 'committed' }])
  // It could be slow: until its lease is over the read can only say that it waited.
  await expect(read(accepted, 50)).rejects.toMatchObject({ code: 'STALE_READ' })
  change(file, 'UPDATE tidemark_writers SET lease_ms = 100')
  await expect(read(accepted, 60_000)).rejects.toMatchObject({ code: 'POSITION_LOST' })
  expect(look(file, 'SELECT closed FROM tidemark_writers ORDER BY epoch')).toEqual([
    { closed: 1 },
    { closed: 0 },
  ])
  // From now on it is known at once.
  await expect(read(accepted, 0)).rejects.toMatchObject({ code: 'POSITION_LOST' })
})

test('law 6 · while another program has the write lock, no writer is taken for dead', async () => {
  const file = databaseFile(schema)
  const { accepted } = await started(file)
  await using db = await open(sqlite(file))
  change(file, 'UPDATE tidemark_writers SET lease_ms = 20')
  const other = new OtherProcess(file)
  await other.run('BEGIN IMMEDIATE')
  const read = db.query(query, { consistency: 'readAfterWrite', after: accepted, timeoutMs: 400 })
  await expect(read).rejects.toMatchObject({ code: 'STALE_READ' })
  await other.run('COMMIT')
  expect(look(file, 'SELECT DISTINCT closed FROM tidemark_writers')).toEqual([{ closed: 0 }])
  await other.close()
})

test('law 6 · a writer in a long transaction has the lock itself, and commits what stands behind it', async () => {
  const file = databaseFile(schema)
  await using writer = await open(sqlite(file))
  await using db = await open(sqlite(file))
  change(file, `UPDATE tidemark_writers SET lease_ms = 20 WHERE epoch = ${writer.epoch}`)
  const begun = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<void>()
  const transaction = writer.transaction(async () => {
    begun.resolve()
    await ending.promise
  })
  await begun.promise
  const { bookmark } = writer.insert('songs', { title: 'behind it' })
  const read = (timeoutMs: number) =>
    db.query(query, { consistency: 'readAfterWrite', after: bookmark, timeoutMs })
  await expect(read(300)).rejects.toMatchObject({ code: 'STALE_READ' })
  ending.resolve()
  await transaction
  expect((await read(10_000)).rows).toEqual([{ title: 'behind it' }])
})

test('law 6 · ended epochs are forgotten after ten thousand more, and bookmarks to them have expired', async () => {
  const file = databaseFile(schema)
  const first = await open(sqlite(file))
  const { bookmark } = first.insert('songs', { title: 'a' })
  await first.close()
  const kept = await open(sqlite(file))
  const later = kept.insert('songs', { title: 'b' }).bookmark
  await kept.close()
  change(
    file,
    `WITH RECURSIVE steps (step) AS (SELECT 1 UNION ALL SELECT step + 1 FROM steps WHERE step < 9999)
     INSERT INTO tidemark_writers SELECT last_epoch + step, 'w', 0, 1, 0, 0 FROM tidemark_database, steps;
     UPDATE tidemark_database SET last_epoch = last_epoch + 9999`,
  )
  await using db = await open(sqlite(file))
  const read = (after: string) => db.query(query, { consistency: 'readAfterWrite', after })
  await expect(read(bookmark)).rejects.toMatchObject({ code: 'BOOKMARK_EXPIRED' })
  expect((await read(later)).rows).toHaveLength(2)
})
