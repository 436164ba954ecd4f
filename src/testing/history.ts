/** A database that is found behind what was known committed: the engine stops; it never carries on as if nothing happened. */
import assert from 'node:assert/strict'
import { endings, record, rowsOf, stage, type AnyTidemark } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'

const losses: Record<string, string> = {
  'is behind': 'UPDATE tidemark_writers SET watermark = 1',
  'is not there': 'DELETE FROM tidemark_writers',
  'is ahead': 'UPDATE tidemark_writers SET watermark = 1000',
  'has lost its table': 'DROP TABLE tidemark_writers',
}

export const history: Topic = (subject, test) => {
  for (const [how, sql] of Object.entries(losses)) {
    test(`law 10 · an engine whose tidemark ${how} stops with HISTORY_LOST, and writes nothing more`, async () => {
      await using at = await stage(subject, tables)
      const alerts = record(at.db, 'alert')
      for (const title of ['a', 'b', 'c']) await at.db.insert('songs', { title })
      await at.outside(sql)
      const [ending] = await endings([at.db.insert('songs', { title: 'lost' })])
      assert.match(ending ?? '', /^HISTORY_LOST /)
      assert.throws(() => at.db.insert('songs', { title: 'refused' }), { code: 'HISTORY_LOST' })
      assert.deepEqual(
        alerts.map(({ kind }) => kind),
        ['stopped'],
      )
      assert.deepEqual(await at.outside('SELECT count(*) AS count FROM songs'), [{ count: 3 }])
    })
  }

  test('law 10 · a transaction on a database that went back is not begun', async () => {
    await using at = await stage(subject, tables)
    for (const title of ['a', 'b', 'c']) await at.db.insert('songs', { title })
    await at.outside('UPDATE tidemark_writers SET watermark = 1')
    await assert.rejects(
      at.db.transaction(() => assert.fail('its callback ran')),
      { code: 'HISTORY_LOST' },
    )
  })

  test('law 10 · a read that meets a database behind what was committed stops the engine, and gives no rows', async () => {
    const reads = {
      query: (db: AnyTidemark) => db.query({ sql: 'SELECT title FROM songs', parameters: [] }, 'eventual'),
      get: (db: AnyTidemark) => db.get('songs', { id: 1 }),
    }
    for (const [name, read] of Object.entries(reads)) {
      await using at = await stage(subject, tables)
      for (const title of ['a', 'b', 'c']) await at.db.insert('songs', { title })
      await read(at.db)
      await at.outside(
        name === 'get' ? 'UPDATE tidemark_writers SET watermark = 1' : 'DELETE FROM tidemark_writers',
      )
      await assert.rejects(read(at.db), { code: 'HISTORY_LOST' }, name)
      for (const level of ['strong', 'readAfterWrite'] as const)
        await assert.rejects(rowsOf(at.db, 'SELECT title FROM songs', level), { code: 'HISTORY_LOST' }, level)
      assert.throws(() => at.db.insert('songs', { title: 'refused' }), { code: 'HISTORY_LOST' }, name)
    }
  })
}
