/** Operations take effect in the order of their positions, whatever their kinds. */
import assert from 'node:assert/strict'
import { sqlDialects } from './sql.ts'
import { endings, range, rowsOf, stage, turnOfTheLoop } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = [
  'CREATE TABLE cells (name TEXT PRIMARY KEY, n INTEGER, tag TEXT)',
  'CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER, kind TEXT)',
]

export const order: Topic = (subject, test, onlyFor) => {
  test('law 2 · put, delete and put on one key leave the last put', async () => {
    await using at = await stage(subject, tables)
    at.db.insert('cells', { name: 'a', n: 1 })
    at.db.delete('cells', { name: 'a' })
    at.db.insert('cells', { name: 'a', n: 2 })
    at.db.delete('cells', { name: 'a' })
    at.db.upsert('cells', { name: 'a', n: 3 })
    assert.deepEqual(await at.rows('SELECT name, n FROM cells'), [{ name: 'a', n: 3 }])
  })

  test('law 2 · delete, put and delete on one key leave nothing', async () => {
    await using at = await stage(subject, tables)
    const receipts = [
      at.db.delete('cells', { name: 'a' }),
      at.db.upsert('cells', { name: 'a', n: 1 }),
      at.db.upsert('cells', { name: 'a', n: 2 }),
      at.db.delete('cells', { name: 'a' }),
    ]
    assert.deepEqual(await endings(receipts), ['committed', 'committed', 'committed', 'committed'])
    assert.deepEqual(await at.rows('SELECT * FROM cells'), [])
  })

  test('law 2 · upserts of one key in one run leave the last one’s values', async () => {
    await using at = await stage(subject, tables)
    for (const n of range(500)) at.db.upsert('cells', { name: `k${n % 7}`, n })
    const expected = range(7).map((k) => ({ name: `k${k}`, n: 499 - ((499 - k) % 7) }))
    assert.deepEqual(await at.rows('SELECT name, n FROM cells ORDER BY name'), expected)
  })

  test('law 2 · of two inserts of one key in one run the first one wins', async () => {
    await using at = await stage(subject, tables)
    const receipts = range(3).map((n) => at.db.insert('cells', { name: 'same', n }))
    const [first, ...others] = await endings(receipts)
    assert.equal(first, 'committed')
    assert.ok(others.every((ending) => ending !== 'committed'))
    assert.equal(await at.value('SELECT n FROM cells'), 0)
  })

  test('law 2 · every kind of operation sees what stands before it', async () => {
    await using at = await stage(subject, tables)
    const increment = { sql: at.sql('UPDATE cells SET n = n * 2 + 1 WHERE name = ?'), parameters: ['a'] }
    at.db.insert('cells', { name: 'a', n: 0 })
    at.db.write(increment)
    at.db.atomic((group) => {
      group.write(increment)
      group.write(increment)
    })
    at.db.update('cells', { name: 'a', n: 7 }, { n: 70, tag: 'x' })
    at.db.insertMany('cells', [{ name: 'b', n: 70 }], { atomic: false })
    at.db.write({ sql: "UPDATE cells SET n = n + 1 WHERE tag = 'x' OR name = 'b'", parameters: [] })
    await at.db.transaction(async (trx) => {
      await trx.updateTable('cells').set({ n: 100 }).where('n', '=', 71).execute()
    })
    at.db.upsert('cells', { name: 'b', n: 200 })
    at.db.delete('cells', { name: 'a', n: 100 }, { expect: 1 })
    assert.deepEqual(await at.rows('SELECT name, n FROM cells'), [{ name: 'b', n: 200 }])
  })

  onlyFor(
    sqlDialects,
    'law 2 · thousands of operations of many shapes, in many batches, are applied in position order',
    async () => {
      await using at = await stage(subject, tables, { batch: { maxOperations: 10 } })
      const append = at.sql('INSERT INTO log (seq, kind) VALUES (?, ?)')
      for (const index of range(2_000)) {
        const seq = index + 1
        if (index % 5 === 0) at.db.insert('log', { seq, kind: 'insert' })
        else if (index % 5 === 1) at.db.write({ sql: append, parameters: [seq, 'statement'] })
        else if (index % 5 === 2) at.db.insertMany('log', [{ kind: 'group', seq }])
        else if (index % 5 === 3) at.db.insertMany('log', [{ seq, kind: 'load' }], { atomic: false })
        else at.db.insert('log', { kind: 'other order', seq })
      }
      const found = await at.rows('SELECT seq FROM log ORDER BY id')
      assert.deepEqual(
        found.map(({ seq }) => seq),
        range(2_000).map((index) => index + 1),
      )
    },
  )

  test('law 2 · at every instant the database holds a prefix of what was accepted', async () => {
    await using at = await stage(subject, tables, {
      batch: { maxOperations: 50 },
      queue: { maxOperations: 5_000 },
    })
    const receipts = range(3_000).map((index) => at.db.insert('log', { seq: index + 1 }))
    let count = 0
    while (count < 3_000) {
      await turnOfTheLoop()
      const [seen] = await rowsOf(at.db, 'SELECT count(*) AS count, max(seq) AS last FROM log', 'eventual')
      count = Number(seen?.['count'])
      assert.equal(count === 0 ? 0 : seen?.['last'], count)
    }
    assert.equal((await endings(receipts)).filter((ending) => ending !== 'committed').length, 0)
  })

  test('law 2 · a transaction stands where it was called, between the writes before and after it', async () => {
    await using at = await stage(subject, tables)
    at.db.insert('log', { seq: 1 })
    const transaction = at.db.transaction(async (trx) => {
      await trx.insertInto('log').values({ seq: 2 }).execute()
    })
    at.db.insert('log', { seq: 3 })
    await transaction
    const found = await at.rows('SELECT seq FROM log ORDER BY id')
    assert.deepEqual(
      found.map(({ seq }) => seq),
      [1, 2, 3],
    )
  })
}
