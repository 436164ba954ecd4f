/** What the schema refuses at the call, and what happens when the tables change while an engine is open. */
import assert from 'node:assert/strict'
import { sqlDialects } from './sql.ts'
import { endings, range, stage, type AnyTidemark } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = [
  `CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER, hash TEXT, doubled INTEGER GENERATED ALWAYS AS (size * 2) STORED)`,
  'CREATE TABLE pairs (a INTEGER, b INTEGER, c TEXT, PRIMARY KEY (a, b))',
  'CREATE TABLE keyless (text TEXT)',
  'CREATE VIEW small AS SELECT * FROM files WHERE size < 10',
]

type Call = (db: AnyTidemark) => unknown

const circular: { self?: unknown } = {}
circular.self = circular

const nestedBigint: Call = (db) => db.insert('files', { path: 'a', hash: { big: 1n } })

const wrongCalls: Record<string, readonly Call[]> = {
  UNKNOWN_TABLE: [
    (db) => db.insert('nowhere', { a: 1 }),
    (db) => db.upsert('nowhere', { a: 1 }),
    (db) => db.update('nowhere', { a: 1 }, { b: 1 }),
    (db) => db.delete('nowhere', { a: 1 }),
    (db) => db.insertMany('nowhere', [{ a: 1 }]),
    (db) => db.insert('FILES', { path: 'a' }),
    (db) => db.insert('small', { path: 'a' }),
    (db) => db.insert('sqlite_schema', { name: 'a' }),
    (db) => db.insert('pg_class', { relname: 'a' }),
    (db) => db.insert('tidemark_writers', { epoch: 99 }),
    (db) => db.insert('toString', { a: 1 }),
  ],
  UNKNOWN_COLUMN: [
    (db) => db.insert('files', { path: 'a', colour: 'red' }),
    (db) => db.upsert('files', { path: 'a', colour: 'red' }),
    (db) => db.update('files', { path: 'a' }, { colour: 'red' }),
    (db) => db.update('files', { path: 'a', colour: 'red' }, { size: 1 }),
    (db) => db.delete('files', { path: 'a', colour: 'red' }),
    (db) => db.insert('files', { path: 'a', constructor: 1 }),
    // Computed by the database.
    (db) => db.insert('files', { path: 'a', doubled: 1 }),
    (db) => db.update('files', { path: 'a' }, { doubled: 2 }),
  ],
  MISSING_KEY: [
    (db) => db.upsert('files', { size: 1 }),
    (db) => db.update('files', { size: 1 }, { hash: 'x' }),
    (db) => db.delete('files', { hash: 'x' }),
    (db) => db.update('pairs', { a: 1 }, { c: 'x' }),
    (db) => db.delete('pairs', {}),
    (db) => db.upsert('keyless', { text: 'a' }),
    (db) => db.update('keyless', { text: 'a' }, { text: 'b' }),
    (db) => db.delete('keyless', { text: 'a' }),
    (db) => db.delete('files', { path: undefined }),
    (db) => db.update('files', { path: 'a', hash: undefined }, { size: 1 }),
  ],
  EMPTY_OPERATION: [
    (db) => db.insert('files', {}),
    (db) => db.insert('files', { path: undefined }),
    (db) => db.upsert('files', {}),
    (db) => db.update('files', { path: 'a' }, {}),
    (db) => db.update('files', { path: 'a' }, { size: undefined }),
  ],
  INVALID_CALL: [
    ...[null, undefined, 5, 'text', ['a']].map(
      (row): Call =>
        (db) =>
          db.insert('files', row as never),
    ),
    (db) => db.update('files', null as never, { size: 1 }),
    (db) => db.update('files', { path: 'a' }, [1] as never),
    (db) => db.delete('files', 'a' as never),
    (db) => db.update('files', { path: 'a' }, { size: 1 }, { expect: 0.5 }),
    (db) => db.delete('files', { path: 'a' }, { expect: -1 }),
  ],
  UNBINDABLE_VALUE: [
    ...[
      () => 1,
      Symbol('a'),
      Number.NaN,
      '\ud800',
      'half \udc00 pair',
      2n ** 63n,
      -(2n ** 63n) - 1n,
      circular,
      new Date(Number.NaN),
      { toJSON: () => undefined },
      new Map([['a', 1]]),
      new Set(['a']),
      Promise.resolve('a'),
    ].flatMap((value): Call[] => [
      (db) => db.insert('files', { path: 'a', hash: value }),
      (db) => db.upsert('files', { path: 'a', size: value }),
      (db) => db.update('files', { path: 'a' }, { size: value }),
      (db) => db.delete('files', { path: value }),
      (db) => db.atomic((group) => group.insert('files', { path: 'b', hash: value })),
    ]),
    (db) => db.insert('keyless', { text: Number.NaN }),
    nestedBigint,
  ],
}

