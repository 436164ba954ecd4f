/** A bad operation fails alone: its neighbours in the batch, in its run and in its load are committed. */
import assert from 'node:assert/strict'
import { endings, range, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = `
  CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL, plays INTEGER CHECK (plays >= 0));
  CREATE TABLE guarded (id INTEGER PRIMARY KEY, what TEXT);
  CREATE TABLE trace (id INTEGER PRIMARY KEY, what TEXT);
  CREATE TRIGGER guard BEFORE INSERT ON guarded BEGIN
    INSERT INTO trace (what) VALUES (NEW.what);
    SELECT CASE NEW.what
      WHEN 'abort' THEN RAISE(ABORT, 'told to abort')
      WHEN 'fail' THEN RAISE(FAIL, 'told to fail')
      WHEN 'rollback' THEN RAISE(ROLLBACK, 'told to roll back')
      WHEN 'ignore' THEN RAISE(IGNORE)
    END;
  END;
  CREATE TABLE rolling (id INTEGER PRIMARY KEY ON CONFLICT ROLLBACK, n INTEGER);
  CREATE TABLE failing (id INTEGER PRIMARY KEY, k INTEGER UNIQUE ON CONFLICT FAIL);
  CREATE TABLE albums (id INTEGER PRIMARY KEY);
  CREATE TABLE tracks (
    id INTEGER PRIMARY KEY, album INTEGER REFERENCES albums (id) ON DELETE CASCADE, locked INTEGER DEFAULT 0);
  CREATE TRIGGER lock BEFORE DELETE ON tracks WHEN OLD.locked BEGIN SELECT RAISE(FAIL, 'locked'); END;
`

export const isolation: Topic = (subject, test) => {
  const poisons: Record<string, Record<string, unknown>> = {
    SQLITE_CONSTRAINT_NOTNULL: { title: null },
    SQLITE_CONSTRAINT_CHECK: { title: 'x', plays: -1 },
    SQLITE_CONSTRAINT_PRIMARYKEY: { id: 1, title: 'x' },
    SQLITE_MISMATCH: { id: 'not a number', title: 'x' },
  }

  test('law 4 · each kind of bad row is rejected with the store’s own code, its neighbours are committed', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { id: 1, title: 'first' })
    const receipts = Object.values(poisons).flatMap((poison) => [
      at.db.insert('songs', { title: 'before', plays: 1 }),
      at.db.insert('songs', poison),
      at.db.insert('songs', { title: 'after', plays: 1 }),
    ])
    const expected = Object.keys(poisons).flatMap((code) => ['committed', code, 'committed'])
    assert.deepEqual(await endings(receipts), expected)
    assert.equal(await at.value('SELECT count(*) FROM songs'), 1 + 2 * Object.keys(poisons).length)
  })

  for (const [name, bad] of Object.entries({
    first: [0],
    middle: [250],
    last: [499],
    several: [3, 64, 65, 128, 400],
  })) {
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
    assert.deepEqual(new Set(await endings(receipts)), new Set(['SQLITE_CONSTRAINT_NOTNULL']))
    assert.equal((await at.db.deadLetters({ limit: 1_000 })).length, 300)
    await at.db.insert('songs', { title: 'good' })
    assert.equal(await at.value('SELECT count(*) FROM songs'), 1)
  })

  test('law 4 · a bad update, upsert, delete and statement fail alone', async () => {
    await using at = await stage(subject, tables)
    const receipts = [
      at.db.insert('albums', { id: 1 }),
      at.db.insert('songs', { id: 1, title: 'a', plays: 1 }),
      at.db.update('songs', { id: 1 }, { plays: -1 }),
      at.db.upsert('songs', { id: 1, title: 'b', plays: -1 }),
      at.db.insert('tracks', { id: 1, album: 1, locked: 1 }),
      at.db.delete('tracks', { id: 1 }),
      at.db.write({ sql: 'UPDATE songs SET plays = plays - 5', parameters: [] }),
      at.db.write({ sql: 'UPDATE songs SET plays = plays + 5', parameters: [] }),
    ]
    assert.deepEqual(await endings(receipts), [
      'committed',
      'committed',
      'SQLITE_CONSTRAINT_CHECK',
      'SQLITE_CONSTRAINT_CHECK',
      'committed',
      'SQLITE_CONSTRAINT_TRIGGER',
      'SQLITE_CONSTRAINT_CHECK',
      'committed',
    ])
    assert.deepEqual(
      await at.rows('SELECT title, plays, (SELECT count(*) FROM tracks) AS tracks FROM songs'),
      [{ title: 'a', plays: 6, tracks: 1 }],
    )
  })

  test('law 4 · a statement that ends the transaction (OR ROLLBACK) takes nothing else with it', async () => {
    await using at = await stage(subject, tables)
    const rollBack = { sql: 'INSERT OR ROLLBACK INTO songs (id, title) VALUES (1, ?)', parameters: ['again'] }
    const receipts = [
      at.db.insert('songs', { id: 1, title: 'first' }),
      at.db.write(rollBack),
      at.db.insert('songs', { id: 2, title: 'second' }),
      at.db.write(rollBack),
      at.db.insert('songs', { id: 3, title: null }),
      at.db.insert('songs', { id: 4, title: 'fourth' }),
    ]
    const primaryKey = 'SQLITE_CONSTRAINT_PRIMARYKEY'
    const expected = [
      'committed',
      primaryKey,
      'committed',
      primaryKey,
      'SQLITE_CONSTRAINT_NOTNULL',
      'committed',
    ]
    assert.deepEqual(await endings(receipts), expected)
    assert.deepEqual(await at.rows('SELECT id, title FROM songs'), [
      { id: 1, title: 'first' },
      { id: 2, title: 'second' },
      { id: 4, title: 'fourth' },
    ])
    assert.equal((await at.db.deadLetters()).length, 3)
  })

  for (const what of ['abort', 'fail', 'rollback'] as const) {
    test(`law 4 · a trigger that raises ${what} undoes its own operation and no other`, async () => {
      await using at = await stage(subject, tables)
      const receipts = [
        ...range(70).map((id) => at.db.insert('guarded', { id, what: 'good' })),
        at.db.insert('guarded', { id: 70, what }),
        at.db.insert('guarded', { id: 71, what: 'good' }),
        at.db.insertMany('guarded', [
          { id: 72, what: 'good' },
          { id: 73, what },
        ]),
        at.db.insert('guarded', { id: 74, what: 'good' }),
      ]
      const wrong = (await endings(receipts)).flatMap((ending, index) =>
        ending === 'committed' ? [] : [[index, ending]],
      )
      assert.deepEqual(wrong, [
        [70, 'SQLITE_CONSTRAINT_TRIGGER'],
        [72, 'SQLITE_CONSTRAINT_TRIGGER'],
      ])
      const expected = [...range(70), 71, 74].map((id) => ({ id }))
      assert.deepEqual(await at.rows('SELECT id FROM guarded ORDER BY id'), expected)
      // What the trigger itself had written for a refused row is gone too.
      assert.equal(await at.value('SELECT count(*) FROM trace'), expected.length)
    })
  }

  test('law 4 · a constraint that ends the transaction (ON CONFLICT ROLLBACK) takes nothing else with it', async () => {
    await using at = await stage(subject, tables)
    const ids = [...range(100), 5, 200, 7, 201]
    const wrong = (await endings(ids.map((id) => at.db.insert('rolling', { id, n: id })))).flatMap(
      (ending, index) => (ending === 'committed' ? [] : [index]),
    )
    assert.deepEqual(wrong, [100, 102])
    assert.equal(await at.value('SELECT count(*) FROM rolling'), 102)
  })

  test('law 4 · a constraint that stops half-way (ON CONFLICT FAIL) leaves no half', async () => {
    await using at = await stage(subject, tables)
    const receipts = [
      ...range(100).map((k) => at.db.insert('failing', { k })),
      at.db.insert('failing', { k: 50 }),
      at.db.write({ sql: 'INSERT INTO failing (k) VALUES (300), (301), (50), (302)', parameters: [] }),
      at.db.write({ sql: 'UPDATE OR FAIL failing SET k = 1000 WHERE k < 5', parameters: [] }),
      at.db.insertMany('failing', [{ k: 400 }, { k: 50 }]),
      at.db.insert('failing', { k: 500 }),
    ]
    const unique = 'SQLITE_CONSTRAINT_UNIQUE'
    assert.deepEqual((await endings(receipts)).slice(99), [
      'committed',
      unique,
      unique,
      unique,
      unique,
      'committed',
    ])
    assert.deepEqual(await at.rows('SELECT count(*) AS count, max(k) AS last FROM failing'), [
      { count: 101, last: 500 },
    ])
  })

  test('law 4 · a delete that fails in what it cascades to deletes nothing', async () => {
    await using at = await stage(subject, tables)
    at.db.insert('albums', { id: 1 })
    at.db.insertMany('tracks', [
      { id: 1, album: 1 },
      { id: 2, album: 1, locked: 1 },
    ])
    assert.notDeepEqual(await endings([at.db.delete('albums', { id: 1 })]), ['committed'])
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
    const play = 'UPDATE songs SET plays = plays + 1 WHERE title = ?'
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
    assert.deepEqual(await at.rows('SELECT id, plays FROM songs'), [
      { id: 1, plays: 2 },
      { id: 2, plays: 1 },
    ])
  })
}
