/** The write calls one by one: what each leaves in the table, and what its receipt tells. */
import assert from 'node:assert/strict'
import { sqlDialects } from './sql.ts'
import { range, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = [
  'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL, plays INTEGER DEFAULT 7)',
  'CREATE TABLE files (path TEXT PRIMARY KEY, hash TEXT, size INTEGER)',
  'CREATE TABLE pairs (a INTEGER, b INTEGER, c TEXT, PRIMARY KEY (a, b))',
  'CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT UNIQUE)',
  'CREATE TABLE plain (text TEXT)',
  `CREATE TABLE "a ""quoted"" name" ("order" INTEGER PRIMARY KEY, "ö 'x'" TEXT)`,
]

export const writes: Topic = (subject, test, onlyFor) => {
  // SPEC S2.6
  test('law 1 · an insert whose receipt resolved is in the table', async () => {
    await using at = await stage(subject, tables)
    const { position } = await at.db.insert('songs', { title: 'Tide', plays: 3 })
    assert.deepEqual(position, { writer: at.db.writer, epoch: at.db.epoch, seq: 1 })
    assert.deepEqual(await at.outside('SELECT * FROM songs'), [{ id: 1, title: 'Tide', plays: 3 }])
  })

  test('law 1 · positions count 1, 2, 3 in the order of the calls', async () => {
    await using at = await stage(subject, tables)
    const receipts = [
      at.db.insert('songs', { title: 'a' }),
      at.db.upsert('files', { path: 'a', size: 1 }),
      at.db.update('files', { path: 'a' }, { size: 2 }),
      at.db.delete('files', { path: 'a' }),
      at.db.write({ sql: 'DELETE FROM songs', parameters: [] }),
      at.db.insertMany('songs', [{ title: 'b' }, { title: 'c' }]),
      at.db.insert('songs', { title: 'd' }),
    ]
    assert.deepEqual(
      receipts.map((receipt) => receipt.position.seq),
      [1, 2, 3, 4, 5, 6, 7],
    )
  })

  // SPEC S4.2
  test('a generated id is told to the write that made it, in a batch of hundreds', async () => {
    await using at = await stage(subject, tables)
    const receipts = range(300).map((index) => at.db.insert('songs', { title: `song ${index}` }))
    const committed = await Promise.all(receipts)
    const found = await at.rows('SELECT id, title FROM songs')
    const titles = new Map(found.map(({ id, title }) => [id, title]))
    for (const [index, { id }] of committed.entries()) assert.equal(titles.get(id), `song ${index}`)
  })

  test('a generated id is told right where explicit ids, other tables and rejected rows stand between', async () => {
    await using at = await stage(subject, tables)
    const titled = (title: string) => at.db.insert('songs', { title })
    const mixed = [
      titled('a'),
      at.db.insert('songs', { id: 50, title: 'b' }),
      titled('c'),
      at.db.insert('songs', { id: 50, title: 'refused' }),
      titled('d'),
      at.db.insert('tags', { name: 'other' }),
      titled('e'),
      at.db.delete('songs', { id: 50 }),
      titled('f'),
    ]
    const told = new Map<unknown, string>()
    for (const [index, receipt] of mixed.entries()) {
      const outcome = await receipt.outcome()
      if (outcome.kind === 'committed' && outcome.id !== undefined && index !== 5)
        told.set(outcome.id, 'abcxdxexf'[index] as string)
    }
    for (const { id, title } of await at.rows('SELECT id, title FROM songs'))
      assert.equal(told.get(id), title)
    assert.equal(told.size, 5)
  })

  onlyFor(sqlDialects, 'an id that no number holds exactly is not told wrong', async () => {
    await using at = await stage(subject, tables)
    for (const id of [Number.MAX_SAFE_INTEGER - 2, 2n ** 62n]) {
      at.db.insert('songs', { id, title: 'far' })
      const receipts = range(5).map((index) => at.db.insert('songs', { title: `after ${id}: ${index}` }))
      for (const [index, told] of (await Promise.all(receipts)).entries()) {
        const held = await at.value(`SELECT id FROM songs WHERE title = 'after ${id}: ${index}'`)
        if (told.id !== undefined) assert.equal(told.id, held)
      }
    }
  })

  test('an explicit id, and a table without generated ids, tell none', async () => {
    await using at = await stage(subject, tables)
    assert.equal((await at.db.insert('songs', { id: 9, title: 'a' })).id, undefined)
    assert.equal((await at.db.insert('files', { path: 'a' })).id, undefined)
    assert.equal((await at.db.insert('plain', { text: 'a' })).id, undefined)
  })

  test('a column that is left out or undefined takes its default', async () => {
    await using at = await stage(subject, tables)
    at.db.insert('songs', { title: 'a' })
    at.db.insert('songs', { title: 'b', plays: undefined })
    at.db.insert('songs', { title: 'c', plays: null })
    assert.deepEqual(await at.rows('SELECT plays FROM songs ORDER BY id'), [
      { plays: 7 },
      { plays: 7 },
      { plays: null },
    ])
  })

  test('rows that name their columns in different orders, or name fewer, land in the right columns', async () => {
    await using at = await stage(subject, tables)
    for (const index of range(50)) {
      const title = `t${index}`
      if (index % 3 === 0) at.db.insert('songs', { id: 100 + index, title, plays: index })
      else if (index % 3 === 1) at.db.insert('songs', { plays: index, title, id: 100 + index })
      else at.db.insert('songs', { title, id: 100 + index })
    }
    const expected = range(50).map((index) => ({
      id: 100 + index,
      title: `t${index}`,
      plays: index % 3 === 2 ? 7 : index,
    }))
    assert.deepEqual(await at.rows('SELECT id, title, plays FROM songs ORDER BY id'), expected)
  })

  test('names that need quoting are written to', async () => {
    await using at = await stage(subject, tables)
    const table = 'a "quoted" name'
    at.db.insert(table, { order: 1, "ö 'x'": 'a' })
    at.db.upsert(table, { order: 1, "ö 'x'": 'b' })
    at.db.insert(table, { order: 2 })
    at.db.update(table, { order: 2 }, { "ö 'x'": 'c' })
    at.db.delete(table, { order: 1 })
    assert.deepEqual(await at.rows('SELECT * FROM "a ""quoted"" name"'), [{ order: 2, "ö 'x'": 'c' }])
  })

  // SPEC S2.2
  test('insertMany is one operation with one position', async () => {
    await using at = await stage(subject, tables)
    const receipt = at.db.insertMany(
      'songs',
      range(1_000).map((index) => ({ title: `song ${index}` })),
    )
    assert.equal(receipt.position.seq, 1)
    await receipt
    assert.equal(await at.value('SELECT count(*) FROM songs'), 1_000)
    assert.equal(at.db.insert('songs', { title: 'next' }).position.seq, 2)
  })

  test('insertMany takes any iterable', async () => {
    await using at = await stage(subject, tables)
    function* songs() {
      for (const index of range(3)) yield { title: `song ${index}` }
    }
    await at.db.insertMany('songs', songs())
    assert.equal(await at.value('SELECT count(*) FROM songs'), 3)
  })

  // SPEC S2.4
  test('an upsert inserts, then updates the columns given and no others', async () => {
    await using at = await stage(subject, tables)
    at.db.upsert('files', { path: 'a', hash: 'x', size: 1 })
    at.db.upsert('files', { path: 'a', size: 2 })
    at.db.upsert('files', { path: 'b', hash: 'y' })
    assert.deepEqual(await at.rows('SELECT * FROM files ORDER BY path'), [
      { path: 'a', hash: 'x', size: 2 },
      { path: 'b', hash: 'y', size: null },
    ])
  })

  test('an upsert with nothing but the key leaves an existing row as it is', async () => {
    await using at = await stage(subject, tables)
    at.db.insert('files', { path: 'a', hash: 'x' })
    assert.equal((await at.db.upsert('files', { path: 'a' }).outcome()).kind, 'committed')
    assert.deepEqual(await at.rows('SELECT path, hash FROM files'), [{ path: 'a', hash: 'x' }])
  })

  test('an upsert meets the row of a key of several columns', async () => {
    await using at = await stage(subject, tables)
    at.db.upsert('pairs', { a: 1, b: 1, c: 'x' })
    at.db.upsert('pairs', { b: 2, c: 'y', a: 1 })
    at.db.upsert('pairs', { a: 1, b: 1, c: 'z' })
    assert.deepEqual(await at.rows('SELECT * FROM pairs ORDER BY a, b'), [
      { a: 1, b: 1, c: 'z' },
      { a: 1, b: 2, c: 'y' },
    ])
  })

  test('an update and a delete tell how many rows they changed', async () => {
    await using at = await stage(subject, tables)
    at.db.insert('files', { path: 'a', size: 1 })
    assert.equal((await at.db.update('files', { path: 'a' }, { size: 2 })).changes, 1)
    assert.equal((await at.db.update('files', { path: 'gone' }, { size: 2 })).changes, 0)
    assert.equal((await at.db.delete('files', { path: 'a' })).changes, 1)
    assert.equal((await at.db.delete('files', { path: 'a' })).changes, 0)
  })

  test('columns beyond the key narrow an update and a delete, and null finds null', async () => {
    await using at = await stage(subject, tables)
    at.db.insertMany('files', [
      { path: 'a', hash: null, size: 1 },
      { path: 'b', hash: 'x', size: 1 },
    ])
    const changed = await Promise.all([
      at.db.update('files', { path: 'a', hash: 'x' }, { size: 2 }),
      at.db.update('files', { path: 'a', hash: null }, { size: 3 }),
      at.db.update('files', { path: 'b', hash: null }, { size: 4 }),
      at.db.delete('files', { path: 'b', size: 9 }),
      at.db.delete('files', { path: 'b', size: 1 }),
    ])
    assert.deepEqual(
      changed.map(({ changes }) => changes),
      [0, 1, 0, 0, 1],
    )
    assert.deepEqual(await at.rows('SELECT * FROM files'), [{ path: 'a', hash: null, size: 3 }])
  })

  onlyFor(sqlDialects, 'an update may change the key itself', async () => {
    await using at = await stage(subject, tables)
    at.db.insert('files', { path: 'old', size: 1 })
    at.db.update('files', { path: 'old' }, { path: 'new' })
    at.db.update('files', { path: 'new' }, { size: 2 })
    assert.deepEqual(await at.rows('SELECT path, size FROM files'), [{ path: 'new', size: 2 }])
  })
}