export const schema: Topic = (subject, test, onlyFor) => {
  for (const [code, calls] of Object.entries(wrongCalls)) {
    test(`law 1 · ${code} is thrown at the call, and nothing is queued`, async () => {
      await using at = await stage(subject, tables)
      for (const [index, call] of calls.entries()) {
        // Documents hold bigints wherever they are.
        if (subject.dialect === 'surrealql' && call === nestedBigint) continue
        assert.throws(
          () => call(at.db),
          (error: Error & { code?: string }) => {
            assert.equal(error.name, 'InvalidOperationError', `call ${index}: ${error.stack}`)
            assert.equal(error.code, code, `call ${index}: ${error.message}`)
            assert.match(error.message, /^tidemark: .*Nothing was queued\.$/s)
            return true
          },
          `call ${index} was accepted`,
        )
      }
      assert.equal(at.db.stats().queued.operations, 0)
      assert.equal((await at.db.insert('files', { path: 'a' })).position.seq, 1)
      assert.equal(await at.value('SELECT count(*) FROM files'), 1)
    })
  }

  test('law 1 · a refused call between good ones leaves no trace in their run', async () => {
    await using at = await stage(subject, tables)
    for (const size of range(20)) {
      at.db.insert('files', { path: `p${size}`, size, hash: 'x' })
      assert.throws(() => at.db.insert('files', { path: 'bad', size, hash: Number.NaN }))
      assert.throws(() => at.db.insert('files', { path: 'bad', size: Symbol('x'), hash: 'x' }))
      assert.throws(() => at.db.insert('files', { path: 'bad', size, colour: 'red' }))
      assert.throws(() => at.db.update('files', { path: 'bad', hash: undefined }, { size }))
    }
    const expected = range(20).map((size) => ({ path: `p${size}`, size, hash: 'x' }))
    assert.deepEqual(await at.rows('SELECT path, size, hash FROM files ORDER BY size'), expected)
  })

  test('law 1 · a write made by a getter or toJSON of another one’s row mixes nothing', async () => {
    await using at = await stage(subject, tables)
    const { db } = at
    const inner: Call[] = [
      () => db.insert('files', { path: 'inner', hash: 'inner' }),
      () => db.insertMany('files', [{ path: 'inner many', hash: 'inner' }]),
      () => db.insert('keyless', { text: 'inner' }),
    ]
    for (const [index, write] of inner.entries()) {
      const outer = { path: `outer ${index}`, hash: { toJSON: () => (write(db), 'outer') } }
      for (const call of [
        () => db.insert('files', { path: `before ${index}`, hash: 'before' }),
        () => db.insert('files', outer),
        () => db.atomic((group) => group.insert('files', { ...outer, path: `grouped ${index}` })),
        () => db.insert('files', { path: `after ${index}`, hash: 'after' }),
      ]) {
        try {
          call()
        } catch (error) {
          assert.equal((error as Error).name, 'InvalidOperationError')
        }
      }
    }
    for (const { path, hash } of await at.rows('SELECT path, hash FROM files')) {
      const [first] = String(path).split(' ')
      assert.equal(String(hash).replaceAll('"', ''), first === 'grouped' ? 'outer' : first, String(path))
    }
    assert.equal(
      await at.value("SELECT count(*) FROM files WHERE path LIKE 'before%' OR path LIKE 'after%'"),
      6,
    )
    assert.equal(at.db.stats().queued.operations, 0)
  })

  test('an error of the schema names what there is', async () => {
    await using at = await stage(subject, tables)
    assert.throws(() => at.db.insert('file', { path: 'a' }), /no table "file" \(tables: .*files.*pairs/)
    assert.throws(
      () => at.db.insert('files', { colour: 1 }),
      /no column "colour" in table "files" \(columns: (?:path, size|doubled, hash)/,
    )
    assert.throws(() => at.db.delete('pairs', { a: 1 }), /table "pairs" needs "b" of its primary key/)
  })

  test('tables and columns made while the engine is open are known after reloadSchema()', async () => {
    await using at = await stage(subject, tables)
    await at.outside('CREATE TABLE later (id INTEGER PRIMARY KEY, text TEXT)')
    await at.outside('ALTER TABLE files ADD COLUMN colour TEXT')
    assert.throws(() => at.db.insert('later', { text: 'a' }), { code: 'UNKNOWN_TABLE' })
    assert.throws(() => at.db.insert('files', { path: 'a', colour: 'red' }), { code: 'UNKNOWN_COLUMN' })
    await at.db.reloadSchema()
    assert.equal((await at.db.insert('later', { text: 'a' })).id, 1)
    await at.db.insert('files', { path: 'a', colour: 'red' })
    assert.deepEqual(await at.rows('SELECT path, colour FROM files'), [{ path: 'a', colour: 'red' }])
  })

  if (subject.commits === 'async') {
    test('law 4 · writes whose table or column is gone when they are committed become dead letters, others are committed', async () => {
      await using at = await stage(subject, tables)
      await at.outside('DROP TABLE keyless')
      await at.outside('ALTER TABLE pairs DROP COLUMN c')
      const late = [
        at.db.insert('keyless', { text: 'gone' }),
        at.db.insert('files', { path: 'b', hash: 'x' }),
        at.db.insert('pairs', { a: 2, b: 1, c: 'gone' }),
        at.db.insertMany('keyless', [{ text: 'gone' }]),
        at.db.insert('pairs', { a: 2, b: 2 }),
      ]
      const bad = 'bad statement'
      assert.deepEqual(await endings(late), [bad, 'committed', bad, bad, 'committed'])
      assert.equal((await at.db.deadLetters()).length, 3)
      await at.db.reloadSchema()
      assert.throws(() => at.db.insert('keyless', { text: 'gone' }), { code: 'UNKNOWN_TABLE' })
    })
  }

  onlyFor(
    sqlDialects,
    'a table that was dropped and made anew, with other columns, is written to',
    async () => {
      await using at = await stage(subject, tables)
      await at.db.insert('keyless', { text: 'a' })
      await at.outside('DROP TABLE keyless')
      await at.outside('CREATE TABLE keyless (id INTEGER PRIMARY KEY, text TEXT, more TEXT)')
      assert.deepEqual(await endings([at.db.insert('keyless', { text: 'b' })]), ['committed'])
      await at.db.reloadSchema()
      assert.deepEqual((await at.db.insert('keyless', { text: 'c', more: 'd' })).id, 2)
      await at.db.update('keyless', { id: 2 }, { more: 'e' }, { expect: 1 })
    },
  )
}
