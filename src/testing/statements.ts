/** `write()`: one data-changing statement, from any query builder or as text. */
import assert from 'node:assert/strict'
import { sql } from 'kysely'
import type { WriteQuery } from '../index.ts'
import { endings, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = `
  CREATE TABLE songs (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT UNIQUE, plays INTEGER);
  CREATE TABLE "semi;colon" (text TEXT);
`

const accepted = [
  "INSERT INTO songs (title) VALUES ('a;b')",
  "INSERT INTO songs (title) VALUES ('it''s; so')",
  "INSERT INTO songs (title) VALUES ('-- not; a comment')",
  `INSERT INTO "semi;colon" VALUES (';')`,
  'INSERT INTO `semi;colon` VALUES (char(59))',
  'INSERT INTO [semi;colon] VALUES (char(59))',
  "  /* first; */ -- second;\n insert into songs (title) values ('lower case') -- last;",
  "INSERT INTO songs (title) VALUES ('with an end');",
  "INSERT INTO songs (title) VALUES ('with ends') ; ; -- and a comment\n /* and another",
  "REPLACE INTO songs (id, title) VALUES (1, 'replaced')",
  "WITH new (title) AS (VALUES ('by name')) INSERT INTO songs (title) SELECT title FROM new",
  "UPDATE songs SET title = title || '/*' WHERE title = '*/'",
  'DELETE FROM songs WHERE plays > 5 RETURNING id, title',
]

const refused = [
  '',
  ' ;; -- nothing',
  'BEGIN',
  'begin immediate',
  '/* hidden */ BEGIN',
  '-- hidden\nCOMMIT',
  'ROLLBACK',
  'END',
  'SAVEPOINT a',
  'RELEASE a',
  'PRAGMA journal_mode = DELETE',
  "ATTACH 'other.db' AS other",
  'DETACH other',
  'VACUUM',
  'ANALYZE',
  'REINDEX',
  'CREATE TABLE more (id INTEGER)',
  'DROP TABLE songs',
  'ALTER TABLE songs ADD COLUMN more TEXT',
  'SELECT * FROM songs',
  'VALUES (1)',
  'EXPLAIN DELETE FROM songs',
  "INSERT INTO songs (title) VALUES ('a'); DELETE FROM songs",
  "INSERT INTO songs (title) VALUES ('a');COMMIT",
  "INSERT INTO songs (title) VALUES ('a') /* ; */ ; -- ;\n DELETE FROM songs",
  "INSERT INTO songs (title) VALUES ('a'';'); BEGIN",
]

export const statements: Topic = (subject, test) => {
  test('Kysely queries are written', async () => {
    await using at = await stage(subject, tables)
    const kysely = at.db.read()
    at.db.write(kysely.insertInto('songs').values({ title: 'a', plays: 1 }))
    at.db.write(kysely.insertInto('songs').values([{ title: 'b' }, { title: 'c' }]))
    at.db.write(
      kysely
        .insertInto('songs')
        .values({ title: 'a' })
        .onConflict((conflict) => conflict.column('title').doUpdateSet({ plays: 10 })),
    )
    at.db.write(kysely.updateTable('songs').set({ plays: 5 }).where('title', '=', 'b').returning('id'))
    at.db.write(kysely.deleteFrom('songs').where('title', '=', 'c'))
    at.db.write(sql`UPDATE songs SET plays = plays + ${1}`.compile(kysely))
    assert.deepEqual(await at.rows('SELECT title, plays FROM songs ORDER BY id'), [
      { title: 'a', plays: 11 },
      { title: 'b', plays: 6 },
    ])
  })

  test('a query with toSQL(), as Drizzle has it, and plain text with parameters are written', async () => {
    await using at = await stage(subject, tables)
    const { changes } = await at.db.write({
      toSQL: () => ({ sql: 'INSERT INTO songs (title) VALUES (?), (?)', params: ['a', 'b'] }),
    })
    assert.equal(changes, 2)
    at.db.write({
      sql: 'UPDATE songs SET plays = ?2, title = upper(?1) WHERE title = ?1',
      parameters: ['b', 3],
    })
    assert.deepEqual(await at.rows('SELECT title, plays FROM songs ORDER BY id'), [
      { title: 'a', plays: null },
      { title: 'B', plays: 3 },
    ])
  })

  test('a statement tells how many rows it changed', async () => {
    await using at = await stage(subject, tables)
    const insert = { sql: 'INSERT INTO songs (plays) VALUES (1), (1), (2) RETURNING id', parameters: [] }
    assert.equal((await at.db.write(insert)).changes, 3)
    assert.equal(
      (await at.db.write({ sql: 'UPDATE songs SET plays = 3 WHERE plays = 1', parameters: [] })).changes,
      2,
    )
    assert.equal((await at.db.write({ sql: 'DELETE FROM songs WHERE plays = 1', parameters: [] })).changes, 0)
  })

  test('one statement with comments, quoted semicolons or an end of its own is written', async () => {
    await using at = await stage(subject, tables)
    const receipts = accepted.map((text) => at.db.write({ sql: text, parameters: [] }))
    assert.deepEqual(new Set(await endings(receipts)), new Set(['committed']))
  })

  test('law 3 · transaction control, pragmas, schema changes, reads and two statements in one are refused at the call', async () => {
    await using at = await stage(subject, tables)
    for (const text of refused)
      assert.throws(() => at.db.write({ sql: text, parameters: [] }), { code: 'BAD_STATEMENT' }, text)
    assert.throws(() => at.db.atomic((group) => group.write({ sql: 'COMMIT', parameters: [] })), {
      code: 'BAD_STATEMENT',
    })
    assert.throws(() => at.db.write(at.db.read().selectFrom('songs').selectAll()), { code: 'BAD_STATEMENT' })
    assert.equal(at.db.stats().queued.operations, 0)
    assert.equal((await at.db.insert('songs', { title: 'a' })).position.seq, 1)
  })

  test('law 3 · no statement touches the tables that carry the laws', async () => {
    await using at = await stage(subject, tables)
    await at.db.insertMany('songs', [{ title: 'a' }], {
      atomic: false,
      checkpoint: { source: 's', value: 1 },
    })
    const attempts = [
      'UPDATE tidemark_writers SET watermark = 0',
      "UPDATE main.Tidemark_Writers SET closed = 1 WHERE 'a' = 'a'",
      'DELETE FROM "tidemark_checkpoints"',
      'DELETE FROM tidemark_dead_letters',
      "REPLACE INTO tidemark_checkpoints VALUES ('s', '2', 1)",
      'WITH a AS (SELECT 1) DELETE FROM tidemark_writers',
    ]
    const ended = await endings(attempts.map((text) => at.db.write({ sql: text, parameters: [] })))
    assert.deepEqual(new Set(ended), new Set(['SQLITE_AUTH']))
    for (const table of ['tidemark_writers', 'tidemark_dead_letters', 'tidemark_checkpoints'])
      assert.throws(() => at.db.insert(table, { source: 'x' }), { code: 'UNKNOWN_TABLE' })
    assert.equal(await at.db.checkpoint('s'), 1)
    await at.db.insert('songs', { title: 'b' })
  })

  test('law 4 · what only the store can know to be wrong becomes a dead letter, and its neighbours are committed', async () => {
    await using at = await stage(subject, tables)
    const receipts = [
      at.db.insert('songs', { title: 'before' }),
      at.db.write({ sql: 'INSERT INTO nowhere VALUES (1)', parameters: [] }),
      at.db.write({ sql: 'INSERT INTO songs (colour) VALUES (1)', parameters: [] }),
      at.db.write({ sql: "INSERT INTO songs (title) VALUES ('unfinished", parameters: [] }),
      at.db.write({ sql: 'INSERT INTO songs VALUES', parameters: [] }),
      at.db.write({ sql: 'INSERT INTO songs (title) VALUES (?)', parameters: ['one', 'too many'] }),
      at.db.insert('songs', { title: 'after' }),
    ]
    const [before, ...rest] = await endings(receipts)
    assert.deepEqual([before, rest.pop()], ['committed', 'committed'])
    assert.ok(
      rest.every((ending) => ending.startsWith('SQLITE_')),
      rest.join(', '),
    )
    assert.equal(await at.value('SELECT count(*) FROM songs'), 2)
  })

  test('law 5 · a statement with too few parameters is refused; it does not write NULL for them', async () => {
    await using at = await stage(subject, tables)
    const receipt = at.db.write({ sql: 'INSERT INTO songs (title, plays) VALUES (?, ?)', parameters: ['a'] })
    assert.notDeepEqual(await endings([receipt]), ['committed'])
    assert.equal(await at.value('SELECT count(*) FROM songs'), 0)
  })

  test('a WITH that only reads is refused: it could only tell another statement’s changes', async () => {
    await using at = await stage(subject, tables)
    at.db.write({ sql: 'INSERT INTO songs (plays) VALUES (1), (2), (3)', parameters: [] })
    const reading = at.db.write({ sql: 'WITH a AS (SELECT 1) SELECT * FROM a', parameters: [] })
    assert.notDeepEqual(await endings([reading]), ['committed'])
  })

  test('what is no query at all is refused at the call', async () => {
    await using at = await stage(subject, tables)
    const wrong = [
      undefined,
      null,
      'DELETE FROM songs',
      {},
      { sql: 5, parameters: [] },
      { sql: 'DELETE FROM songs' },
    ]
    for (const query of wrong)
      assert.throws(() => at.db.write(query as unknown as WriteQuery), { code: 'INVALID_CALL' })
    for (const expect of [-1, 1.5, Number.NaN])
      assert.throws(() => at.db.write({ sql: 'DELETE FROM songs', parameters: [] }, { expect }), {
        code: 'INVALID_CALL',
      })
    for (const value of [Symbol('a'), () => 1, Number.NaN, 2n ** 64n, '\ud800', undefined])
      assert.throws(() => at.db.write({ sql: 'UPDATE songs SET title = ?', parameters: [value] }), {
        code: 'UNBINDABLE_VALUE',
      })
    assert.equal((await at.db.insert('songs', { title: 'a' })).position.seq, 1)
  })
}
