/** Atomic groups: all or nothing, one operation, one position. */
import assert from 'node:assert/strict'
import { InvalidOperationError } from '../index.ts'
import { endings, range, rowsOf, stage, turnOfTheLoop, type AnyTidemark } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = [
  'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)',
  `CREATE TABLE passages (
    id INTEGER PRIMARY KEY, song INTEGER NOT NULL, text TEXT UNIQUE, FOREIGN KEY (song) REFERENCES songs (id))`,
]
const large = { queue: { maxOperations: 300_000, maxBytes: 2 ** 30 } }

type Group = Parameters<Parameters<AnyTidemark['atomic']>[0]>[0]

export const groups: Topic = (subject, test) => {
  // SPEC S3.1, S3.8
  test('law 4 · a group of every kind of operation is committed whole, at one position', async () => {
    await using at = await stage(subject, tables)
    const receipt = at.db.atomic((group) => {
      group.insert('songs', { id: 1, title: 'a' })
      group.upsert('songs', { id: 1, title: 'b' })
      group.insert('passages', { id: 1, song: 1, text: 'x' })
      group.insert('passages', { id: 2, song: 1, text: 'y' })
      group.update('passages', { id: 1 }, { text: 'z' }, { expect: 1 })
      group.delete('passages', { id: 2 }, { expect: 1 })
      group.write({ sql: "UPDATE songs SET title = concat(title, '!')", parameters: [] })
    })
    assert.equal(receipt.position.seq, 1)
    assert.equal((await receipt).position.seq, 1)
    assert.equal(at.db.insert('songs', { id: 2, title: 'next' }).position.seq, 2)
    assert.equal(await at.value('SELECT title FROM songs WHERE id = 1'), 'b!')
    assert.deepEqual(await at.rows('SELECT song, text FROM passages'), [{ song: 1, text: 'z' }])
  })

  for (const [where, bad] of [
    ['first', 0],
    ['middle', 250],
    ['last', 499],
  ] as const) {
    // SPEC S3.4
    test(`law 4 · a group whose ${where} operation is refused changes nothing, and its neighbours are committed`, async () => {
      await using at = await stage(subject, tables)
      const receipts = [
        at.db.insert('songs', { id: 1, title: 'before' }),
        at.db.atomic((group) => {
          for (const index of range(500))
            group.insert('songs', { id: 100 + index, title: index === bad ? null : 'inside' })
        }),
        at.db.insert('songs', { id: 2, title: 'after' }),
      ]
      assert.deepEqual(await endings(receipts), ['committed', 'not null', 'committed'])
      assert.deepEqual(await at.rows('SELECT id FROM songs ORDER BY id'), [{ id: 1 }, { id: 2 }])
    })
  }

  test('law 4 · insertMany with one bad row inserts none', async () => {
    await using at = await stage(subject, tables)
    const rows = [{ title: 'a' }, { title: null }, { title: 'b' }]
    assert.deepEqual(await endings([at.db.insertMany('songs', rows)]), ['not null'])
    assert.equal(await at.value('SELECT count(*) FROM songs'), 0)
  })

  test('law 4 · a group spread over several tables is undone in all of them', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { id: 1, title: 'kept' })
    const receipt = at.db.atomic((group) => {
      group.update('songs', { id: 1 }, { title: 'changed' })
      group.insert('passages', { song: 1, text: 'x' })
      group.insert('passages', { song: 1, text: 'x' })
    })
    assert.deepEqual(await endings([receipt]), ['unique'])
    assert.deepEqual(await at.rows('SELECT title FROM songs'), [{ title: 'kept' }])
    assert.equal(await at.value('SELECT count(*) FROM passages'), 0)
  })

  test('law 4 · a guard that fails in a group undoes the group', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { id: 1_000, title: 'v1' })
    const swap = (from: string, to: string) =>
      at.db.atomic((group) => {
        group.insert('songs', { title: `history of ${from}` })
        group.update('songs', { id: 1_000, title: from }, { title: to }, { expect: 1 })
      })
    assert.deepEqual(await endings([swap('v1', 'v2'), swap('v1', 'v3'), swap('v2', 'v4')]), [
      'committed',
      'EXPECTATION_FAILED',
      'committed',
    ])
    assert.deepEqual(await at.rows('SELECT title FROM songs ORDER BY title'), [
      { title: 'history of v1' },
      { title: 'history of v2' },
      { title: 'v4' },
    ])
  })

  test('law 4 · a group of many thousand rows is committed whole, and rejected whole for its last row', async () => {
    await using at = await stage(subject, tables, large)
    const count = subject.dialect === 'surrealql' ? 10_000 : 100_000
    const rows = (from: number) => range(count).map((index) => ({ id: from + index, title: 'a song title' }))
    const bad = [...rows(200_000), { id: 1, title: null }]
    const receipts = [at.db.insertMany('songs', rows(1)), at.db.insertMany('songs', bad)]
    assert.deepEqual(await endings(receipts), ['committed', 'not null'])
    assert.deepEqual(await at.rows('SELECT count(*) AS count, max(id) AS last FROM songs'), [
      { count, last: count },
    ])
  })

  test('law 4 · no read sees a part of a group', async () => {
    await using at = await stage(subject, tables, large)
    const howMany = subject.dialect === 'surrealql' ? 40 : 200
    const receipts = range(howMany).map(() =>
      at.db.insertMany(
        'songs',
        range(50).map(() => ({ title: 'x' })),
      ),
    )
    let count = 0
    while (count < howMany * 50) {
      await turnOfTheLoop()
      const [seen] = await rowsOf(at.db, 'SELECT count(*) AS count FROM songs', 'eventual')
      count = Number(seen?.['count'])
      assert.equal(count % 50, 0)
    }
    await Promise.all(receipts)
  })

  test('an asynchronous callback is refused, and nothing of it is queued', async () => {
    await using at = await stage(subject, tables)
    const collect = async (group: Group): Promise<void> => {
      group.insert('songs', { title: 'a' })
      await Promise.resolve()
      // What it does after the refusal, and how it ends, disturbs nobody.
      group.insert('songs', { title: 'b' })
    }
    assert.throws(() => at.db.atomic((group): unknown => collect(group)), { code: 'INVALID_CALL' })
    assert.equal(at.db.stats().queued.operations, 0)
    assert.equal(await at.value('SELECT count(*) FROM songs'), 0)
  })

  test('law 1 · a callback that throws, or writes what is invalid, queues nothing', async () => {
    await using at = await stage(subject, tables)
    const own = new Error('of the caller')
    assert.throws(
      () =>
        at.db.atomic((group) => {
          group.insert('songs', { title: 'a' })
          throw own
        }),
      own,
    )
    assert.throws(
      () =>
        at.db.atomic((group) => {
          group.insert('songs', { title: 'a' })
          group.insert('songs', { colour: 'red' })
        }),
      { code: 'UNKNOWN_COLUMN' },
    )
    assert.equal(at.db.stats().queued.operations, 0)
    assert.equal((await at.db.insert('songs', { title: 'b' })).position.seq, 1)
    assert.equal(await at.value('SELECT count(*) FROM songs'), 1)
  })

  test('law 4 · inside a group, a refused call that the callback catches leaves the rest of the group', async () => {
    await using at = await stage(subject, tables)
    await at.db.atomic((group) => {
      group.insert('songs', { id: 1, title: 'a' })
      assert.throws(() => group.insert('songs', { id: 2, title: Number.NaN }), InvalidOperationError)
      group.insert('songs', { id: 3, title: 'c' })
    })
    assert.deepEqual(await at.rows('SELECT id, title FROM songs ORDER BY id'), [
      { id: 1, title: 'a' },
      { id: 3, title: 'c' },
    ])
  })

  test('law 4 · a group is complete when its callback returns: later writes to it are refused', async () => {
    await using at = await stage(subject, tables)
    let leaked: Group | undefined
    const receipt = at.db.atomic((group) => {
      group.insert('songs', { title: 'inside' })
      leaked = group
    })
    assert.throws(() => leaked?.insert('songs', { title: 'too late' }), { code: 'INVALID_CALL' })
    await receipt
    assert.deepEqual(await at.rows('SELECT title FROM songs'), [{ title: 'inside' }])
  })

  test('an empty group is refused', async () => {
    await using at = await stage(subject, tables)
    assert.throws(() => at.db.atomic(() => undefined), { code: 'EMPTY_OPERATION' })
    assert.throws(() => at.db.insertMany('songs', []), { code: 'EMPTY_OPERATION' })
    assert.equal(at.db.insert('songs', { title: 'a' }).position.seq, 1)
  })
}
