/** What was written in one order and took effect in another. Law 2. */
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { expect, test } from 'vitest'
import { open, type Receipt } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { databaseFile, look } from '../support/database-file.ts'

interface DB {
  files: { path: string; hash: string }
}

/** Only builds queries. */
const build = new Kysely<DB>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

// A batching layer sorted its operations by kind, to send all puts of a table in one statement and all deletes in
// another: a file that was deleted and written again was gone, and one that was written and deleted was back. Here a
// batch is applied in the order of its positions, and only neighbours of one shape share a statement.
test('law 2 · incident: put/delete reordered', async () => {
  const file = databaseFile('CREATE TABLE files (path TEXT PRIMARY KEY, hash TEXT NOT NULL)')
  const db = await open<DB>(sqlite(file))
  const session = db.session()
  const puts: Record<string, (row: DB['files']) => Receipt> = {
    upsert: (row) => db.upsert('files', row),
    'upsert of a session': (row) => session.upsert('files', row),
    group: (row) => db.atomic((group) => group.upsert('files', row)),
    load: (row) => db.insertMany('files', [row], { atomic: false }),
    statement: (row) => db.write(build.insertInto('files').values(row)),
  }
  const deletes: Record<string, (path: string) => Receipt> = {
    delete: (path) => db.delete('files', { path }),
    'delete of a session': (path) => session.delete('files', { path }),
    group: (path) => db.atomic((group) => group.delete('files', { path })),
    statement: (path) => db.write(build.deleteFrom('files').where('path', '=', path)),
  }
  const ways = Object.keys(puts).flatMap((put) => Object.keys(deletes).map((del) => [put, del] as const))
  for (const [put, del] of ways) {
    const write = (path: string, hash: string) => puts[put]?.({ path, hash })
    const remove = (path: string) => deletes[del]?.(path)
    const back = `back by ${put} after ${del}`
    const gone = `gone by ${del} after ${put}`
    write(back, 'old')
    write(gone, 'old')
    remove(back)
    remove(gone)
    write(gone, 'again')
    write(back, 'new')
    remove(gone)
  }
  await db.flush()

  expect(look(file, 'SELECT path, hash FROM files ORDER BY path')).toEqual(
    ways.map(([put, del]) => ({ path: `back by ${put} after ${del}`, hash: 'new' })).toSorted(byPath),
  )
  expect(db.stats(), 'all of it was one batch, and none of it was refused').toMatchObject({
    rejected: 0,
    committed: { batches: 1 },
  })
  await db.close()
})

function byPath(a: DB['files'], b: DB['files']): number {
  return a.path < b.path ? -1 : 1
}
