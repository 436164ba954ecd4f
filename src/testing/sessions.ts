/** Sessions: a user's reads see the user's writes, and never go back. */
import assert from 'node:assert/strict'
import { CompiledQuery, type Kysely } from 'kysely'
import { foreverMs, range, stage, turnOfTheLoop } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'
const lingering = { batch: { lingerMs: foreverMs } }

async function titles(db: { read(): Kysely<Record<string, Record<string, unknown>>> }): Promise<unknown[]> {
  const { rows } = await db.read().executeQuery(CompiledQuery.raw('SELECT title FROM songs ORDER BY id'))
  return rows.map((row) => (row as { title: unknown }).title)
}

export const sessions: Topic = (subject, test) => {
  const isSync = subject.commits === 'sync'

  // SPEC S0.2
  test('law 6 · a session reads its own writes, of every kind', async () => {
    await using at = await stage(subject, tables, lingering)
    const session = at.db.session()
    session.insert('songs', { id: 1, title: 'a' })
    assert.deepEqual(await titles(session), ['a'])
    session.upsert('songs', { id: 1, title: 'b' })
    assert.deepEqual(await titles(session), ['b'])
    session.update('songs', { id: 1 }, { title: 'c' })
    assert.deepEqual(await titles(session), ['c'])
    session.insertMany('songs', [
      { id: 2, title: 'd' },
      { id: 3, title: 'e' },
    ])
    assert.deepEqual(await titles(session), ['c', 'd', 'e'])
    session.atomic((group) => {
      group.delete('songs', { id: 2 })
      group.insert('songs', { id: 4, title: 'f' })
    })
    assert.deepEqual(await titles(session), ['c', 'e', 'f'])
    session.write({ sql: "UPDATE songs SET title = 'x'", parameters: [] })
    assert.deepEqual(await titles(session), ['x', 'x', 'x'])
    session.insertMany('songs', [{ id: 5, title: 'g' }], { atomic: false })
    assert.deepEqual(await titles(session), ['x', 'x', 'x', 'g'])
    await session.transaction((trx) => trx.deleteFrom('songs').execute())
    assert.deepEqual(await titles(session), [])
  })

  test('law 6 · a session that wrote nothing waits for nobody', async () => {
    if (isSync) return
    await using at = await stage(subject, tables, lingering)
    at.db.insert('songs', { title: 'of somebody else' })
    const session = at.db.session()
    const { rows, waitedMs } = await session.query({ sql: 'SELECT title FROM songs', parameters: [] })
    assert.deepEqual([rows, waitedMs], [[], 0])
  })

  test('law 6 · each of many sessions waits for its own writes, and sees them', async () => {
    await using at = await stage(subject, tables, { batch: { maxOperations: 3 } })
    const seen = await Promise.all(
      range(50).map(async (index) => {
        const session = at.db.session()
        session.insert('songs', { title: `song ${index}` })
        return (await titles(session)).includes(`song ${index}`)
      }),
    )
    assert.ok(seen.every(Boolean))
  })

  test('law 6 · a rejected write counts as satisfied: the read fails once, names it, and the next one runs', async () => {
    await using at = await stage(subject, tables, lingering)
    const session = at.db.session()
    session.insert('songs', { id: 1, title: 'a' })
    session.insert('songs', { id: 1, title: 'twice' })
    session.insert('songs', { id: 2, title: null })
    await assert.rejects(titles(session), {
      name: 'WriteRejectedError',
      code: 'WRITE_REJECTED',
      message: /position 2 and 1 more/,
    })
    assert.deepEqual(await titles(session), ['a'])
    const listed = session.rejections()
    assert.deepEqual(
      listed.map(({ position, table }) => [position.seq, table]),
      [
        [2, 'songs'],
        [3, 'songs'],
      ],
    )
    const letters = await at.db.deadLetters()
    assert.deepEqual(
      listed.map(({ deadLetter, storeCode }) => [deadLetter, storeCode]),
      letters.map(({ id, code }) => [id, code]),
    )
  })

  test('law 6 · a rejection that was awaited, or listed, fails no read', async () => {
    await using at = await stage(subject, tables, lingering)
    const session = at.db.session()
    await assert.rejects(async () => await session.insert('songs', { title: null }), {
      code: 'WRITE_REJECTED',
    })
    assert.deepEqual(await titles(session), [])
    assert.equal((await session.insert('songs', { title: null }).outcome()).kind, 'rejected')
    assert.deepEqual(await titles(session), [])
    session.insertMany('songs', [{ title: null }, { title: 'good' }], { atomic: false })
    await at.db.flush()
    assert.equal(session.rejections().length, 3)
    assert.deepEqual(await titles(session), ['good'])
    const { rejected } = await session.insertMany('songs', [{ title: null }], { atomic: false })
    assert.equal(rejected, 1)
    assert.deepEqual(await titles(session), ['good'])
  })

  test('law 6 · with onRejected: "ignore" no read fails, and the rejections are listed all the same', async () => {
    await using at = await stage(subject, tables)
    const session = at.db.session([], { onRejected: 'ignore' })
    session.insert('songs', { title: null })
    assert.deepEqual(await titles(session), [])
    assert.equal(session.rejections().length, 1)
  })

  test('law 6 · a rejection fails reads of its own session only, eventual and keyed ones as well', async () => {
    await using at = await stage(subject, tables)
    const [one, two] = [at.db.session(), at.db.session()]
    for (const read of [
      () => one.query({ sql: 'SELECT 1', parameters: [] }, 'eventual'),
      () => one.get('songs', { id: 1 }),
    ]) {
      one.insert('songs', { title: null })
      two.insert('songs', { title: 'a' })
      await at.db.flush()
      assert.ok((await titles(two)).length > 0)
      await assert.rejects(read(), { code: 'WRITE_REJECTED' })
      await read()
    }
  })

  test('law 7 · a session that only writes keeps nothing of what is settled', async () => {
    await using at = await stage(subject, tables)
    const session = at.db.session()
    for (const index of range(500)) {
      session.insert('songs', { title: `song ${index}` })
      if (index % 50 === 0) await turnOfTheLoop()
    }
    await at.db.flush()
    session.insert('songs', { title: 'last' })
    assert.ok(session.bookmark.length < 40, session.bookmark)
    assert.equal((await titles(session)).length, 501)
  })

  test('the options of a session are checked', async () => {
    await using at = await stage(subject, tables)
    assert.throws(() => at.db.session([], { onRejected: 'shrug' } as never), { code: 'INVALID_CALL' })
    assert.throws(() => at.db.session([], { colour: 'red' } as never), { code: 'INVALID_CALL' })
  })

  test('law 6 · the level of a session is never less than the engine’s default', async () => {
    await using at = await stage(subject, tables, { ...lingering, reads: { consistency: 'strong' } })
    at.db.insert('songs', { title: 'of somebody else' })
    assert.deepEqual(await titles(at.db.session()), ['of somebody else'])
  })

  test('law 6 · after the engine stopped, a session’s keyed read does not show a past without its own write', async () => {
    if (isSync) return
    await using at = await stage(subject, tables, { writer: 'own', ...lingering })
    const session = at.db.session()
    session.insert('songs', { id: 1, title: 'a' })
    // A store whose tables tell too little has waited for the commit instead.
    if (!(await session.get('songs', { id: 1 })).pending) return
    await at.open({ writer: 'own' })
    await assert.rejects(titles(session), { code: 'FENCED' })
    await assert.rejects(session.get('songs', { id: 1 }), { code: 'FENCED' })
  })
}
