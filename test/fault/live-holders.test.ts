/** Live scopes of another process: one that died, one that lives and does nothing, one that was stopped and comes back. */
import { expect, test } from 'vitest'
import { open, type Tidemark } from '../../src/index.ts'
import { systemRuntime } from '../../src/runtime/system.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { openWith } from '../../src/tidemark.ts'
import { chaptersAfter, schema, scopes, type Tables } from '../crash/live-states.ts'
import { Child } from '../support/child.ts'
import { change, databaseFile, look } from '../support/database-file.ts'

const program = new URL('../crash/live-process.ts', import.meta.url)
const id = scopes[0] ?? ''

function live(db: Tidemark<Tables>, timeoutMs: number) {
  return db.live('books', { id }, { children: { chapters: 'book' }, timeoutMs })
}

async function started(file: string): Promise<Child> {
  const child = new Child(program, [file, 'other'])
  await child.said('so-far 3')
  return child
}

/** A silent writer is taken for dead so soon that a test can wait for it. */
function shortenLeases(file: string): void {
  change(file, 'UPDATE tidemark_writers SET lease_ms = 100')
}

test('law 3 · the scopes of a process that died are free once its lease is over, and hold what it had committed', async () => {
  const file = databaseFile(schema)
  const child = await started(file)
  await child.kill()
  await using db = await open<Tables>(sqlite(file))
  // It could be slow: until its lease is over nobody can have them.
  await expect(live(db, 50)).rejects.toMatchObject({ code: 'LIVE_HELD', retryable: true })
  const before = await db.live.peek('books', { id }, { children: { chapters: 'book' } })
  expect(before).toMatchObject({ from: 'database', isSaved: false })
  shortenLeases(file)
  const book = await live(db, 60_000)
  expect(book.row).toEqual(before.row)
  const chapters = book.rows('chapters').all()
  expect(new Map(chapters.map(({ n, title }) => [n, title]))).toEqual(chaptersAfter(book.row?.step ?? 0))
  expect(look(file, 'SELECT closed FROM tidemark_writers ORDER BY epoch')).toEqual([
    { closed: 1 },
    { closed: 0 },
  ])
})

test('law 3 · a process that was stopped and comes back commits nothing to a scope that another has now', async () => {
  const file = databaseFile(schema)
  const child = await started(file)
  child.pause()
  await using db = await open<Tables>(sqlite(file))
  shortenLeases(file)
  const book = await live(db, 60_000)
  book.set({ step: -1, chapters: 0 })
  for (const { n } of book.rows('chapters').all()) book.rows('chapters').delete({ n })
  await book.flush()
  child.resume()
  const { code } = await child.ended
  expect(code).not.toBe(0)
  expect(child.stderr).toContain('FENCED')
  expect(look(file, `SELECT step, chapters FROM books WHERE id = '${id}'`)).toEqual([
    { step: -1, chapters: 0 },
  ])
  expect(look(file, `SELECT count(*) AS chapters FROM chapters WHERE book = '${id}'`)).toEqual([
    { chapters: 0 },
  ])
})

// SPEC S2.3
test('law 3 · one that lives and changes nothing keeps its scopes, and tells how far the database may be behind', async () => {
  const file = databaseFile(schema)
  await using holder = await open<Tables>(sqlite(file))
  await using db = await open<Tables>(sqlite(file))
  const book = await live(holder, 0)
  book.set({ step: 1, chapters: 0 })
  await book.flush()
  // It shows a sign of life every second.
  change(file, 'UPDATE tidemark_writers SET lease_ms = 3000')
  await expect(live(db, 4_500)).rejects.toMatchObject({ code: 'LIVE_HELD' })
  expect(look(file, 'SELECT DISTINCT closed FROM tidemark_writers')).toEqual([{ closed: 0 }])
  const { from, row, lagMs } = await db.live.peek('books', { id })
  expect([from, row?.step]).toEqual(['database', 1])
  expect(lagMs).toBeLessThan(60_000)
  await book.close()
  expect((await db.live.peek('books', { id })).lagMs).toBe(0)
})

test('law 3 · whoever waits until its time is over is told that the scope is held, however long a look takes', async () => {
  const file = databaseFile(schema)
  await using holder = await open<Tables>(sqlite(file))
  await live(holder, 60_000)
  let lateMs = 0
  const slow = { ...systemRuntime, monotonicMs: () => systemRuntime.monotonicMs() + (lateMs += 7) }
  await using other = await openWith<Tables>(slow, sqlite(file), undefined)
  for (let timeoutMs = 100; timeoutMs < 160; timeoutMs += 3)
    await expect(live(other, timeoutMs)).rejects.toMatchObject({ code: 'LIVE_HELD' })
})
