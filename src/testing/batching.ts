/** What shares a commit, and when it goes. */
import assert from 'node:assert/strict'
import { foreverMs, next, pause, range, record, rowsOf, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'
const lingering = { batch: { lingerMs: foreverMs } }

export const batching: Topic = (subject, test) => {
  const isSync = subject.commits === 'sync'
  const count = 'SELECT count(*) AS count FROM songs'

  test('all who await in one tick share one commit', async () => {
    await using at = await stage(subject, tables)
    const commits = record(at.db, 'commit')
    await Promise.all(range(16).map((index) => at.db.insert('songs', { title: `song ${index}` })))
    assert.deepEqual(
      commits.map(({ operations }) => operations),
      isSync ? range(16).map(() => 1) : [16],
    )
  })

  test('callers that write again as soon as they are answered keep sharing commits', async () => {
    await using at = await stage(subject, tables)
    const commits = record(at.db, 'commit')
    const caller = async (): Promise<void> => {
      for (const index of range(20)) await at.db.insert('songs', { title: `song ${index}` })
    }
    await Promise.all(range(16).map(caller))
    assert.equal(commits.length, isSync ? 320 : 20)
    assert.equal(at.db.stats().committed.operations, 320)
  })

  for (const [who, wait] of [
    ['an await', (db) => db.insert('songs', { title: 'last' }).then(() => undefined)],
    [
      'within',
      (db) =>
        db
          .insert('songs', { title: 'last' })
          .within(60_000)
          .then(() => undefined),
    ],
    [
      'outcome',
      (db) =>
        db
          .insert('songs', { title: 'last' })
          .outcome()
          .then(() => undefined),
    ],
    ['flush', (db) => db.flush()],
    ['a durable flush', (db) => db.flush({ durable: true })],
    ['a strong read', (db) => rowsOf(db, count).then(() => undefined)],
    ['a transaction', (db) => db.transaction(async () => undefined)],
    ['close', (db) => db.close()],
  ] satisfies [string, (db: Parameters<typeof rowsOf>[0]) => Promise<void>][]) {
    test(`${who} ends the linger`, async () => {
      await using at = await stage(subject, tables, lingering)
      const receipt = at.db.insert('songs', { title: 'first' })
      await wait(at.db)
      assert.equal(receipt.state, 'committed')
    })
  }

  // SPEC S2.2
  test('what nobody waits for lingers for company, and is committed with it', async () => {
    await using at = await stage(subject, tables, lingering)
    const commits = record(at.db, 'commit')
    at.db.insert('songs', { title: 'a' })
    assert.deepEqual(await rowsOf(at.db, count, 'eventual'), [{ count: isSync ? 1 : 0 }])
    at.db.insert('songs', { title: 'b' })
    await at.db.flush()
    assert.deepEqual(
      commits.map(({ operations }) => operations),
      isSync ? [1, 1] : [2],
    )
  })

  test('what nobody waits for is committed when it has lingered', async () => {
    await using at = await stage(subject, tables, { batch: { lingerMs: 1 } })
    const commit = next(at.db, 'commit')
    const receipt = at.db.insert('songs', { title: 'a' })
    assert.equal((await commit).operations, 1)
    assert.equal(receipt.state, 'committed')
  })

  test('a full batch goes at once', async () => {
    await using at = await stage(subject, tables, { batch: { lingerMs: foreverMs, maxOperations: 10 } })
    const commit = next(at.db, 'commit')
    for (const index of range(10)) at.db.insert('songs', { title: `song ${index}` })
    assert.equal((await commit).operations, isSync ? 1 : 10)
  })

  test('a batch full of bytes goes at once', async () => {
    await using at = await stage(subject, tables, { batch: { lingerMs: foreverMs, maxBytes: 10_000 } })
    const commit = next(at.db, 'commit')
    for (const _ of range(5)) at.db.insert('songs', { title: 'x'.repeat(1_000) })
    assert.equal((await commit).operations, isSync ? 1 : 5)
  })

  test('no batch holds more than maxOperations, and none is lost', async () => {
    await using at = await stage(subject, tables, { batch: { maxOperations: 10 } })
    const commits = record(at.db, 'commit')
    const resume = await pause(at.db)
    for (const index of range(95)) at.db.insert('songs', { title: `song ${index}` })
    await resume()
    assert.equal(await at.value(count), 95)
    const sizes = commits.map(({ operations }) => operations)
    assert.deepEqual(sizes, isSync ? range(95).map(() => 1) : [...range(9).map(() => 10), 5])
  })

  test('a batch holds at most a quarter of the queue, so that some commit while the next fill', async () => {
    await using at = await stage(subject, tables, { queue: { maxOperations: 40 } })
    const commits = record(at.db, 'commit')
    const resume = await pause(at.db)
    for (const index of range(40)) at.db.insert('songs', { title: `song ${index}` })
    await resume()
    assert.equal(await at.value(count), 40)
    const largest = Math.max(...commits.map(({ operations }) => operations))
    assert.equal(largest, isSync ? 1 : 10)
  })

  test('law 4 · a group is not parted by the size of batches, even one larger than a batch', async () => {
    await using at = await stage(subject, tables, { batch: { maxOperations: 10 } })
    const commits = record(at.db, 'commit')
    const resume = await pause(at.db)
    const rows = (size: number) => range(size).map((index) => ({ title: `song ${index}` }))
    at.db.insertMany('songs', rows(6))
    at.db.insertMany('songs', rows(6))
    at.db.insertMany('songs', rows(25))
    at.db.insertMany('songs', rows(3), { atomic: false })
    await resume()
    await at.db.flush()
    const sizes = commits.map(({ operations }) => operations)
    assert.deepEqual(sizes, [6, 6, 25, 3])
  })
}
