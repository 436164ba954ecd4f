/** A bad operation fails alone: its neighbours in the batch, in its run and in its load are committed. */
import assert from 'node:assert/strict'
import { createTrigger, sqlDialects } from './sql.ts'
import { endings, range, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = [
  'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL, plays INTEGER CHECK (plays >= 0))',
  'CREATE TABLE guarded (id INTEGER PRIMARY KEY, what TEXT)',
  'CREATE TABLE trace (id INTEGER PRIMARY KEY, what TEXT)',
  createTrigger({
    name: 'guard',
    table: 'guarded',
    runs: 'INSERT INTO trace (what) VALUES (NEW.what)',
    refuses: "NEW.what = 'bad'",
  }),
  'CREATE TABLE albums (id INTEGER PRIMARY KEY)',
  `CREATE TABLE tracks (
    id INTEGER PRIMARY KEY, album INTEGER, FOREIGN KEY (album) REFERENCES albums (id) ON DELETE CASCADE)`,
  'CREATE TABLE favourites (track INTEGER, FOREIGN KEY (track) REFERENCES tracks (id))',
]

export const isolation: Topic = (subject, test, onlyFor) => {
  const poisons: Record<string, Record<string, unknown>> = {
    'not null': { title: null },
    check: { title: 'x', plays: -1 },
    unique: { id: 1_000, title: 'x' },
  }

  // SPEC S1.5
  test('law 4 · each kind of bad row is rejected with the store’s own code, its neighbours are committed', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { id: 1_000, title: 'first' })
    const receipts = Object.values(poisons).flatMap((poison) => [
      at.db.insert('songs', { title: 'before', plays: 1 }),
      at.db.insert('songs', poison),
      at.db.insert('songs', { title: 'after', plays: 1 }),
    ])
    const expected = Object.keys(poisons).flatMap((reason) => ['committed', reason, 'committed'])
    assert.deepEqual(await endings(receipts), expected)
    assert.equal(await at.value('SELECT count(*) FROM songs'), 1 + 2 * Object.keys(poisons).length)
  })

  for (const [name, bad] of Object.entries({
    first: [0],
    middle: [250],
    last: [499],
    several: [3, 64, 65, 128, 400],
  })) {
    // SPEC S4.5
    test(`law 4 · of a run of 500 rows with bad ones (${name}), exactly the bad ones are rejected`, async () => {
      await using at = await stage(subject, tables)
      const receipts = range(500).map((id) =>
        at.db.insert('songs', { id: id + 1, title: bad.includes(id) ? null : `song ${id}` }),
      )
      const rejected = (await endings(receipts)).flatMap((ending, id) => (ending === 'committed' ? [] : [id]))
      assert.deepEqual(rejected, bad)
      assert.equal(await at.value('SELECT count(*) FROM songs'), 500 - bad.length)
    })
  }

  test('law 4 · a batch of nothing but bad rows rejects each, and the engine goes on', async () => {
    await using at = await stage(subject, tables)
    const receipts = range(300).map(() => at.db.insert('songs', { title: null }))
    assert.deepEqual(new Set(await endings(receipts)), new Set(['not null']))
    assert.equal((await at.db.deadLetters({ limit: 1_000 })).length, 300)
    await at.db.insert('songs', { title: 'good' })
    assert.equal(await at.value('SELECT count(*) FROM songs'), 1)
  })

  onlyFor(sqlDialects, 'law 4 · a bad update, upsert, delete and statement fail alone', async () => {
    await using at = await stage(subject, tables)
    const receipts = [
      at.db.insert('albums', { id: 1 }),
      at.db.insert('songs', { id: 1, title: 'a', plays: 1 }),
      at.db.update('songs', { id: 1 }, { plays: -1 }),
      at.db.upsert('songs', { id: 1, title: 'b', plays: -1 }),
      at.db.insert('tracks', { id: 1, album: 1 }),
      at.db.insert('favourites', { track: 1 }),
      at.db.delete('tracks', { id: 1 }),
      at.db.write({ sql: 'UPDATE songs SET plays = plays - 5', parameters: [] }),
      at.db.write({ sql: 'UPDATE songs SET plays = plays + 5', parameters: [] }),
    ]
    assert.deepEqual(await endings(receipts), [
      'committed',
      'committed',
      'check',
      'check',
      'committed',
      'committed',
      'foreign key',
      'check',
      'committed',
    ])
    assert.deepEqual(
      await at.rows('SELECT title, plays, (SELECT count(*) FROM tracks) AS tracks FROM songs'),
      [{ title: 'a', plays: 6, tracks: 1 }],
    )
  })

  onlyFor(sqlDialects, 'law 4 · a value of the wrong type is rejected alone', async () => {
    await using at = await stage(subject, tables)
    const receipts = ['one', 2, 'three', 4].map((id) => at.db.insert('songs', { id, title: 'x' }))
    const kinds = (await Promise.all(receipts.map((receipt) => receipt.outcome()))).map(({ kind }) => kind)
    assert.deepEqual(kinds, ['rejected', 'committed', 'rejected', 'committed'])
    assert.deepEqual(await at.rows('SELECT id FROM songs ORDER BY id'), [{ id: 2 }, { id: 4 }])
  })

  test('law 4 · a trigger that refuses a row undoes its own operation and no other', async () => {
    await using at = await stage(subject, tables)
    const receipts = [
      ...range(70).map((id) => at.db.insert('guarded', { id: id + 1, what: 'good' })),
      at.db.insert('guarded', { id: 71, what: 'bad' }),
      at.db.insert('guarded', { id: 72, what: 'good' }),
      at.db.insertMany('guarded', [
        { id: 73, what: 'good' },
        { id: 74, what: 'bad' },
      ]),
      at.db.insert('guarded', { id: 75, what: 'good' }),
    ]
    const wrong = (await endings(receipts)).flatMap((ending, index) =>
      ending === 'committed' ? [] : [[index, ending]],
    )
    assert.deepEqual(wrong, [
      [70, 'trigger'],
      [72, 'trigger'],
    ])
    const expected = [...range(70).map((id) => id + 1), 72, 75].map((id) => ({ id }))
    assert.deepEqual(await at.rows('SELECT id FROM guarded ORDER BY id'), expected)
    // What the trigger itself had written for a refused row is gone too.
    assert.equal(await at.value('SELECT count(*) FROM trace'), expected.length)
  })

  onlyFor(sqlDialects, 'law 4 · a delete that fails in what it cascades to deletes nothing', async () => {
    await using at = await stage(subject, tables)
    at.db.insert('albums', { id: 1 })
    at.db.insertMany('tracks', [
      { id: 1, album: 1 },
      { id: 2, album: 1 },
    ])
    at.db.insert('favourites', { track: 2 })
    assert.deepEqual(await endings([at.db.delete('albums', { id: 1 })]), ['foreign key'])
    assert.deepEqual(
      await at.rows('SELECT (SELECT count(*) FROM albums) AS albums, count(*) AS tracks FROM tracks'),
      [{ albums: 1, tracks: 2 }],
    )
  })

  test('law 4 · a guard that fails undoes its own operation and no other', async () => {
    await using at = await stage(subject, tables)
    at.db.insertMany('songs', [
      { id: 1, title: 'a', plays: 0 },
      { id: 2, title: 'a', plays: 0 },
    ])
    const play = at.sql('UPDATE songs SET plays = plays + 1 WHERE title = ?')
    const receipts = [
      at.db.update('songs', { id: 1 }, { plays: 1 }, { expect: 1 }),
      at.db.write({ sql: play, parameters: ['a'] }, { expect: 1 }),
      at.db.write({ sql: play, parameters: ['a'] }, { expect: 2 }),
      at.db.update('songs', { id: 3 }, { plays: 1 }, { expect: 1 }),
      at.db.delete('songs', { id: 3 }, { expect: 0 }),
      at.db.delete('songs', { id: 2, plays: 9 }, { expect: 1 }),
    ]
    const failed = 'EXPECTATION_FAILED'
    const expected = ['committed', failed, 'committed', failed, 'committed', failed]
    assert.deepEqual(await endings(receipts), expected)
    assert.deepEqual(await at.rows('SELECT id, plays FROM songs ORDER BY id'), [
      { id: 1, plays: 2 },
      { id: 2, plays: 1 },
    ])
  })

  onlyFor(
    sqlDialects,
    'law 4 · a row that needs a later one of its table is refused, wherever batches and statements end',
    async () => {
      const nodes = 'CREATE TABLE nodes (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES nodes (id))'
      const rows = [
        { id: 1, parent: 2 },
        { id: 2, parent: null },
        { id: 3, parent: 2 },
      ]
      for (const maxOperations of [1, 1_000]) {
        await using at = await stage(subject, nodes, { batch: { maxOperations } })
        const receipts = rows.map((row) => at.db.insert('nodes', row))
        const kinds = await Promise.all(receipts.map(async (receipt) => (await receipt.outcome()).kind))
        assert.deepEqual(kinds, ['rejected', 'committed', 'committed'], `${maxOperations} operations a batch`)
      }
      // Padded, so that the two stand in one statement, or in two, of whatever size a store makes them.
      for (const before of [0, 1, 7, 63]) {
        await using at = await stage(subject, nodes)
        const padding = range(before).map((index) => ({ id: 100 + index, parent: null }))
        const outcome = await at.db.insertMany('nodes', [...padding, ...rows]).outcome()
        assert.equal(outcome.kind, 'rejected', `${before} rows before`)
      }
    },
  )
}
