/** Bookmarks: what one engine promised, another one on the same database keeps. */
import assert from 'node:assert/strict'
import { endings, foreverMs, next, pause, range, rowsOf, stage, type AnyTidemark } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'
const lingering = { batch: { lingerMs: foreverMs } }
const count = { sql: 'SELECT count(*) AS count FROM songs', parameters: [] }

/** Reads at a bookmark. */
async function countAfter(db: AnyTidemark, after: string | string[], timeoutMs = 5_000): Promise<unknown> {
  const options = { consistency: 'readAfterWrite', after, timeoutMs } as const
  return (await db.query(count, options)).rows[0]?.['count']
}

export const bookmarks: Topic = (subject, test) => {
  const isSync = subject.commits === 'sync'
  /** A linger holds what is accepted back, unless somebody who waits for it is heard. @returns what lets it go */
  const holdBack = async (db: AnyTidemark): Promise<() => Promise<void>> =>
    subject.awakens ? await pause(db) : async () => undefined

  test('law 6 · a bookmark is honoured by another engine: its read waits until the first has committed', async () => {
    await using at = await stage(subject, tables, lingering)
    const other = await at.open()
    const session = at.db.session()
    session.insert('songs', { title: 'a' })
    const read = countAfter(other, session.bookmark)
    await at.db.flush()
    assert.equal(await read, 1)
  })

  test('law 6 · a read of another engine’s pending write fails in time, with the writer and how far it is', async () => {
    if (isSync) return
    await using at = await stage(subject, tables, { writer: 'slow', ...lingering })
    const other = await at.open()
    const letGo = await holdBack(at.db)
    for (const index of range(3)) at.db.insert('songs', { title: `song ${index}` })
    const { bookmark } = at.db.insert('songs', { title: 'last' })
    await assert.rejects(countAfter(other, bookmark, 30), {
      code: 'STALE_READ',
      message: /writer "slow" had committed 0 of [45]/,
    })
    await letGo()
    await at.db.flush()
    assert.equal(await countAfter(other, bookmark), 4)
  })

  test('law 6 · a bookmark survives its engine: after a close, and a restart under the same name', async () => {
    await using at = await stage(subject, tables, { writer: 'own' })
    const { bookmark } = at.db.insert('songs', { title: 'a' })
    await at.db.close()
    const again = await at.open({ writer: 'own' })
    assert.equal(await countAfter(again, bookmark), 1)
    const session = again.session(bookmark)
    await session.caughtUp()
    session.insert('songs', { title: 'b' })
    assert.equal(await countAfter(again, session.bookmark), 2)
  })

  test('law 6 · bookmarks merge: a session of several sees what each of them saw', async () => {
    await using at = await stage(subject, tables, lingering)
    const [one, two] = [await at.open(lingering), await at.open(lingering)]
    const marks = [one, two].map((engine) => engine.insert('songs', { title: 'a' }).bookmark)
    const session = at.db.session(marks)
    const read = countAfter(at.db, session.bookmark)
    await Promise.all([one.flush(), two.flush()])
    assert.equal(await read, 2)
    assert.equal(await countAfter(at.db, marks), 2)
    // A bookmark says by itself that the read has to include it.
    assert.deepEqual((await at.db.query(count, { after: marks })).rows, [{ count: 2 }])
    const later = one.insert('songs', { title: 'b' })
    session.include(later.bookmark)
    await later
    assert.deepEqual((await session.query(count)).rows, [{ count: 3 }])
  })

  test('law 6 · a session does not write ahead of what it follows: refused until that is committed', async () => {
    if (isSync) return
    await using at = await stage(subject, tables, lingering)
    const other = await at.open()
    const letGo = await holdBack(at.db)
    const session = other.session(at.db.insert('songs', { id: 1, title: 'first' }).bookmark)
    for (const write of [
      () => session.insert('songs', { title: 'x' }),
      () => session.insertMany('songs', [{ title: 'x' }]),
      () => session.atomic((group) => group.insert('songs', { title: 'x' })),
      () => session.insertMany('songs', [{ title: 'x' }], { atomic: false }),
    ])
      assert.throws(write, { code: 'SESSION_BEHIND', retryable: true })
    await assert.rejects(
      session.transaction(async () => assert.fail('it ran')),
      { code: 'SESSION_BEHIND' },
    )
    await assert.rejects(session.caughtUp({ timeoutMs: 20 }), { code: 'STALE_READ' })
    await letGo()
    await at.db.flush()
    await session.caughtUp()
    await session.update('songs', { id: 1 }, { title: 'second' })
    assert.deepEqual(await at.rows('SELECT id, title FROM songs'), [{ id: 1, title: 'second' }])
  })

  test('law 6 · a bookmark that a session is given while it reads is waited for by its next read', async () => {
    if (isSync) return
    await using at = await stage(subject, tables, lingering)
    const [one, two] = [await at.open(lingering), await at.open(lingering)]
    const session = at.db.session(one.insert('songs', { title: 'one' }).bookmark)
    const reading = session.query(count)
    const letGo = await holdBack(two)
    const { bookmark } = two.insert('songs', { title: 'two' })
    session.include(bookmark)
    await one.flush()
    await reading
    assert.throws(() => session.insert('songs', { title: 'ahead' }), { code: 'SESSION_BEHIND' })
    await assert.rejects(session.query(count, { timeoutMs: 20 }), { code: 'STALE_READ' })
    await letGo()
    await two.flush()
    assert.deepEqual((await session.query(count)).rows, [{ count: 2 }])
  })

  test('law 6 · a position that its process never committed is lost, and told so at once', async () => {
    if (isSync) return
    await using at = await stage(subject, tables, { writer: 'own', ...lingering })
    await at.db.insert('songs', { title: 'committed' })
    const kept = at.db.session()
    kept.insert('songs', { title: 'kept' })
    await at.db.flush()
    const receipt = at.db.insert('songs', { title: 'never committed' })
    // As when the process dies and is started again: the new engine ends the epoch of the old one.
    const again = await at.open({ writer: 'own' })
    assert.equal(await countAfter(again, kept.bookmark, 0), 2)
    await assert.rejects(countAfter(again, receipt.bookmark, foreverMs), {
      code: 'POSITION_LOST',
      message: /position 3 of writer "own" is lost: its epoch \d+ ended at 2/,
    })
    await assert.rejects(again.session(receipt.bookmark).caughtUp(), { code: 'POSITION_LOST' })
    assert.deepEqual(await endings([receipt]), ['FENCED not-committed'])
  })

  test('law 6 · a writer that is silent beyond its lease is taken for dead: its epoch ends, the position is lost', async () => {
    // Where it hears who waits, only one that has really stopped is silent: what a store's own tests have processes for.
    if (isSync || subject.awakens) return
    await using at = await stage(subject, tables, lingering)
    const other = await at.open()
    await at.db.insert('songs', { title: 'committed' })
    const receipt = at.db.insert('songs', { title: 'never committed' })
    // Its row says how long it may be silent; a process that died says nothing more.
    await at.outside(`UPDATE tidemark_writers SET lease_ms = 50 WHERE epoch = ${at.db.epoch}`)
    await assert.rejects(countAfter(other, receipt.bookmark, foreverMs), {
      code: 'POSITION_LOST',
      message: /ended at 1, before/,
    })
    // It was alive after all, only slow: it can commit nothing more, so that "lost" stays true.
    assert.deepEqual(await endings([receipt]), ['FENCED not-committed'])
    assert.deepEqual(await rowsOf(other, count.sql), [{ count: 1 }])
  })

  test('law 6 · a writer that goes on is never taken for dead, however long somebody waits', async () => {
    if (isSync) return
    await using at = await stage(subject, tables, { batch: { maxOperations: 1 } })
    const other = await at.open()
    await at.outside(`UPDATE tidemark_writers SET lease_ms = 150 WHERE epoch = ${at.db.epoch}`)
    let { bookmark } = at.db.insert('songs', { title: 'first' })
    for (let n = 0; n < 40; n++) {
      const receipt = at.db.insert('songs', { title: `song ${n}` })
      const committed = next(at.db, 'commit')
      assert.ok(Number(await countAfter(other, bookmark)) > 0)
      await committed
      bookmark = receipt.bookmark
    }
    assert.deepEqual(await endings([at.db.insert('songs', { title: 'still alive' })]), ['committed'])
  })

  test('law 6 · a bookmark to an epoch that was forgotten has expired', async () => {
    await using at = await stage(subject, tables)
    const older = await at.open()
    const { bookmark } = older.insert('songs', { title: 'a' })
    await older.close()
    await at.outside(`DELETE FROM tidemark_writers WHERE epoch = ${older.epoch}`)
    await at.outside(`UPDATE tidemark_database SET forgotten_epoch = ${older.epoch}`)
    await assert.rejects(countAfter(at.db, bookmark), { code: 'BOOKMARK_EXPIRED' })
  })

  test('law 10 · a bookmark to an epoch that this database never had is lost: it went back in time', async () => {
    await using at = await stage(subject, tables)
    const newer = await at.open()
    const { bookmark } = newer.insert('songs', { title: 'a' })
    await newer.close()
    await at.outside(`DELETE FROM tidemark_writers WHERE epoch = ${newer.epoch}`)
    await at.outside(`UPDATE tidemark_database SET last_epoch = ${newer.epoch - 1}`)
    await assert.rejects(countAfter(at.db, bookmark), {
      code: 'POSITION_LOST',
      message: /it went back in time/,
    })
  })

  test('law 6 · a bookmark of another database, a forged one and garbage are refused at once', async () => {
    await using at = await stage(subject, tables)
    await using elsewhere = await stage(subject, tables)
    const { bookmark } = at.db.insert('songs', { title: 'a' })
    const foreign = elsewhere.db.insert('songs', { title: 'a' }).bookmark
    const bytes = Buffer.from(bookmark, 'base64url')
    // The position is between the database's id and the signature.
    bytes[10] = (bytes[10] ?? 0) + 1
    const refused = { foreign, forged: bytes.toString('base64url'), garbage: 'not a bookmark', empty: '' }
    for (const [what, text] of Object.entries(refused)) {
      await assert.rejects(countAfter(at.db, text), { code: 'INVALID_BOOKMARK' }, what)
      assert.throws(() => at.db.session(text), { code: 'INVALID_BOOKMARK' }, what)
    }
    await assert.rejects(countAfter(at.db, foreign), { message: /another database/ })
    for (const nothing of [null, 5, {}])
      assert.throws(() => at.db.session(nothing as never), { code: 'INVALID_BOOKMARK' })
  })
}
