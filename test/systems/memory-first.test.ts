/** S2: a job whose stages write as they go and wait for no database. */
import { expect, test } from 'vitest'
import { open, type Position } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { databaseFile, look } from '../support/database-file.ts'

interface DB {
  books: { id: string; stage: string }
  chapters: { book: string; n: number; title: string; polished: number }
}

const schema = `
  CREATE TABLE books (id TEXT PRIMARY KEY, stage TEXT NOT NULL);
  CREATE TABLE chapters (
    book TEXT NOT NULL, n INTEGER NOT NULL, title TEXT NOT NULL, polished INTEGER NOT NULL, PRIMARY KEY (book, n)
  );`

// SPEC S2.2, S2.4, S2.6
test('law 2 · stages upsert what they know and await nothing: each row ends with what was written last', async () => {
  const file = databaseFile(schema)
  const db = await open<DB>(sqlite(file))
  // The one write that the job waits for: its own record.
  await db.insert('books', { id: 'moby-dick', stage: 'metadata' })
  const stages = ['entries', 'links', 'chapters', 'classification', 'polish']
  const before = db.stats().transactions.count
  for (const [round, stage] of stages.entries()) {
    // No stage asks whether its rows are there already, nor for an id.
    for (let n = 1; n <= 100; n++)
      db.upsert('chapters', { book: 'moby-dick', n, title: `${stage} ${n}`, polished: round })
    db.update('books', { id: 'moby-dick' }, { stage })
  }
  expect(db.stats().queued.operations, 'five stages are through, and nothing was waited for').toBe(505)
  expect((await db.get('books', { id: 'moby-dick' })).row, 'and a reader sees where they are').toEqual({
    id: 'moby-dick',
    stage: 'polish',
  })
  await db.flush()

  expect(db.stats().transactions.count - before).toBe(1)
  expect(look(file, 'SELECT stage FROM books')).toEqual([{ stage: 'polish' }])
  expect(look(file, 'SELECT n, title, polished FROM chapters ORDER BY n')).toEqual(
    Array.from({ length: 100 }, (_, index) => ({ n: index + 1, title: `polish ${index + 1}`, polished: 4 })),
  )
  await db.close()
})

// SPEC S2.7
test('law 1 · the position of a write is a version of its row: it rises with every write, also across a restart', async () => {
  const file = databaseFile(schema)
  const versions: Position[] = []
  for (let start = 0; start < 3; start++) {
    await using db = await open<DB>(sqlite(file), { writer: 'job' })
    for (let n = 0; n < 4; n++) {
      const receipt = db.upsert('books', { id: 'a', stage: `${start}.${n}` })
      versions.push(receipt.position)
      if (n === 3)
        expect((await receipt).position, 'known when accepted, and the same when committed').toEqual(
          receipt.position,
        )
    }
  }
  const isOlder = (a: Position, b: Position): boolean =>
    a.epoch < b.epoch || (a.epoch === b.epoch && a.seq < b.seq)
  for (const [index, version] of versions.entries())
    for (const later of versions.slice(index + 1)) expect(isOlder(version, later)).toBe(true)
  expect(new Set(versions.map(({ writer }) => writer))).toEqual(new Set(['job']))
})
