/** Reads mean what they say, and change nothing. */
import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { NotSupportedError } from '../index.ts'
import { sqlDialects } from './sql.ts'
import { endings, foreverMs, range, rowsOf, run, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = [
  'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL, plays INTEGER, cover BLOB)',
  'CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT)',
]
const lingering = { batch: { lingerMs: foreverMs } }

export const reads: Topic = (subject, test, onlyFor) => {
  const count = 'SELECT count(*) AS count FROM songs'

  test('law 6 · an eventual read gives what is committed and does not wait for what is pending', async () => {
    await using at = await stage(subject, tables, lingering)
    await at.db.insert('songs', { title: 'committed' })
    at.db.insert('songs', { title: 'pending' })
    const isSync = subject.commits === 'sync'
    assert.deepEqual(await rowsOf(at.db, count, 'eventual'), [{ count: isSync ? 2 : 1 }])
  })

  // SPEC S0.2
  test('law 6 · a strong read gives everything accepted before it', async () => {
    await using at = await stage(subject, tables, lingering)
    for (const index of range(50)) {
      at.db.insert('songs', { title: `song ${index}` })
      assert.deepEqual(await rowsOf(at.db, count), [{ count: index + 1 }])
    }
  })

  test('law 6 · strong reads at the same time see each what was accepted before its call', async () => {
    await using at = await stage(subject, tables, { batch: { maxOperations: 7 } })
    const seen = range(100).map((index) => {
      at.db.insert('songs', { title: `song ${index}` })
      return rowsOf(at.db, count)
    })
    for (const [index, [row]] of (await Promise.all(seen)).entries())
      assert.ok(Number(row?.['count']) >= index + 1, `read ${index} saw ${row?.['count']}`)
  })

  test('law 6 · a strong read gives what other engines had committed', async () => {
    await using at = await stage(subject, tables)
    const other = await at.open()
    for (const index of range(20)) {
      await other.insert('songs', { title: `song ${index}` })
      assert.deepEqual(await rowsOf(at.db, count), [{ count: index + 1 }])
    }
  })

  test('law 6 · a strong read is not held up by rejected writes', async () => {
    await using at = await stage(subject, tables)
    at.db.insert('songs', { title: null })
    at.db.insert('songs', { title: 'good' })
    assert.deepEqual(await rowsOf(at.db, count), [{ count: 1 }])
  })

  test('law 6 · a strong read fails when the engine stopped with something pending', async () => {
    await using at = await stage(subject, tables, { writer: 'own', ...lingering })
    await at.open({ writer: 'own' })
    at.db.insert('songs', { title: 'never committed' })
    await assert.rejects(rowsOf(at.db, count), { code: 'FENCED' })
  })

  onlyFor(
    sqlDialects,
    'integers arrive exactly: as numbers where those are exact, else as bigint',
    async () => {
      await using at = await stage(subject, tables)
      const exact = [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
      const big = [2n ** 53n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)]
      for (const plays of [...exact, ...big]) at.db.insert('songs', { title: 'a', plays })
      const found = await at.db.read('strong').selectFrom('songs').select('plays').orderBy('id').execute()
      assert.deepEqual(
        found.map(({ plays }) => plays),
        [...exact, ...big],
      )
      const last = 2n ** 63n - 1n
      const [row] = await at.db.read().selectFrom('songs').select('plays').where('plays', '=', last).execute()
      assert.deepEqual(row, { plays: last })
    },
  )

  onlyFor(sqlDialects, 'a read is a real Kysely: joins, parameters, aggregates, raw SQL', async () => {
    await using at = await stage(subject, tables)
    at.db.insert('artists', { id: 1, name: 'A' })
    for (const plays of range(5))
      at.db.insert('songs', { title: `song ${plays}`, plays, cover: new Uint8Array([plays]) })
    const db = at.db.read('strong')
    const joined = await db
      .selectFrom('songs')
      .innerJoin('artists', (join) => join.onTrue())
      .select(['title', 'cover', 'name'])
      .where('plays', '>', 2)
      .where('title', '!=', 'x')
      .orderBy('plays', 'desc')
      .limit(1)
      .execute()
    assert.deepEqual(joined, [{ title: 'song 4', cover: new Uint8Array([4]), name: 'A' }])
    const most = await db
      .selectFrom('songs')
      .select((eb) => eb.fn.max('plays').as('most'))
      .executeTakeFirst()
    assert.deepEqual(most, { most: 4 })
    const { rows } =
      await sql`SELECT title, plays + 1 AS next FROM songs WHERE plays < ${2} AND title <> ${'song 0'}`.execute(
        db,
      )
    assert.deepEqual(rows, [{ title: 'song 1', next: 2 }])
  })

  test('law 3 · a read writes nothing: whatever would change the database is refused', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { id: 1, title: 'a' })
    const refused = [
      "INSERT INTO songs (title) VALUES ('b')",
      "INSERT INTO songs (title) VALUES ('b') RETURNING id",
      "UPDATE songs SET title = 'b'",
      'DELETE FROM songs',
      'CREATE TABLE more (id INTEGER)',
      'DROP TABLE songs',
      'UPDATE tidemark_writers SET watermark = 1000',
      'PRAGMA user_version = 5',
      "ATTACH ':memory:' AS other",
    ]
    for (const level of ['eventual', 'strong'] as const)
      for (const text of refused)
        await assert.rejects(run(at.db.read(level), text), { code: 'STORE_FAILED' }, text)
    assert.deepEqual(await at.rows('SELECT id, title FROM songs'), [{ id: 1, title: 'a' }])
    assert.deepEqual(await endings([at.db.insert('songs', { title: 'b' })]), ['committed'])
  })

  test('law 3 · a read that would write is refused as the query that it is, and the engine goes on', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { id: 1, title: 'a' })
    for (const level of ['eventual', 'strong'] as const)
      await assert.rejects(run(at.db.read(level), 'DELETE FROM songs'), {
        failure: 'rejected',
        message: /a read cannot DELETE/,
      })
    assert.deepEqual(await rowsOf(at.db, count), [{ count: 1 }])
  })

  test('law 3 · a read of more than one statement is refused', async () => {
    await using at = await stage(subject, tables)
    for (const level of ['eventual', 'strong'] as const)
      for (const text of ['SELECT 1; SELECT 2', `${count}; DELETE FROM songs`])
        await assert.rejects(run(at.db.read(level), text), {
          failure: 'rejected',
          message: /more than one statement/,
        })
    await at.db.insert('songs', { title: 'a' })
    assert.deepEqual(await rowsOf(at.db, `${count}; -- and no more`), [{ count: 1 }])
  })

  test('law 6 · a read that is given too few parameters, or too many, is refused', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { id: 1, title: 'a' })
    const text = at.sql('SELECT id FROM songs WHERE title = ? AND id < ?')
    for (const level of ['eventual', 'strong'] as const) {
      for (const parameters of [[], ['a'], ['a', 2, 3]])
        await assert.rejects(run(at.db.read(level), text, parameters), { code: 'STORE_FAILED' })
      const { rows } = (await run(at.db.read(level), text, ['a', 2])) as { rows: unknown }
      assert.deepEqual(rows, [{ id: 1 }])
    }
  })

  test('law 6 · a read cannot begin a transaction, in which later reads would grow stale', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { title: 'a' })
    for (const text of ['BEGIN', 'SAVEPOINT a', 'START TRANSACTION', 'BEGIN IMMEDIATE'])
      await assert.rejects(run(at.db.read(), text), { code: 'STORE_FAILED' }, text)
    assert.deepEqual(await rowsOf(at.db, count), [{ count: 1 }])
    await at.db.insert('songs', { title: 'b' })
    assert.deepEqual(await rowsOf(at.db, count), [{ count: 2 }])
  })

  onlyFor(sqlDialects, 'a read tells the tables and columns to who asks Kysely for them', async () => {
    await using at = await stage(subject, tables)
    const found = await at.db.read().introspection.getTables()
    const songs = found.find(({ name }) => name === 'songs')
    assert.deepEqual(songs?.columns.map(({ name }) => name).toSorted(), ['cover', 'id', 'plays', 'title'])
  })

  test('what a read does not do throws NotSupportedError', async () => {
    await using at = await stage(subject, tables)
    const db = at.db.read('strong')
    await assert.rejects(
      db.transaction().execute(async () => undefined),
      NotSupportedError,
    )
    await assert.rejects(async () => {
      for await (const _ of db.selectFrom('songs').selectAll().stream()) assert.fail('it streamed')
    }, NotSupportedError)
  })

  test('a level that does not exist is refused', async () => {
    await using at = await stage(subject, tables)
    assert.throws(() => at.db.read('soon' as 'strong'), { code: 'INVALID_CALL' })
  })

  test('a query that is wrong is refused with the store’s words, and the next one runs', async () => {
    await using at = await stage(subject, tables)
    const failures: [string, RegExp][] = [
      ['SELECT * FROM nowhere', /nowhere/],
      ['SELEC 1', /syntax/],
    ]
    for (const [text, message] of failures) await assert.rejects(run(at.db.read(), text), message)
    const titled = at.sql('SELECT id FROM songs WHERE title = ?')
    await assert.rejects(run(at.db.read(), titled, [Number.NaN]), { code: 'UNBINDABLE_VALUE' })
    await assert.rejects(run(at.db.read(), titled, ['a', 'b']), { code: 'STORE_FAILED' })
    assert.deepEqual(await rowsOf(at.db, count), [{ count: 0 }])
  })

  test('many reads at once are all answered', async () => {
    await using at = await stage(subject, tables)
    for (const index of range(100)) at.db.insert('songs', { title: `song ${index}`, plays: index })
    await at.db.flush()
    const found = await Promise.all(
      range(100).map((plays) =>
        at.db.read().selectFrom('songs').select('title').where('plays', '=', plays).execute(),
      ),
    )
    assert.deepEqual(
      found.flat(),
      range(100).map((index) => ({ title: `song ${index}` })),
    )
  })
}
