/** What only SQLite has: conflict clauses, ways to raise, columns of any type, and tables that tell of their changes. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CompiledQuery } from 'kysely'
import type { Value } from '../index.ts'
import { endings, range, run, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const songs = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'

const raising = [
  'CREATE TABLE guarded (id INTEGER PRIMARY KEY, what TEXT)',
  'CREATE TABLE trace (id INTEGER PRIMARY KEY, what TEXT)',
  `CREATE TRIGGER guard BEFORE INSERT ON guarded BEGIN
     INSERT INTO trace (what) VALUES (NEW.what);
     SELECT CASE NEW.what
       WHEN 'abort' THEN RAISE(ABORT, 'told to abort')
       WHEN 'fail' THEN RAISE(FAIL, 'told to fail')
       WHEN 'rollback' THEN RAISE(ROLLBACK, 'told to roll back')
     END;
   END`,
]

export const sqlite: Topic = (subject, _test, onlyFor) => {
  const test = (name: string, define: () => Promise<void>): void => onlyFor(['sqlite'], name, define)
  test('law 4 · a statement that ends the transaction (OR ROLLBACK) takes nothing else with it', async () => {
    await using at = await stage(subject, songs)
    const rollBack = { sql: 'INSERT OR ROLLBACK INTO songs (id, title) VALUES (1, ?)', parameters: ['again'] }
    const receipts = [
      at.db.insert('songs', { id: 1, title: 'first' }),
      at.db.write(rollBack),
      at.db.insert('songs', { id: 2, title: 'second' }),
      at.db.write(rollBack),
      at.db.insert('songs', { id: 3, title: null }),
      at.db.insert('songs', { id: 4, title: 'fourth' }),
    ]
    assert.deepEqual(await endings(receipts), [
      'committed',
      'unique',
      'committed',
      'unique',
      'not null',
      'committed',
    ])
    assert.deepEqual(await at.rows('SELECT id, title FROM songs'), [
      { id: 1, title: 'first' },
      { id: 2, title: 'second' },
      { id: 4, title: 'fourth' },
    ])
    assert.equal((await at.db.deadLetters()).length, 3)
  })

  for (const what of ['abort', 'fail', 'rollback'] as const) {
    test(`law 4 · a trigger that raises ${what} undoes its own operation and no other`, async () => {
      await using at = await stage(subject, raising)
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
        [70, 'trigger'],
        [72, 'trigger'],
      ])
      const expected = [...range(70), 71, 74].map((id) => ({ id }))
      assert.deepEqual(await at.rows('SELECT id FROM guarded ORDER BY id'), expected)
      // What the trigger itself had written for a refused row is gone too.
      assert.equal(await at.value('SELECT count(*) FROM trace'), expected.length)
    })
  }

  test('law 4 · a constraint that ends the transaction (ON CONFLICT ROLLBACK) takes nothing else with it', async () => {
    const rolling = 'CREATE TABLE rolling (id INTEGER PRIMARY KEY ON CONFLICT ROLLBACK, n INTEGER)'
    await using at = await stage(subject, rolling)
    const ids = [...range(100), 5, 200, 7, 201]
    const wrong = (await endings(ids.map((id) => at.db.insert('rolling', { id, n: id })))).flatMap(
      (ending, index) => (ending === 'committed' ? [] : [index]),
    )
    assert.deepEqual(wrong, [100, 102])
    assert.equal(await at.value('SELECT count(*) FROM rolling'), 102)
  })

  test('law 4 · a constraint that stops half-way (ON CONFLICT FAIL) leaves no half', async () => {
    const failing = 'CREATE TABLE failing (id INTEGER PRIMARY KEY, k INTEGER UNIQUE ON CONFLICT FAIL)'
    await using at = await stage(subject, failing)
    const receipts = [
      ...range(100).map((k) => at.db.insert('failing', { k })),
      at.db.insert('failing', { k: 50 }),
      at.db.write({ sql: 'INSERT INTO failing (k) VALUES (300), (301), (50), (302)', parameters: [] }),
      at.db.write({ sql: 'UPDATE OR FAIL failing SET k = 1000 WHERE k < 5', parameters: [] }),
      at.db.insertMany('failing', [{ k: 400 }, { k: 50 }]),
      at.db.insert('failing', { k: 500 }),
    ]
    const unique = 'unique'
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

  test('law 4 · a delete that a trigger stops half-way in what it cascades to deletes nothing', async () => {
    await using at = await stage(subject, [
      'CREATE TABLE albums (id INTEGER PRIMARY KEY)',
      `CREATE TABLE tracks (
        id INTEGER PRIMARY KEY, album INTEGER REFERENCES albums (id) ON DELETE CASCADE, locked INTEGER DEFAULT 0)`,
      "CREATE TRIGGER lock BEFORE DELETE ON tracks WHEN OLD.locked BEGIN SELECT RAISE(FAIL, 'locked'); END",
    ])
    at.db.insert('albums', { id: 1 })
    at.db.insertMany('tracks', [
      { id: 1, album: 1 },
      { id: 2, album: 1, locked: 1 },
    ])
    assert.notDeepEqual(await endings([at.db.delete('albums', { id: 1 })]), ['committed'])
    assert.deepEqual(await endings([at.db.delete('tracks', { id: 2 })]), ['trigger'])
    assert.deepEqual(
      await at.rows('SELECT (SELECT count(*) FROM albums) AS albums, count(*) AS tracks FROM tracks'),
      [{ albums: 1, tracks: 2 }],
    )
  })

  test('law 4 · a statement that ends the transaction leaves constraints that wait for COMMIT as they were', async () => {
    await using at = await stage(subject, [
      'CREATE TABLE parents (id INTEGER PRIMARY KEY)',
      `CREATE TABLE children (
        id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)`,
    ])
    const receipts = [
      at.db.insert('parents', { id: 1 }),
      at.db.insert('children', { id: 1, parent: 2 }),
      at.db.write({ sql: 'INSERT OR ROLLBACK INTO parents VALUES (1)', parameters: [] }),
      at.db.insert('children', { id: 2, parent: 1 }),
    ]
    assert.deepEqual(await endings(receipts), ['committed', 'foreign key', 'unique', 'committed'])
    assert.deepEqual(await at.rows('SELECT id FROM children'), [{ id: 2 }])
  })

  test('law 4 · a statement that ends the transaction itself (OR ROLLBACK) leaves no part of it, whatever follows', async () => {
    await using at = await stage(subject, songs)
    await at.db.insert('songs', { id: 1, title: 'kept' })
    const transaction = at.db.transaction(async (trx) => {
      await trx.insertInto('songs').values({ title: 'before' }).execute()
      await assert.rejects(run(trx, "INSERT OR ROLLBACK INTO songs VALUES (1, 'again')"))
      await run(trx, "INSERT INTO songs (title) VALUES ('after')").catch(() => undefined)
    })
    await assert.rejects(transaction)
    assert.equal((await at.db.insert('songs', { title: 'next' })).position.seq, 3)
    assert.deepEqual(await at.rows('SELECT title FROM songs ORDER BY id'), [
      { title: 'kept' },
      { title: 'next' },
    ])
  })

  test('law 3 · no statement touches the tables that carry the laws, by whatever name it calls them', async () => {
    await using at = await stage(subject, songs)
    const attempts = [
      'UPDATE main.Tidemark_Writers SET closed = 1',
      'DELETE FROM [tidemark_writers]',
      "REPLACE INTO tidemark_checkpoints VALUES ('s', '2', 1)",
    ]
    const ended = await endings(attempts.map((text) => at.db.write({ sql: text, parameters: [] })))
    assert.deepEqual(new Set(ended), new Set(['SQLITE_AUTH']))
  })

  test('law 3 · a parameter that was not given is not taken for NULL', async () => {
    await using at = await stage(subject, songs)
    await at.db.insert('songs', { id: 1, title: 'a' })
    await at.db.transaction(async (trx) => {
      const text = 'UPDATE songs SET title = ? WHERE ? IS NULL'
      await assert.rejects(run(trx, text, ['b']), { code: 'STORE_FAILED' })
      await assert.rejects(run(trx, 'UPDATE songs SET title = ?2', ['b']), { code: 'STORE_FAILED' })
    })
    await assert.rejects(run(at.db.read(), 'SELECT 1 WHERE ? IS NULL'), { code: 'STORE_FAILED' })
    assert.deepEqual(await at.rows('SELECT title FROM songs'), [{ title: 'a' }])
  })

  test('law 3 · several statements are refused by the drop-in too, none of them is run', async () => {
    await using at = await stage(subject, songs)
    const made = "SELECT name FROM sqlite_master WHERE name IN ('c', 'd')"
    const several = CompiledQuery.raw('CREATE TABLE c (x); CREATE TABLE d (x)')
    await assert.rejects(at.db.kysely.executeQuery(several), { failure: 'rejected' })
    assert.deepEqual(await at.rows(made), [])
  })

  test('law 3 · a read makes no file, and a WITH that writes is refused as a query, not for want of permission', async () => {
    await using at = await stage(subject, songs)
    await at.db.insert('songs', { id: 1, title: 'a' })
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-read-'))
    const path = join(folder, 'copy.db')
    try {
      for (const level of ['eventual', 'strong'] as const) {
        await assert.rejects(run(at.db.read(level), `VACUUM INTO '${path}'`), { failure: 'rejected' })
        await assert.rejects(
          run(at.db.read(level), 'WITH a AS (SELECT 1) DELETE FROM songs'),
          (error: { failure?: string; hint?: string }) =>
            error.failure === 'rejected' && !/permission/.test(error.hint ?? ''),
        )
      }
      assert.deepEqual(await readdir(folder), [])
    } finally {
      await rm(folder, { recursive: true })
    }
    assert.deepEqual(await at.rows('SELECT title FROM songs'), [{ title: 'a' }])
  })

  test('an insert that a constraint or a trigger ignored tells no id', async () => {
    await using at = await stage(subject, [
      'CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT UNIQUE ON CONFLICT IGNORE)',
      'CREATE TABLE filtered (id INTEGER PRIMARY KEY, name TEXT)',
      "CREATE TRIGGER filter BEFORE INSERT ON filtered WHEN NEW.name = 'no' BEGIN SELECT RAISE(IGNORE); END",
    ])
    await at.db.insert('tags', { name: 'rock' })
    await at.db.insert('tags', { name: 'jazz' })
    assert.equal((await at.db.insert('tags', { name: 'rock' })).id, undefined)
    await at.db.insert('filtered', { name: 'yes' })
    assert.equal((await at.db.insert('filtered', { name: 'no' })).id, undefined)
    const receipts = ['pop', 'rock', 'folk'].map((name) => at.db.insert('tags', { name }))
    const names = new Map((await at.rows('SELECT id, name FROM tags')).map(({ id, name }) => [id, name]))
    for (const [index, { id }] of (await Promise.all(receipts)).entries())
      if (id !== undefined) assert.equal(names.get(id), ['pop', 'rock', 'folk'][index])
  })

  test('every type of value is held as the affinity of its column says', async () => {
    await using at = await stage(
      subject,
      'CREATE TABLE held (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, n NUMERIC, u)',
    )
    const trips: readonly (readonly [column: string, given: Value | boolean, held: Value, type: string])[] = [
      ['i', 5, 5, 'integer'],
      ['i', 0.5, 0.5, 'real'],
      ['r', 5, 5, 'real'],
      ['t', 5, '5', 'text'],
      ['t', true, '1', 'text'],
      ['n', 5, 5, 'integer'],
      ['n', 2.5, 2.5, 'real'],
      ['n', 2n ** 60n, 2n ** 60n, 'integer'],
      ['u', 5, 5, 'integer'],
      ['u', 0.5, 0.5, 'real'],
      ['u', false, 0, 'integer'],
      ['u', '5', '5', 'text'],
    ]
    for (const [id, [column, given]] of trips.entries()) {
      at.db.insert('held', { id: id * 2, [column]: given })
      const sql = `INSERT INTO held (id, ${column}) VALUES (?, ?)`
      at.db.write({ sql, parameters: [id * 2 + 1, given] })
    }
    for (const [id, [column, , held, type]] of trips.entries())
      for (const call of [0, 1]) {
        const where = `id = ${id * 2 + call}`
        const found = await at.rows(
          `SELECT ${column} AS held, typeof(${column}) AS type FROM held WHERE ${where}`,
        )
        assert.deepEqual(found, [{ held, type }])
      }
  })

  test('every type of value finds its row by a key without a type', async () => {
    await using at = await stage(subject, 'CREATE TABLE keyed (key PRIMARY KEY, found INTEGER)')
    const keys = [
      0,
      0.5,
      2n ** 60n,
      '',
      '0',
      'ö\u0000',
      new Uint8Array([0, 1]),
      new Uint8Array(),
      true,
      new Date(0),
    ]
    for (const key of keys) at.db.insert('keyed', { key })
    const updates = keys.map((key) => at.db.update('keyed', { key }, { found: 1 }, { expect: 1 }))
    const outcomes = await Promise.all(updates.map((receipt) => receipt.outcome()))
    assert.deepEqual(new Set(outcomes.map(({ kind }) => kind)), new Set(['committed']))
    assert.equal(await at.value('SELECT count(*) FROM keyed WHERE found = 1'), keys.length)
  })

  test('law 5 · values of columns without a type come back from a dead letter as they were, and are redriven as they were', async () => {
    await using at = await stage(subject, 'CREATE TABLE held (id INTEGER PRIMARY KEY, v, w TEXT)')
    const kept = [
      5n,
      0.1,
      Number.NEGATIVE_INFINITY,
      2n ** 60n,
      -(2n ** 63n),
      '',
      'a\u0000"\\\u2028🌊{"$bigint":"1"}',
      '{"$bytes":"AAA="}',
      null,
      new Uint8Array(),
      Uint8Array.from(range(256)),
    ]
    await at.outside("CREATE TRIGGER no BEFORE INSERT ON held BEGIN SELECT RAISE(ABORT, 'not yet'); END")
    const receipts = kept.map((v, id) => at.db.insert('held', { id, v, w: v }))
    assert.deepEqual(new Set(await endings(receipts)), new Set(['trigger']))
    const letters = await at.db.deadLetters()
    assert.deepEqual(
      letters.map(({ content }) => (typeof content === 'string' ? content : content[0]?.values[1])),
      kept,
    )
    await at.outside('DROP TRIGGER no')
    const redriven = await at.db.redrive(letters.map(({ id }) => id))
    assert.deepEqual(new Set(redriven.map(({ outcome }) => outcome.kind)), new Set(['committed']))
    await at.outside('CREATE TABLE direct (id INTEGER PRIMARY KEY, v, w TEXT)')
    await at.db.reloadSchema()
    for (const [id, v] of kept.entries()) at.db.insert('direct', { id, v, w: v })
    const differing = await at.rows(
      `SELECT a.id FROM held a JOIN direct b USING (id)
       WHERE a.v IS NOT b.v OR typeof(a.v) <> typeof(b.v) OR a.w IS NOT b.w OR typeof(a.w) <> typeof(b.w)`,
    )
    assert.deepEqual([await at.value('SELECT count(*) FROM held'), differing], [kept.length, []])
  })

  test('the parameters of a read keep their types without a column to give them one', async () => {
    await using at = await stage(subject, songs)
    const text = 'SELECT ? AS t, ? AS r, ? + 1 AS i, ? AS n, ? AS b'
    const { rows } = (await run(at.db.read(), text, ['text', 1.5, 2, null, true])) as { rows: unknown }
    assert.deepEqual(rows, [{ t: 'text', r: 1.5, i: 3, n: null, b: 1 }])
  })

  test('a strict table takes its types, and rejects others as dead letters', async () => {
    await using at = await stage(
      subject,
      'CREATE TABLE strict (id INTEGER PRIMARY KEY, t TEXT, r REAL, i INTEGER, b BLOB, a ANY) STRICT',
    )
    const good = { t: 'a', r: 5, i: 5, b: new Uint8Array([1]), a: 5 }
    assert.deepEqual(await endings([at.db.insert('strict', good), at.db.insert('strict', { i: 'five' })]), [
      'committed',
      'SQLITE_CONSTRAINT_DATATYPE',
    ])
    assert.deepEqual(await at.rows('SELECT t, r, i, b, a, typeof(r) AS tr, typeof(a) AS ta FROM strict'), [
      { ...good, tr: 'real', ta: 'integer' },
    ])
  })

  test('a virtual column, and a table without rowid, are what they are elsewhere', async () => {
    await using at = await stage(subject, [
      'CREATE TABLE files (path TEXT PRIMARY KEY, hash TEXT, upper TEXT AS (upper(hash)))',
      'CREATE TABLE pairs (a INTEGER, b INTEGER, c TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID',
    ])
    assert.throws(() => at.db.insert('files', { path: 'a', upper: 'A' }), { code: 'UNKNOWN_COLUMN' })
    assert.throws(() => at.db.delete('pairs', { a: 1 }), { code: 'MISSING_KEY' })
    at.db.upsert('pairs', { a: 1, b: 1, c: 'x' })
    assert.equal((await at.db.upsert('pairs', { a: 1, b: 1, c: 'y' })).id, undefined)
    assert.deepEqual(await at.rows('SELECT * FROM pairs'), [{ a: 1, b: 1, c: 'y' }])
  })

  test('a changed schema is noticed with the next commit', async () => {
    await using at = await stage(subject, 'CREATE TABLE files (path TEXT PRIMARY KEY)')
    await at.db.insert('files', { path: 'a' })
    await at.outside('ALTER TABLE files ADD COLUMN colour TEXT')
    await at.outside('CREATE TABLE later (text TEXT)')
    await at.db.insert('files', { path: 'b' })
    at.db.insert('files', { path: 'c', colour: 'red' })
    at.db.insert('later', { text: 'a' })
    assert.deepEqual(
      await at.rows("SELECT path, colour, text FROM files LEFT JOIN later ON path = 'c' ORDER BY path"),
      [
        { path: 'a', colour: null, text: null },
        { path: 'b', colour: null, text: null },
        { path: 'c', colour: 'red', text: 'a' },
      ],
    )
  })

  test('a changed schema is noticed by a transaction too', async () => {
    await using at = await stage(subject, 'CREATE TABLE files (path TEXT PRIMARY KEY)')
    await at.outside('ALTER TABLE files ADD COLUMN colour TEXT')
    await at.db.transaction(async () => undefined)
    await at.db.insert('files', { path: 'c', colour: 'red' })
  })

  test('law 4 · a table that is gone is noticed by the write after the one that met it', async () => {
    await using at = await stage(subject, 'CREATE TABLE keyless (text TEXT)')
    await at.outside('DROP TABLE keyless')
    assert.deepEqual(await endings([at.db.insert('keyless', { text: 'gone' })]), ['bad statement'])
    assert.throws(() => at.db.insert('keyless', { text: 'gone' }), { code: 'UNKNOWN_TABLE' })
  })
}
