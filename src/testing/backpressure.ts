/** A full queue: a clear error or a wait, never growth. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { QueueFullError, type OpenOptions, type Receipt } from '../index.ts'
import { endings, foreverMs, pause, range, record, stage, turnOfTheLoop, type AnyTidemark } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'
const small: OpenOptions = { queue: { maxOperations: 10 }, batch: { maxOperations: 2 } }

function insert(db: AnyTidemark, count: number): Receipt[] {
  return range(count).map((index) => db.insert('songs', { title: `song ${index}` }))
}

export const backpressure: Topic = (subject, test) => {
  // SPEC S4.6
  test('law 7 · at its limit the queue refuses with QUEUE_FULL, and nothing of the refused call is queued', async () => {
    await using at = await stage(subject, tables, small)
    const resume = await pause(at.db)
    const accepted = insert(at.db, 10)
    assert.throws(
      () => at.db.insert('songs', { title: 'refused' }),
      (error: unknown) => {
        assert.ok(error instanceof QueueFullError)
        assert.deepEqual([error.code, error.retryable, error.outcome], ['QUEUE_FULL', true, 'not-committed'])
        assert.ok(error.retryAfterMs > 0)
        return true
      },
    )
    assert.throws(() => at.db.insertMany('songs', [{ title: 'refused' }]), QueueFullError)
    assert.throws(() => at.db.update('songs', { id: 1 }, { title: 'refused' }), QueueFullError)
    assert.throws(() => at.db.write({ sql: 'DELETE FROM songs', parameters: [] }), QueueFullError)
    assert.equal(at.db.stats().queued.operations, 10)
    await resume()
    assert.deepEqual(new Set(await endings(accepted)), new Set(['committed']))
    // Positions were not used up by what was refused.
    const next = await at.db.insert('songs', { title: 'next' })
    assert.equal(next.position.seq, (accepted[9] as Receipt).position.seq + 1)
    assert.equal(await at.value('SELECT count(*) FROM songs'), 11)
  })

  test('law 7 · the room is told when the queue has fallen to half of its limit, once', async () => {
    await using at = await stage(subject, tables, small)
    const events = record(at.db, 'backpressure')
    const resume = await pause(at.db)
    insert(at.db, 10)
    assert.equal(at.db.isFull, true)
    assert.throws(() => insert(at.db, 1), QueueFullError)
    const ready = at.db.ready()
    await resume()
    await ready
    assert.equal(at.db.isFull, false)
    const [full, room, ...more] = events
    assert.deepEqual([full?.isFull, full?.operations, room?.isFull, more], [true, 10, false, []])
    assert.ok(room !== undefined && room.operations <= 5, `room was told at ${room?.operations} of 10`)
  })

  test('ready() resolves at once while the queue is not full', async () => {
    await using at = await stage(subject, tables, small)
    await at.db.ready()
    const resume = await pause(at.db)
    insert(at.db, 9)
    await at.db.ready()
    await resume()
  })

  test('law 7 · bytes are limited as operations are', async () => {
    await using at = await stage(subject, tables, { queue: { maxBytes: 10_000 } })
    const resume = await pause(at.db)
    const title = 'x'.repeat(1_000)
    const accepted = range(4).map(() => at.db.insert('songs', { title }))
    assert.throws(() => range(2).map(() => at.db.insert('songs', { title })), QueueFullError)
    assert.ok(at.db.stats().queued.bytes <= 10_000)
    await resume()
    await at.db.ready()
    assert.deepEqual(new Set(await endings(accepted)), new Set(['committed']))
  })

  test('law 7 · what can never fit is refused as TOO_LARGE, and nothing of it is queued', async () => {
    const options = { queue: { maxOperations: 100, maxBytes: 100_000 }, batch: { maxBytes: 10_000 } }
    await using at = await stage(subject, tables, options)
    const title = 'x'.repeat(6_000)
    const rows = range(101).map((index) => ({ title: `song ${index}` }))
    assert.throws(() => at.db.insert('songs', { title }), { code: 'TOO_LARGE', retryable: false })
    assert.throws(() => at.db.insertMany('songs', rows), { code: 'TOO_LARGE' })
    assert.throws(() => at.db.insertMany('songs', rows, { atomic: false }), { code: 'TOO_LARGE' })
    assert.throws(
      () =>
        at.db.insertMany(
          'songs',
          range(10).map(() => ({ title })),
        ),
      { code: 'TOO_LARGE' },
    )
    assert.equal(at.db.stats().queued.operations, 0)
    assert.equal((await at.db.insert('songs', { title: 'fits' })).position.seq, 1)
    assert.equal(await at.value('SELECT count(*) FROM songs'), 1)
  })

  test('law 7 · a producer that awaits `accepted` meets no error, and the queue stays below twice its limit', async () => {
    await using at = await stage(subject, tables, {
      ...small,
      queue: { maxOperations: 10, whenFull: 'wait' },
    })
    let most = 0
    const produce = async (): Promise<void> => {
      for (const index of range(100)) {
        const receipt = at.db.insert('songs', { title: `song ${index}` })
        most = Math.max(most, at.db.stats().queued.operations)
        await receipt.accepted
      }
    }
    await Promise.all([produce(), produce(), produce()])
    assert.equal(await at.value('SELECT count(*) FROM songs'), 300)
    assert.ok(most < 20, `the queue held ${most}`)
  })

  test('law 7 · a producer that awaits `accepted` lets go of the event loop long before the queue is full', async () => {
    await using at = await stage(subject, tables, {
      queue: { maxOperations: 1_000, whenFull: 'wait' },
      batch: { maxOperations: 10 },
    })
    const first = at.db.insert('songs', { title: 'first' })
    let isLetGo = false
    setImmediate(() => (isLetGo = true))
    for (const index of range(100)) await at.db.insert('songs', { title: `song ${index}` }).accepted
    // A store that answers at once needs no turn of the loop.
    assert.ok(isLetGo || first.state === 'committed')
  })

  test('law 7 · `accepted` waits while the queue is full, and at twice its limit even "wait" refuses', async () => {
    await using at = await stage(subject, tables, {
      ...small,
      queue: { maxOperations: 10, whenFull: 'wait' },
    })
    const resume = await pause(at.db)
    const accepted = insert(at.db, 20)
    let isAccepted = false
    const waiting = accepted[19]?.accepted.then(() => (isAccepted = true))
    assert.throws(() => insert(at.db, 1), QueueFullError)
    await turnOfTheLoop()
    assert.equal(isAccepted, false)
    await resume()
    await waiting
    assert.deepEqual(new Set(await endings(accepted)), new Set(['committed']))
  })

  test('law 7 · a full queue ends the linger: those who wait for room do not wait for company', async () => {
    const options = { queue: { maxOperations: 10 }, batch: { maxOperations: 1_000, lingerMs: foreverMs } }
    await using at = await stage(subject, tables, options)
    insert(at.db, 10)
    await at.db.ready()
    assert.equal(await at.value('SELECT count(*) FROM songs'), 10)
  })

  test('law 7 · a stream into `writable` is held back by the queue, and every row is committed when it finishes', async () => {
    await using at = await stage(subject, tables, {
      queue: { maxOperations: 50 },
      batch: { maxOperations: 20 },
    })
    let most = 0
    async function* songs() {
      for (const index of range(2_000)) {
        yield { title: `song ${index}` }
        most = Math.max(most, at.db.stats().queued.operations)
      }
    }
    await pipeline(Readable.from(songs()), at.db.writable('songs'))
    assert.ok(most <= 50, `the queue held ${most}`)
    assert.deepEqual(await at.outside('SELECT count(*) AS count FROM songs'), [{ count: 2_000 }])
  })

  test('a stream fails with what its row is refused with', async () => {
    await using at = await stage(subject, tables)
    const rows = [{ title: 'a' }, { colour: 'red' }, { title: 'b' }]
    await assert.rejects(pipeline(Readable.from(rows), at.db.writable('songs')), { code: 'UNKNOWN_COLUMN' })
    assert.deepEqual(await at.rows('SELECT title FROM songs'), [{ title: 'a' }])
  })

  if (subject.commits === 'sync') {
    test('law 7 · where commits are synchronous the queue does not fill', async () => {
      await using at = await stage(subject, tables, small)
      insert(at.db, 100)
      assert.equal(at.db.isFull, false)
      assert.equal(at.db.stats().queued.operations, 0)
    })
  }
}
