/** What an engine tells of itself: events and stats. */
import assert from 'node:assert/strict'
import { range, record, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'

export const events: Topic = (subject, test) => {
  test('commit events tell a tidemark that only rises, and count every operation once', async () => {
    await using at = await stage(subject, tables, { batch: { maxOperations: 10 } })
    const commits = record(at.db, 'commit')
    for (const index of range(95)) at.db.insert('songs', { title: index % 10 === 0 ? null : 'x' })
    await at.db.flush()
    const tidemarks = commits.map(({ tidemark }) => tidemark.seq)
    assert.deepEqual(
      tidemarks,
      tidemarks.toSorted((a, b) => a - b),
    )
    assert.equal(tidemarks.at(-1), 95)
    assert.equal(
      commits.reduce((sum, { operations }) => sum + operations, 0),
      95,
    )
    assert.ok(commits.every(({ transactions, durationMs }) => transactions >= 1 && durationMs >= 0))
    const { committed, rejected, tidemark, queued, inFlight, transactions } = at.db.stats()
    assert.equal(committed.operations, 95)
    assert.equal(committed.batches, commits.length)
    assert.equal(committed.operationsPerBatch, 95 / commits.length)
    assert.deepEqual(
      [rejected, tidemark.seq, queued.operations, queued.bytes, queued.oldestMs, inFlight],
      [10, 95, 0, 0, 0, 0],
    )
    assert.equal(
      transactions.count,
      commits.reduce((sum, commit) => sum + commit.transactions, 0),
    )
  })

  test('a listener is taken off by what `on` returned', async () => {
    await using at = await stage(subject, tables)
    let heard = 0
    const off = at.db.on('commit', () => heard++)
    await at.db.insert('songs', { title: 'a' })
    off()
    await at.db.insert('songs', { title: 'b' })
    assert.equal(heard, 1)
  })

  test('a listener may write', async () => {
    await using at = await stage(subject, tables)
    let left = 5
    at.db.on('commit', () => {
      if (left-- > 0) at.db.insert('songs', { title: `more ${left}` })
    })
    at.db.on('reject', () => void at.db.insert('songs', { title: 'instead' }))
    at.db.insert('songs', { title: null })
    const count = async () => Number(await at.value('SELECT count(*) FROM songs'))
    while ((await count()) < 6) await at.db.flush()
    assert.equal(await count(), 6)
  })

  test('stats tell what is queued, and since when', async () => {
    await using at = await stage(subject, tables, { batch: { lingerMs: 60_000 } })
    const limits = { maxOperations: 10_000, maxBytes: 32 * 2 ** 20 }
    assert.deepEqual(at.db.stats().queued, { operations: 0, bytes: 0, oldestMs: 0, ...limits })
    at.db.insert('songs', { title: 'four' })
    at.db.insertMany('songs', [{ title: 'a' }, { title: 'b' }])
    const { operations, bytes, oldestMs } = at.db.stats().queued
    if (subject.commits === 'sync') assert.deepEqual([operations, bytes, oldestMs], [0, 0, 0])
    else assert.ok(operations === 3 && bytes === 12 && oldestMs >= 0)
    await at.db.flush()
  })
}
