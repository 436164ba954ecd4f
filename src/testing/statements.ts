/** `write()`: one data-changing statement, from any query builder or as text. */
import assert from 'node:assert/strict'
import { sql as kyselySql } from 'kysely'
import type { Dialect, WriteQuery } from '../index.ts'
import { sqlDialects } from './sql.ts'
import { endings, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = [
  'CREATE TABLE songs (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT UNIQUE, plays INTEGER)',
  'CREATE TABLE "semi;colon" (text TEXT)',
]

const accepted = [
  "INSERT INTO songs (title) VALUES ('a;b')",
  "INSERT INTO songs (title) VALUES ('it''s; so')",
  "INSERT INTO songs (title) VALUES ('-- not; a comment')",
  `INSERT INTO "semi;colon" VALUES (';')`,
  "  /* first; */ -- second;\n insert into songs (title) values ('lower case') -- last;",
  "INSERT INTO songs (title) VALUES ('with an end');",
  "UPDATE songs SET title = concat(title, '/*') WHERE title = '*/'",
  'DELETE FROM songs WHERE plays > 5',
]

const acceptedToo: Readonly<Record<Dialect, readonly string[]>> = {
  sqlite: [
    'INSERT INTO `semi;colon` VALUES (char(59))',
    'INSERT INTO [semi;colon] VALUES (char(59))',
    "INSERT INTO songs (title) VALUES ('with ends') ; ; -- and a comment\n /* and another",
    "REPLACE INTO songs (id, title) VALUES (1, 'replaced')",
    "WITH new (title) AS (VALUES ('by name')) INSERT INTO songs (title) SELECT title FROM new",
    'DELETE FROM songs WHERE plays > 5 RETURNING id, title',
  ],
  postgres: [
    "INSERT INTO songs (title) VALUES ($$a; 'b$$), ($tag$a $$; b$tag$)",
    "INSERT INTO songs (title) VALUES (E'that\\'s; so'), ('back\\')",
    "INSERT INTO songs (title) /* a /* nested */ comment */ VALUES ('nested')",
    "WITH new (title) AS (VALUES ('by name')) INSERT INTO songs (title) SELECT title FROM new",
    'DELETE FROM songs WHERE plays > 5 RETURNING id, title',
  ],
  mysql: [
    "INSERT INTO songs (title) VALUES ('that\\'s; so'), (\"double; quoted\")",
    "INSERT INTO songs (title) VALUES ('hash') # a comment; of its own",
    "INSERT INTO songs (title) WITH fresh AS (SELECT 'by name' AS title) SELECT title FROM fresh",
    "REPLACE INTO songs (id, title) VALUES (1, 'replaced')",
  ],
  surrealql: [
    "INSERT INTO songs { id: 50, title: 'it\\'s; so' }",
    "CREATE songs:51 SET title = 'with ends' ; ; -- and a comment\n /* and another */",
    "UPSERT songs:52 CONTENT { title: 'an object; of its own' } RETURN NONE",
    'DELETE songs:53 RETURN BEFORE',
  ],
}

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

/** What hides a second statement, or is no change of data, in the words of one dialect. */
const refusedToo: Readonly<Record<Dialect, readonly string[]>> = {
  sqlite: [],
  postgres: [
    'COPY songs FROM STDIN',
    'TRUNCATE songs',
    "INSERT INTO songs (title) VALUES ('back\\'); DELETE FROM songs; --')",
    'INSERT INTO songs (title) VALUES ($$a$$); DELETE FROM songs; --$$)',
  ],
  mysql: [
    'TRUNCATE TABLE songs',
    'LOCK TABLES songs WRITE',
    "INSERT INTO songs (title) VALUES ('it\\'s'); DELETE FROM songs; -- ')",
  ],
  surrealql: ['REMOVE TABLE songs', 'DEFINE TABLE more', "CREATE songs SET title = 'it\\'s'; DELETE songs"],
}

const attempts = [
  'UPDATE tidemark_writers SET watermark = 0',
  "UPDATE Tidemark_Writers SET closed = 1 WHERE 'a' = 'a'",
  'DELETE FROM "tidemark_checkpoints"',
  'DELETE FROM tidemark_dead_letters',
  "INSERT INTO tidemark_checkpoints VALUES ('s', '2', 1)",
  'WITH a AS (SELECT 1) DELETE FROM tidemark_writers',
]
const attemptsInSurrealQl = [
  'UPDATE tidemark_writers SET watermark = 0',
  'DELETE `tidemark_checkpoints`',
  'DELETE ⟨tidemark_dead_letters⟩',
  "CREATE type::record('tidemark_checkpoints', 's') SET `value` = '2'",
  'UPSERT songs:1 SET n = (UPDATE tidemark_writers SET closed = 1)',
]

export const statements: Topic = (subject, test, onlyFor) => {
  onlyFor(sqlDialects, 'Kysely queries are written', async () => {
    await using at = await stage(subject, tables)
    const kysely = at.db.read()
    at.db.write(kysely.insertInto('songs').values({ title: 'a', plays: 1 }))
    at.db.write(kysely.insertInto('songs').values([{ title: 'b' }, { title: 'c' }]))
    const again = kysely.insertInto('songs').values({ title: 'a' })
    at.db.write(
      subject.dialect === 'mysql'
        ? again.onDuplicateKeyUpdate({ plays: 10 })
        : again.onConflict((conflict) => conflict.column('title').doUpdateSet({ plays: 10 })),
    )
    at.db.write(kysely.updateTable('songs').set({ plays: 5 }).where('title', '=', 'b'))
    at.db.write(kysely.deleteFrom('songs').where('title', '=', 'c'))
    at.db.write(kyselySql`UPDATE songs SET plays = plays + ${1}`.compile(kysely))
    assert.deepEqual(await at.rows('SELECT title, plays FROM songs ORDER BY id'), [
      { title: 'a', plays: 11 },
      { title: 'b', plays: 6 },
    ])
  })

  test('a query with toSQL(), as Drizzle has it, and plain text with parameters are written', async () => {
    await using at = await stage(subject, tables)
    const two = at.sql('INSERT INTO songs (title) VALUES (?), (?)')
    const { changes } = await at.db.write({ toSQL: () => ({ sql: two, params: ['a', 'b'] }) })
    assert.equal(changes, 2)
    at.db.write({ sql: at.sql('UPDATE songs SET plays = ? WHERE title = ?'), parameters: [3, 'b'] })
    assert.deepEqual(await at.rows('SELECT title, plays FROM songs ORDER BY id'), [
      { title: 'a', plays: null },
      { title: 'b', plays: 3 },
    ])
  })

  onlyFor(['sqlite', 'postgres'], 'numbered parameters are used as often as they are named', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { title: 'b' })
    const mark = subject.dialect === 'sqlite' ? '?' : '$'
    const text = `UPDATE songs SET plays = ${mark}2, title = ${mark}1 WHERE title <> ${mark}1`
    at.db.write({ sql: text, parameters: ['c', 3] })
    assert.deepEqual(await at.rows('SELECT title, plays FROM songs'), [{ title: 'c', plays: 3 }])
  })

  test('a statement tells how many rows it changed', async () => {
    await using at = await stage(subject, tables)
    const insert = 'INSERT INTO songs (plays) VALUES (1), (1), (2)'
    assert.equal((await at.db.write({ sql: insert, parameters: [] })).changes, 3)
    assert.equal(
      (await at.db.write({ sql: 'UPDATE songs SET plays = 3 WHERE plays = 1', parameters: [] })).changes,
      2,
    )
    assert.equal((await at.db.write({ sql: 'DELETE FROM songs WHERE plays = 1', parameters: [] })).changes, 0)
  })

  onlyFor(['sqlite', 'postgres'], 'a statement that returns rows tells how many it changed', async () => {
    await using at = await stage(subject, tables)
    const insert = 'INSERT INTO songs (plays) VALUES (1), (1), (2) RETURNING id'
    assert.equal((await at.db.write({ sql: insert, parameters: [] })).changes, 3)
    const remove = 'DELETE FROM songs WHERE plays = 1 RETURNING id'
    assert.equal((await at.db.write({ sql: remove, parameters: [] })).changes, 2)
  })

  test('one statement with comments, quoted semicolons or an end of its own is written', async () => {
    await using at = await stage(subject, tables)
    const shared = subject.dialect === 'surrealql' ? [] : accepted
    const texts = [...shared.map((text) => at.sql(text)), ...acceptedToo[subject.dialect]]
    const ended = await endings(texts.map((text) => at.db.write({ sql: text, parameters: [] })))
    const wrong = texts.filter((_, index) => ended[index] !== 'committed')
    assert.deepEqual(wrong, [], ended.join(', '))
  })

  test('law 3 · transaction control, pragmas, schema changes, reads and two statements in one are refused at the call', async () => {
    await using at = await stage(subject, tables)
    // There, CREATE makes a record.
    const shared = refused.filter((text) => subject.dialect !== 'surrealql' || !text.startsWith('CREATE'))
    for (const text of [...shared, ...refusedToo[subject.dialect]])
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
    for (const text of subject.dialect === 'surrealql' ? attemptsInSurrealQl : attempts) {
      const [ended] = await endings([at.db.write({ sql: at.sql(text), parameters: [] })])
      assert.notEqual(ended, 'committed', text)
    }
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
      at.db.write({ sql: 'INSERT INTO songs VALUES (', parameters: [] }),
      at.db.insert('songs', { title: 'after' }),
    ]
    const bad = 'bad statement'
    assert.deepEqual(await endings(receipts), ['committed', bad, bad, bad, 'committed'])
    assert.equal(await at.value('SELECT count(*) FROM songs'), 2)
  })

  test('law 5 · a statement with too few or too many parameters is refused; none is made up or left out', async () => {
    await using at = await stage(subject, tables)
    const sql = at.sql('INSERT INTO songs (title, plays) VALUES (?, ?)')
    for (const parameters of [[], ['a'], ['a', 1, 'too many']]) {
      const { kind } = await at.db.write({ sql, parameters }).outcome()
      assert.equal(kind, 'rejected', `${parameters.length} parameters`)
    }
    assert.equal(await at.value('SELECT count(*) FROM songs'), 0)
  })

  onlyFor(
    sqlDialects,
    'a WITH that only reads is refused: it could only tell another statement’s changes',
    async () => {
      await using at = await stage(subject, tables)
      at.db.write({ sql: 'INSERT INTO songs (plays) VALUES (1), (2), (3)', parameters: [] })
      const reading = at.db.write({ sql: 'WITH a AS (SELECT 1) SELECT * FROM a', parameters: [] })
      assert.notDeepEqual(await endings([reading]), ['committed'])
    },
  )

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
      assert.throws(() => at.db.write({ sql: at.sql('UPDATE songs SET title = ?'), parameters: [value] }), {
        code: 'UNBINDABLE_VALUE',
      })
    assert.equal((await at.db.insert('songs', { title: 'a' })).position.seq, 1)
  })

  onlyFor(
    ['sqlite'],
    'law 5 · a statement with a named parameter, which would be NULL, becomes a dead letter',
    async () => {
      await using at = await stage(subject, ['CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)'])
      await at.db.insert('t', { id: 1, v: 'a' })
      for (const parameters of [[], [1]])
        assert.notDeepEqual(await endings([at.db.write({ sql: 'UPDATE t SET v = :a', parameters })]), [
          'committed',
        ])
      assert.deepEqual(await at.rows('SELECT v FROM t'), [{ v: 'a' }])
    },
  )
}
