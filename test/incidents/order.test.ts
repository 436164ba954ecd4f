/** What was written in one order and took effect in another. Law 2. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { databaseFile, look } from '../support/database-file.ts'

interface DB {
  files: { path: string; hash: string }
}

// A batching layer sorted its operations by kind, to send all puts of a table in one statement and all deletes in
// another: a file that was deleted and written again was gone, and one that was written and deleted was back. Here a
// batch is applied in the order of its positions, and only neighbours of one shape share a statement.
test('law 2 · incident: put/delete reordered', async () => {
  const file = databaseFile('CREATE TABLE files (path TEXT PRIMARY KEY, hash TEXT NOT NULL)')
  const db = await open<DB>(sqlite(file))
  const { kysely } = db
  const session = db.session()
  const puts: Record<string, (row: DB['files']) => PromiseLike<unknown>> = {
    upsert: (row) => db.upsert('files', row),
    'upsert of a session': (row) => session.upsert('files', row),
    group: (row) => db.atomic((group) => group.upsert('files', row)),
    load: (row) => db.insertMany('files', [row], { atomic: false }),
    statement: (row) => db.write(kysely.insertInto('files').values(row)),
    'existing code': (row) => kysely.insertInto('files').values(row).execute(),
  }
  const deletes: Record<string, (path: string) => PromiseLike<unknown>> = {
    delete: (path) => db.delete('files', { path }),
    'delete of a session': (path) => session.delete('files', { path }),
    group: (path) => db.atomic((group) => group.delete('files', { path })),
    statement: (path) => db.write(kysely.deleteFrom('files').where('path', '=', path)),
    'existing code': (path) => kysely.deleteFrom('files').where('path', '=', path).execute(),
  }
  const expected: string[] = []
  // None is awaited before the next one is made.
  const writes: PromiseLike<unknown>[] = []
  for (const [put, write] of Object.entries(puts)) {
    for (const [del, remove] of Object.entries(deletes)) {
      const back = `back by ${put} after ${del}`
      const gone = `gone by ${del} after ${put}`
      writes.push(write({ path: back, hash: 'old' }), write({ path: gone, hash: 'old' }))
      writes.push(remove(back), remove(gone))
      writes.push(write({ path: gone, hash: 'again' }), write({ path: back, hash: 'new' }))
      writes.push(remove(gone))
      expected.push(`${back}: new`)
    }
  }
  await Promise.allSettled(writes)

  const found = look<DB['files']>(file, 'SELECT path, hash FROM files')
  expect(found.map(({ path, hash }) => `${path}: ${hash}`).toSorted()).toEqual(expected.toSorted())
  expect(db.stats(), 'all of it was one batch, and none of it was refused').toMatchObject({
    rejected: 0,
    committed: { batches: 1 },
  })
  await db.close()
})
