/** Two engines of one writer name: the newer one fences the older, whose commits change nothing from then on. */
import assert from 'node:assert/strict'
import { endings, foreverMs, range, record, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE songs (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL)'
const own = { writer: 'own' }

export const fencing: Topic = (subject, test) => {
  const writers = 'SELECT writer, epoch, watermark, closed FROM tidemark_writers ORDER BY epoch'
  const titles = 'SELECT title FROM songs ORDER BY id'

  test('law 3 · a second engine of the same name stops the first with FENCED at its next commit', async () => {
    await using at = await stage(subject, tables, own)
    const fenced = record(at.db, 'fenced')
    const alerts = record(at.db, 'alert')
    await at.db.insert('songs', { title: 'of the first' })
    const second = await at.open(own)
    assert.deepEqual(await endings([at.db.insert('songs', { title: 'too late' })]), ['FENCED not-committed'])
    assert.throws(() => at.db.insert('songs', { title: 'refused' }), { code: 'FENCED' })
    assert.throws(() => at.db.write({ sql: 'DELETE FROM songs', parameters: [] }), { code: 'FENCED' })
    await assert.rejects(
      at.db.transaction(async () => undefined),
      { code: 'FENCED' },
    )
    assert.deepEqual(
      [fenced.map(({ error }) => error.code), alerts.map(({ kind }) => kind)],
      [['FENCED'], ['stopped']],
    )
    await second.insert('songs', { title: 'of the second' })
    assert.deepEqual(await at.outside(titles), [{ title: 'of the first' }, { title: 'of the second' }])
  })

  if (subject.commits === 'async') {
    test('law 3 · what the first engine had pending is abandoned as not committed, and is not in the tables', async () => {
      const options = { ...own, batch: { lingerMs: foreverMs, maxOperations: 10 } }
      await using at = await stage(subject, tables, options)
      await at.db.insert('songs', { title: 'kept' })
      const insert = (count: number) => range(count).map(() => at.db.insert('songs', { title: 'pending' }))
      const pending = insert(5)
      const second = await at.open(own)
      // Full batches, several of them in flight at once, and a transaction in the line.
      pending.push(...insert(40))
      const transaction = at.db.transaction(() => assert.fail('its callback ran'))
      const refused = assert.rejects(transaction, { code: 'FENCED', outcome: 'not-committed' })
      pending.push(...insert(25))
      const flushed = assert.rejects(at.db.flush(), { code: 'FENCED' })
      const ready = at.db.ready()
      assert.deepEqual(new Set(await endings(pending)), new Set(['FENCED not-committed']))
      await Promise.all([flushed, refused, ready])
      await second.insert('songs', { title: 'of the second' })
      assert.deepEqual(await at.outside(titles), [{ title: 'kept' }, { title: 'of the second' }])
      assert.equal(at.db.stats().queued.operations, 0)
    })
  }

  test('law 3 · a fenced engine cannot run a transaction', async () => {
    await using at = await stage(subject, tables, own)
    const second = await at.open(own)
    await assert.rejects(
      at.db.transaction(() => assert.fail('its callback ran')),
      { code: 'FENCED', outcome: 'not-committed' },
    )
    await second.flush()
  })

  test('law 3 · the row of each epoch holds its tidemark, and ends with its final one', async () => {
    await using at = await stage(subject, tables, own)
    for (const index of range(30)) at.db.insert('songs', { title: `song ${index}` })
    at.db.insertMany('songs', [{ title: 'a' }, { title: null }])
    await at.db.flush()
    const first = at.db.epoch
    assert.deepEqual(await at.outside(writers), [{ writer: 'own', epoch: first, watermark: 31, closed: 0 }])
    const second = await at.open(own)
    await second.insert('songs', { title: 'b' })
    assert.ok(second.epoch > first)
    assert.deepEqual(second.stats().tidemark, { writer: 'own', epoch: second.epoch, seq: 1 })
    await second.close()
    const third = await at.open(own)
    assert.ok(third.epoch > second.epoch)
    assert.deepEqual(await at.outside(writers), [
      { writer: 'own', epoch: first, watermark: 31, closed: 1 },
      { writer: 'own', epoch: second.epoch, watermark: 1, closed: 1 },
      { writer: 'own', epoch: third.epoch, watermark: 0, closed: 0 },
    ])
  })

  test('law 3 · closing a fenced engine does not disturb the one that fenced it', async () => {
    await using at = await stage(subject, tables, own)
    const second = await at.open(own)
    await at.db.close().catch(() => undefined)
    await second.insert('songs', { title: 'a' })
    assert.deepEqual(await at.outside(writers), [
      { writer: 'own', epoch: at.db.epoch, watermark: 0, closed: 1 },
      { writer: 'own', epoch: second.epoch, watermark: 1, closed: 0 },
    ])
  })

  test('engines of different names write to one table side by side', async () => {
    await using at = await stage(subject, tables)
    const engines = [at.db, await at.open(), await at.open({ writer: 'third' })]
    assert.equal(new Set(engines.map(({ writer }) => writer)).size, 3)
    const receipts = engines.flatMap((engine, index) =>
      range(200).map((n) => engine.insert('songs', { title: `${index}:${n}` })),
    )
    const ids = (await Promise.all(receipts)).map(({ id }) => id)
    assert.equal(new Set(ids).size, 600)
    const found = (await at.rows(titles)).map(({ title }) => String(title))
    for (const index of [0, 1, 2]) {
      const ofOne = found.filter((title) => title.startsWith(`${index}:`))
      assert.deepEqual(
        ofOne,
        range(200).map((n) => `${index}:${n}`),
      )
    }
  })

  test('law 3 · many openings of one name at once end with one that writes, at the highest epoch', async () => {
    await using at = await stage(subject, tables, own)
    const engines = await Promise.all(range(5).map(() => at.open(own)))
    const epochs = engines.map(({ epoch }) => epoch)
    assert.equal(new Set([at.db.epoch, ...epochs]).size, 6)
    const ended = await endings(
      engines.map((engine) => engine.insert('songs', { title: `epoch ${engine.epoch}` })),
    )
    assert.equal(ended.filter((ending) => ending === 'committed').length, 1)
    assert.deepEqual(await at.outside(titles), [{ title: `epoch ${Math.max(...epochs)}` }])
  })
}
