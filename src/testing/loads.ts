/** Loads: rows that stand alone, and the checkpoint that is committed with them. */
import assert from 'node:assert/strict'
import type { Json } from '../index.ts'
import { endings, pause, range, record, rowsOf, stage, turnOfTheLoop, type AnyTidemark } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'
const songs = (count: number) => range(count).map((index) => ({ title: `song ${index}` }))

function load(db: AnyTidemark, rows: Iterable<Record<string, unknown>>, value: unknown, source = 'a.log') {
  return db.insertMany('songs', rows, { atomic: false, checkpoint: { source, value } })
}

const countAndCheckpoint =
  "SELECT (SELECT count(*) FROM songs) AS count, (SELECT value FROM tidemark_checkpoints WHERE source = 'a.log') AS value"
const countAndCheckpointInSurrealQl =
  "SELECT count, type::record('tidemark_checkpoints', 'a.log').`value` AS `value` FROM (SELECT count() AS count FROM songs GROUP ALL)"

export const loads: Topic = (subject, test) => {
  const count = 'SELECT count(*) FROM songs'

  test('law 3 · rows and their checkpoint are committed together', async () => {
    await using at = await stage(subject, tables)
    const receipts = range(100).map((index) => load(at.db, songs(20), (index + 1) * 20))
    let rows = 0
    while (rows < 2_000) {
      await turnOfTheLoop()
      const [seen] = await rowsOf(
        at.db,
        subject.dialect === 'surrealql' ? countAndCheckpointInSurrealQl : countAndCheckpoint,
        'eventual',
      )
      rows = Number(seen?.['count'])
      assert.equal(Number(seen?.['value'] ?? 0), rows)
    }
    assert.deepEqual(new Set(await endings(receipts)), new Set(['committed']))
  })

  test('a checkpoint is any JSON, one a source, and the last one counts', async () => {
    await using at = await stage(subject, tables)
    const values: Json[] = [0, null, 'text', [1, { a: null }], { offset: 5, line: 'ö"\\' }, true]
    assert.equal(await at.db.checkpoint('a'), undefined)
    for (const [index, value] of values.entries()) await load(at.db, [], value, `source ${index}`)
    for (const [index, value] of values.entries())
      assert.deepEqual(await at.db.checkpoint(`source ${index}`), value)
    await load(at.db, [], { offset: 6 }, 'source 0')
    assert.deepEqual(await at.db.checkpoint('source 0'), { offset: 6 })
    assert.equal(await at.db.checkpoint('source 1'), null)
  })

  test('law 4 · a bad row of a load is rejected by itself; the receipt counts it, the checkpoint is committed', async () => {
    await using at = await stage(subject, tables)
    const rejects = record(at.db, 'reject')
    const rows = songs(500).map((song, index) => (index % 100 === 50 ? { title: null } : song))
    const { rejected, position } = await load(at.db, rows, 500)
    assert.deepEqual([rejected, position.seq], [5, 500])
    assert.deepEqual(
      rejects.map((event) => event.position.seq),
      [51, 151, 251, 351, 451],
    )
    assert.deepEqual([await at.value(count), await at.db.checkpoint('a.log')], [495, 500])
    assert.equal((await load(at.db, songs(3), 503)).rejected, 0)
  })

  test('law 5 · a bad row of a load can be redriven', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { id: 1, title: 'in the way' })
    await load(
      at.db,
      [
        { id: 1, title: 'late' },
        { id: 2, title: 'fine' },
      ],
      2,
    )
    await at.db.delete('songs', { id: 1 })
    const [letter] = await at.db.deadLetters()
    assert.equal((await at.db.redrive([letter?.id ?? 0]))[0]?.outcome.kind, 'committed')
    assert.deepEqual(await at.rows('SELECT title FROM songs ORDER BY id'), [
      { title: 'late' },
      { title: 'fine' },
    ])
  })

  test('law 5 · input that could not be read is kept as it was, and counted', async () => {
    await using at = await stage(subject, tables)
    const unreadable = [
      { text: 'half a line\u0000 \ud800', error: 'line 3: no end' },
      { text: '', error: 'line 9: empty' },
    ]
    const receipt = at.db.insertMany('songs', [...songs(2), { title: null }], {
      atomic: false,
      unreadable,
      checkpoint: { source: 'a.log', value: 9 },
    })
    assert.equal((await receipt).rejected, 3)
    assert.equal(receipt.position.seq, 5)
    const letters = await at.db.deadLetters({ code: 'UNREADABLE_INPUT' })
    assert.deepEqual(
      letters.map(({ content, message, table, seq }) => ({ content, message, table, seq })),
      [
        { content: 'half a line\u0000 \ud800', message: 'line 3: no end', table: 'songs', seq: 4 },
        { content: '', message: 'line 9: empty', table: 'songs', seq: 5 },
      ],
    )
    assert.equal(await at.value(count), 2)
  })

  test('a load of nothing, and of a checkpoint alone, takes a position and is committed', async () => {
    await using at = await stage(subject, tables)
    assert.equal((await load(at.db, [], 1)).position.seq, 1)
    assert.equal((await at.db.insertMany('songs', [], { atomic: false })).position.seq, 2)
    assert.equal((await at.db.insert('songs', { title: 'a' })).position.seq, 3)
  })

  test('law 1 · a checkpoint is a snapshot: changing it after the call changes nothing', async () => {
    await using at = await stage(subject, tables)
    const resume = await pause(at.db)
    const value = { offset: 1, lines: [1] }
    const receipt = load(at.db, songs(1), value)
    value.offset = 2
    value.lines.push(2)
    await resume()
    await receipt
    assert.deepEqual(await at.db.checkpoint('a.log'), { offset: 1, lines: [1] })
  })

  test('law 1 · a checkpoint or unreadable input that cannot be kept is refused at the call, and nothing is queued', async () => {
    await using at = await stage(subject, tables)
    for (const value of [undefined, () => 1, Symbol('a'), 5n, { big: 5n }])
      assert.throws(() => load(at.db, songs(1), value), { name: 'InvalidOperationError' })
    assert.throws(() => load(at.db, songs(1), 1, 5 as unknown as string), { name: 'InvalidOperationError' })
    for (const input of [{ text: 5, error: 'x' }, { text: 'x' }, null])
      assert.throws(
        () =>
          at.db.insertMany('songs', songs(1), {
            atomic: false,
            unreadable: [input as { text: string; error: string }],
          }),
        { name: 'InvalidOperationError' },
      )
    assert.throws(() => load(at.db, [{ title: 'a' }, { colour: 'red' }], 1), { code: 'UNKNOWN_COLUMN' })
    assert.equal(at.db.stats().queued.operations, 0)
    assert.equal((await load(at.db, songs(1), 1)).position.seq, 1)
    assert.equal(await at.value(count), 1)
  })

  test('a checkpoint goes with rows that stand alone only', async () => {
    await using at = await stage(subject, tables)
    const checkpoint = { source: 'a', value: 1 }
    assert.throws(() => at.db.insertMany('songs', songs(1), { checkpoint }), { code: 'INVALID_CALL' })
    assert.throws(
      () => at.db.insertMany('songs', songs(1), { atomic: true, unreadable: [{ text: 'a', error: 'b' }] }),
      {
        code: 'INVALID_CALL',
      },
    )
    assert.equal(at.db.stats().queued.operations, 0)
  })

  test('law 3 · a load that is stopped anywhere goes on where the checkpoint says: no row twice, none missing', async () => {
    await using at = await stage(subject, tables, { writer: 'loader', batch: { maxOperations: 10 } })
    const all = songs(200)
    const ingest = async (db: AnyTidemark, stopAfter: number): Promise<void> => {
      const from = Number((await db.checkpoint('a.log')) ?? 0)
      for (let next = from; next < all.length && next < from + stopAfter; next += 7)
        void load(db, all.slice(next, next + 7), Math.min(next + 7, all.length)).outcome()
    }
    await ingest(at.db, 60)
    // Opened again before the first was closed: what the first had not committed is not committed any more.
    for (const stopAfter of [30, 50, 1_000]) {
      const next = await at.open({ writer: 'loader', batch: { maxOperations: 10 } })
      await ingest(next, stopAfter)
      if (stopAfter === 1_000) await next.flush()
    }
    const found = await at.outside('SELECT title FROM songs ORDER BY id')
    assert.deepEqual(
      found.map(({ title }) => title),
      all.map(({ title }) => title),
    )
  })
}
