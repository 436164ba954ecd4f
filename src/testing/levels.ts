/** The three levels: what each has seen, what each waits for, and that none gives stale rows. */
import assert from 'node:assert/strict'
import { NotSupportedError, StaleReadError } from '../index.ts'
import { foreverMs, next, pause, range, record, rowsOf, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'
const lingering = { batch: { lingerMs: foreverMs } }
const count = 'SELECT count(*) AS count FROM songs'

export const levels: Topic = (subject, test) => {
  const isSync = subject.commits === 'sync'

  // SPEC S0.2, S0.5, S3.2
  test('law 6 · an eventual read waits for nothing, also while nothing can be committed', async () => {
    if (isSync) return
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { title: 'committed' })
    const other = await at.open(lingering)
    other.insert('songs', { title: 'pending' })
    const report = await other.query({ sql: count, parameters: [] }, 'eventual')
    assert.deepEqual(report.rows, [{ count: 1 }])
    assert.equal(report.waitedMs, 0)
  })

  // SPEC S0.2
  test('law 6 · readAfterWrite without a session includes all that this engine had accepted', async () => {
    await using at = await stage(subject, tables, lingering)
    for (const index of range(20)) {
      at.db.insert('songs', { title: `song ${index}` })
      assert.deepEqual(await rowsOf(at.db, count, 'readAfterWrite'), [{ count: index + 1 }])
    }
  })

  test('law 6 · a read after one receipt’s bookmark includes that write and does not wait for later ones', async () => {
    await using at = await stage(subject, tables, lingering)
    const receipt = at.db.insert('songs', { title: 'first' })
    await receipt
    const later = isSync ? undefined : at.db.insert('songs', { title: 'later' })
    const options = { consistency: 'readAfterWrite', after: receipt.bookmark } as const
    const { rows } = await at.db.query({ sql: count, parameters: [] }, options)
    assert.deepEqual([rows, later?.state ?? 'pending'], [[{ count: 1 }], 'pending'])
  })

  // SPEC S0.1
  test('law 6 · the level of a read without one is the engine’s default', async () => {
    await using at = await stage(subject, tables, { ...lingering, reads: { consistency: 'strong' } })
    at.db.insert('songs', { title: 'a' })
    const rows = await at.db.read().selectFrom('songs').select('title').execute()
    assert.deepEqual(rows, [{ title: 'a' }])
  })

  test('law 6 · a read that is not fresh in time fails with StaleReadError and gives no rows; a later one works', async () => {
    if (isSync) return
    await using at = await stage(subject, tables)
    const end = await pause(at.db)
    at.db.insert('songs', { title: 'a' })
    for (const consistency of ['strong', 'readAfterWrite'] as const) {
      const read = at.db.read({ consistency, timeoutMs: 20 }).selectFrom('songs').selectAll().execute()
      const error = await read.then(
        () => assert.fail('it gave rows'),
        (failure: unknown) => failure,
      )
      assert.ok(error instanceof StaleReadError, String(error))
      assert.ok(error.retryable && error.waitedMs > 15, `it waited ${error.waitedMs} ms`)
      assert.match(error.message, /this engine had committed 0 of 2 after 20 ms/)
    }
    await end()
    assert.deepEqual(await rowsOf(at.db, count), [{ count: 1 }])
  })

  test('law 6 · an aborted read fails with StaleReadError, with the reason as its cause', async () => {
    if (isSync) return
    await using at = await stage(subject, tables)
    const end = await pause(at.db)
    at.db.insert('songs', { title: 'a' })
    const controller = new AbortController()
    const read = at.db
      .read({ consistency: 'strong', signal: controller.signal })
      .selectFrom('songs')
      .selectAll()
      .execute()
    const reason = new Error('the request was closed')
    controller.abort(reason)
    await assert.rejects(read, { code: 'STALE_READ', cause: reason })
    await assert.rejects(
      at.db.query({ sql: count, parameters: [] }, { consistency: 'strong', signal: controller.signal }),
      { code: 'STALE_READ', cause: reason },
    )
    await end()
  })

  test('law 6 · what another engine has accepted and not committed is not in a strong read', async () => {
    if (isSync) return
    await using at = await stage(subject, tables)
    const other = await at.open(lingering)
    const receipt = other.insert('songs', { title: 'accepted there' })
    assert.deepEqual(await rowsOf(at.db, count), [{ count: 0 }])
    await receipt
    assert.deepEqual(await rowsOf(at.db, count), [{ count: 1 }])
  })

  test('a query tells what its rows have seen of every writer, and how long it waited', async () => {
    await using at = await stage(subject, tables, lingering)
    const other = await at.open()
    await other.insertMany('songs', [{ title: 'a' }, { title: 'b' }])
    for (const index of range(3)) at.db.insert('songs', { title: `song ${index}` })
    const { rows, seen, waitedMs } = await at.db.query(
      at.db.read().selectFrom('songs').select('title').where('title', '=', 'a'),
      'strong',
    )
    assert.deepEqual(rows, [{ title: 'a' }])
    assert.deepEqual(
      seen.map(({ writer, epoch, seq }) => [writer, epoch, seq]),
      [
        [at.db.writer, at.db.epoch, 3],
        [other.writer, other.epoch, 1],
      ],
    )
    assert.ok(isSync || waitedMs > 0)
  })

  test('law 6 · a row whose columns have names with question marks is found by its key', async () => {
    await using at = await stage(subject, 'CREATE TABLE asked ("why?" TEXT PRIMARY KEY, "how?" TEXT)')
    await at.db.upsert('asked', { 'why?': 'so', 'how?': 'thus' })
    const { row } = await at.db.get('asked', { 'why?': 'so' })
    assert.deepEqual({ ...row }, { 'why?': 'so', 'how?': 'thus' })
  })

  test('rows as arrays keep columns of one name apart', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { title: 'a' })
    const [told] = await Promise.allSettled([
      at.db.query(
        { sql: 'SELECT a.title, b.title FROM songs AS a, songs AS b', parameters: [] },
        { asArrays: true },
      ),
    ])
    // Drivers that give rows as objects have lost one of the two: a store on them says so.
    if (told.status === 'rejected') assert.ok(told.reason instanceof NotSupportedError)
    else assert.deepEqual(told.value.rows, [['a', 'a']])
  })

  test('what a read asks for is checked at the call, every problem at once', async () => {
    await using at = await stage(subject, tables)
    const wrong = { consistency: 'soon', after: 5, keys: ['files'], timeoutMs: -1, colour: 'red' }
    assert.throws(() => at.db.read(wrong as never), {
      code: 'INVALID_CALL',
      message:
        /colour is not an option.*no consistency level "soon".*`after` is a bookmark.*`keys` is a list of.*timeoutMs must be/,
    })
    assert.throws(() => at.db.read({ consistency: 'eventual', after: 'x' }), { code: 'INVALID_CALL' })
    await assert.rejects(at.db.query({ sql: count, parameters: [] }, { processors: ['no such'] }), {
      code: 'INVALID_CALL',
    })
    for (const [key, code] of [
      [['nowhere', { id: 1 }], 'UNKNOWN_TABLE'],
      [['songs', { idd: 1 }], 'UNKNOWN_COLUMN'],
      [['songs', {}], 'MISSING_KEY'],
    ] as const)
      assert.throws(() => at.db.read({ consistency: 'strong', keys: [key] }), { code })
  })

  // SPEC S0.6
  test('every read is told: how long it waited, and what came of it', async () => {
    if (isSync) return
    await using at = await stage(subject, tables, lingering)
    const events = record(at.db, 'consistency')
    await rowsOf(at.db, count, 'eventual')
    at.db.insert('songs', { title: 'a' })
    await rowsOf(at.db, count)
    const end = await pause(at.db)
    at.db.insert('songs', { title: 'b' })
    const told = next(at.db, 'consistency')
    await assert.rejects(
      at.db.query({ sql: count, parameters: [] }, { consistency: 'strong', timeoutMs: 5 }),
      { code: 'STALE_READ' },
    )
    assert.equal((await told).outcome, 'stale')
    await end()
    assert.deepEqual(
      events.map(({ level, outcome }) => [level, outcome]),
      [
        ['eventual', 'satisfied'],
        ['strong', 'satisfied'],
        ['strong', 'stale'],
      ],
    )
    assert.equal(events[0]?.waitedMs, 0)
    assert.ok((events[1]?.waitedMs ?? 0) > 0)
  })
}
