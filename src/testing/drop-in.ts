/** Existing Kysely code on an engine: it does what it did, in batches. */
import assert from 'node:assert/strict'
import { sql, type Generated, type Kysely } from 'kysely'
import { sqlDialects } from './sql.ts'
import { foreverMs, range, record, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = [
  'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL, plays INTEGER)',
  'CREATE TABLE artists (name TEXT PRIMARY KEY)',
]
interface DB {
  songs: { id: Generated<number>; title: string; plays: number | null }
  artists: { name: string }
}

/** The suite's engines do not know their tables. */
const kyselyOf = (db: { readonly kysely: unknown }): Kysely<DB> => db.kysely as Kysely<DB>

export const dropIn: Topic = (subject, test, onlyFor) => {
  // SPEC S0.1
  test('inserts, updates, deletes and selects do what they do', async () => {
    await using at = await stage(subject, tables)
    const db = kyselyOf(at.db)
    const inserted = await db.insertInto('songs').values({ title: 'a', plays: 1 }).executeTakeFirstOrThrow()
    assert.equal(inserted.numInsertedOrUpdatedRows, 1n)
    if (subject.dialect === 'sqlite' || subject.dialect === 'mysql') assert.equal(inserted.insertId, 1n)
    await db
      .insertInto('songs')
      .values([
        { title: 'b', plays: 2 },
        { title: 'c', plays: null },
      ])
      .execute()
    const updated = await db
      .updateTable('songs')
      .set({ plays: 5 })
      .where('plays', 'is not', null)
      .executeTakeFirst()
    assert.equal(updated.numUpdatedRows, 2n)
    const deleted = await db.deleteFrom('songs').where('title', '=', 'b').executeTakeFirst()
    assert.equal(deleted.numDeletedRows, 1n)
    assert.deepEqual(await db.selectFrom('songs').select(['title', 'plays']).orderBy('id').execute(), [
      { title: 'a', plays: 5 },
      { title: 'c', plays: null },
    ])
  })

  test('law 2 · its writes stand in one line with the engine’s own, and share their commits', async () => {
    if (subject.commits === 'sync') return
    await using at = await stage(subject, tables)
    const commits = record(at.db, 'commit')
    const db = kyselyOf(at.db)
    await Promise.all(
      range(40).map((n) =>
        n % 2 === 0
          ? db
              .insertInto('songs')
              .values({ title: `song ${n}`, plays: n })
              .execute()
          : at.db.insert('songs', { title: `song ${n}`, plays: n }),
      ),
    )
    const found = await at.rows('SELECT title FROM songs ORDER BY id')
    assert.equal(found.length, 40)
    assert.ok(commits.length <= 4, `${commits.length} commits`)
  })

  test('law 1 · a write that the database refuses rejects, and is in the dead letters', async () => {
    await using at = await stage(subject, tables)
    const db = kyselyOf(at.db)
    await db.insertInto('artists').values({ name: 'a' }).execute()
    await assert.rejects(db.insertInto('artists').values({ name: 'a' }).execute(), { code: 'WRITE_REJECTED' })
    assert.equal((await at.db.deadLetters()).length, 1)
  })

  onlyFor(['sqlite', 'postgres'], 'a query with RETURNING gives its rows', async () => {
    await using at = await stage(subject, tables)
    const db = kyselyOf(at.db)
    const row = await db
      .insertInto('songs')
      .values({ title: 'a', plays: 3 })
      .returning(['title', 'plays'])
      .executeTakeFirst()
    assert.deepEqual(row, { title: 'a', plays: 3 })
    assert.deepEqual(await at.rows('SELECT title FROM songs'), [{ title: 'a' }])
  })

  test('law 4 · a transaction is all or nothing, and reads what it wrote', async () => {
    await using at = await stage(subject, tables)
    const db = kyselyOf(at.db)
    const count = await db.transaction().execute(async (trx) => {
      await trx.insertInto('artists').values({ name: 'a' }).execute()
      await trx.insertInto('songs').values({ title: 'a', plays: 1 }).execute()
      const { n } = await trx
        .selectFrom('songs')
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow()
      return BigInt(n)
    })
    assert.equal(count, 1n)
    const boom = new Error('the caller changed its mind')
    const failing = db.transaction().execute(async (trx) => {
      await trx.insertInto('artists').values({ name: 'b' }).execute()
      throw boom
    })
    await assert.rejects(failing, boom)
    assert.deepEqual(await at.rows('SELECT name FROM artists'), [{ name: 'a' }])
    await db.insertInto('artists').values({ name: 'c' }).execute()
    assert.deepEqual(await at.rows('SELECT name FROM artists ORDER BY name'), [{ name: 'a' }, { name: 'c' }])
  })

  test('law 4 · a statement that fails inside a transaction rolls it back when it is not caught', async () => {
    await using at = await stage(subject, tables)
    const db = kyselyOf(at.db)
    await assert.rejects(
      db.transaction().execute(async (trx) => {
        await trx.insertInto('artists').values({ name: 'a' }).execute()
        await trx.insertInto('artists').values({ name: 'a' }).execute()
      }),
      { code: 'STORE_FAILED' },
    )
    assert.deepEqual(await at.rows('SELECT name FROM artists'), [])
  })

  onlyFor(
    sqlDialects,
    'raw SQL goes where it belongs: reads, writes, and what changes the schema',
    async () => {
      await using at = await stage(subject, tables)
      const db = kyselyOf(at.db)
      await sql`CREATE TABLE more (n INTEGER)`.execute(db)
      const wrote = await sql`INSERT INTO more (n) VALUES (${1}), (${2})`.execute(db)
      assert.equal(wrote.numAffectedRows, 2n)
      const { rows } = await sql`SELECT n FROM more ORDER BY n`.execute(db)
      assert.deepEqual(rows, [{ n: 1 }, { n: 2 }])
      await db.schema.dropTable('more').execute()
      await assert.rejects(sql`SELECT n FROM more`.execute(db), { code: 'STORE_FAILED' })
    },
  )

  test('law 6 · its reads have the engine’s level, and in a session they see its writes', async () => {
    await using at = await stage(subject, tables, {
      batch: { lingerMs: foreverMs },
      reads: { consistency: 'strong' },
    })
    at.db.insert('artists', { name: 'a' })
    assert.equal((await kyselyOf(at.db).selectFrom('artists').selectAll().execute()).length, 1)
    await using other = await stage(subject, tables, { batch: { lingerMs: foreverMs } })
    const session = other.db.session()
    session.insert('artists', { name: 'a' })
    const found = await kyselyOf(session).selectFrom('artists').selectAll().execute()
    assert.equal(found.length, 1)
  })

  test('law 9 · when the engine stops, its promises reject', async () => {
    await using at = await stage(subject, tables, { writer: 'own', batch: { lingerMs: foreverMs } })
    await at.open({ writer: 'own' })
    const db = kyselyOf(at.db)
    await assert.rejects(db.insertInto('artists').values({ name: 'a' }).execute(), { code: 'FENCED' })
    await assert.rejects(
      db.transaction().execute(async () => undefined),
      { code: 'FENCED' },
    )
  })

  test('law 7 · writes that a full queue refuses wait for their place; one that can never fit does not', async () => {
    await using at = await stage(subject, tables, { queue: { maxOperations: 4, maxBytes: 4_000 } })
    const db = kyselyOf(at.db)
    await Promise.all(range(60).map((n) => db.insertInto('songs').values({ title: 'a', plays: n }).execute()))
    assert.equal(Number(await at.value('SELECT count(*) FROM songs')), 60)
    const huge = db.insertInto('artists').values({ name: 'a'.repeat(5_000) })
    await assert.rejects(huge.execute(), { code: 'TOO_LARGE' })
  })

  test('law 4 · savepoints and settings that it would not keep are refused, and nothing is committed', async () => {
    await using at = await stage(subject, tables)
    const db = kyselyOf(at.db)
    const trx = await db.startTransaction().execute()
    await trx.insertInto('artists').values({ name: 'a' }).execute()
    const refused = { code: 'NOT_SUPPORTED' }
    await assert.rejects(trx.savepoint('here').execute(), refused)
    await assert.rejects(trx.rollbackToSavepoint('here' as never).execute(), refused)
    await assert.rejects(trx.releaseSavepoint('here' as never).execute(), refused)
    await trx.rollback().execute()
    const insert = (into: Kysely<DB>) => into.insertInto('artists').values({ name: 'a' }).execute()
    await assert.rejects(db.transaction().setAccessMode('read only').execute(insert), refused)
    await assert.rejects(db.transaction().setIsolationLevel('read uncommitted').execute(insert), refused)
    assert.deepEqual(await at.rows('SELECT name FROM artists'), [])
    const serializable = db.transaction().setIsolationLevel('serializable').execute(insert)
    if (subject.dialect === 'sqlite') await serializable
    else await assert.rejects(serializable, refused)
  })

  test('a connection that is held goes on after its transactions, however they ended', async () => {
    await using at = await stage(subject, tables)
    const boom = new Error('the caller changed its mind')
    const names = await kyselyOf(at.db)
      .connection()
      .execute(async (held) => {
        const insert = async (name: string, fails: boolean) =>
          await held.transaction().execute(async (trx) => {
            await trx.insertInto('artists').values({ name }).execute()
            if (fails) throw boom
          })
        await insert('a', false)
        await assert.rejects(insert('b', true), boom)
        await held.insertInto('artists').values({ name: 'c' }).execute()
        await insert('d', false)
        return await held.selectFrom('artists').select('name').orderBy('name').execute()
      })
    assert.deepEqual(names, [{ name: 'a' }, { name: 'c' }, { name: 'd' }])
  })

  onlyFor(['postgres'], 'a select that writes is a transaction', async () => {
    await using at = await stage(subject, tables)
    const db = kyselyOf(at.db)
    const rows = await db
      .with('made', (q) => q.insertInto('artists').values({ name: 'a' }).returning('name'))
      .selectFrom('made')
      .selectAll()
      .execute()
    assert.deepEqual(rows, [{ name: 'a' }])
    await db.selectFrom('artists').selectAll().forUpdate().execute()
    await sql`EXPLAIN ANALYZE INSERT INTO artists (name) VALUES ('b')`.execute(db)
    await sql`SELECT name INTO copied FROM artists`.execute(db)
    assert.equal(Number(await at.value('SELECT count(*) FROM copied')), 2)
    // Its text does not tell: the database does.
    await sql`SELECT setval(pg_get_serial_sequence('songs', 'id'), 50)`.execute(db)
    await db.insertInto('songs').values({ title: 'a', plays: 1 }).execute()
    assert.equal(Number(await at.value('SELECT id FROM songs')), 51)
    const next = sql<{ n: number }>`SELECT nextval(pg_get_serial_sequence('songs', 'id')) AS n`
    assert.equal(Number((await next.execute(db)).rows[0]?.n), 52)
  })

  onlyFor(
    ['postgres', 'mysql'],
    'law 1 · a parameter that would become something else is refused',
    async () => {
      await using at = await stage(subject, tables)
      const db = kyselyOf(at.db)
      const value = subject.dialect === 'mysql' ? new Date(0) : ['a']
      const refused = { code: 'UNBINDABLE_VALUE' }
      const name = value as unknown as string
      // Kysely would make a list of an array.
      const given = sql<string>`${value}`
      await assert.rejects(db.insertInto('artists').values({ name }).execute(), refused)
      await assert.rejects(db.selectFrom('artists').selectAll().where('name', '=', given).execute(), refused)
      await assert.rejects(
        db.transaction().execute((trx) => trx.insertInto('artists').values({ name }).execute()),
        refused,
      )
      const strong = at.db.read('strong') as unknown as Kysely<DB>
      await assert.rejects(
        strong.selectFrom('artists').selectAll().where('name', '=', given).execute(),
        refused,
      )
      assert.deepEqual(await at.rows('SELECT name FROM artists'), [])
    },
  )
}
