/** Queries that Drizzle builds are written as they are: it compiles, we commit. */
import { eq, lt, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import { alias, blob, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { expect, test } from 'vitest'
import { foreverMs, stage } from '../../src/testing/stage.ts'
import { sqliteFile } from './subjects.ts'

const songs = sqliteTable('songs', {
  id: integer('id').primaryKey(),
  title: text('title').notNull(),
  isLive: integer('is_live', { mode: 'boolean' }),
  playedAt: integer('played_at', { mode: 'timestamp' }),
  tags: text('tags', { mode: 'json' }),
  cover: blob('cover', { mode: 'buffer' }),
})
const table = `CREATE TABLE songs (
  id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE, is_live INTEGER, played_at INTEGER, tags TEXT, cover BLOB)`
/** Only for building: what it built is never run by it. */
const builder = drizzle(async () => expect.fail('Drizzle ran a query itself'))

test('inserts, upserts, updates and deletes of Drizzle are written with the values it encodes', async () => {
  await using at = await stage(sqliteFile, table)
  const playedAt = new Date(5_000)
  at.db.write(
    builder.insert(songs).values([
      { id: 1, title: 'a', isLive: true, playedAt, tags: ['x'], cover: Buffer.from([1, 2]) },
      { id: 2, title: 'b', isLive: false },
    ]),
  )
  at.db.write(
    builder
      .insert(songs)
      .values({ title: 'a' })
      .onConflictDoUpdate({ target: songs.title, set: { isLive: false } }),
  )
  at.db.write(
    builder
      .update(songs)
      .set({ title: sql`upper(${songs.title})` })
      .where(eq(songs.id, 2)),
  )
  const { changes } = await at.db.write(builder.delete(songs).where(eq(songs.title, 'nothing')))
  expect(changes).toBe(0)
  expect(await at.rows('SELECT * FROM songs ORDER BY id')).toEqual([
    { id: 1, title: 'a', is_live: 0, played_at: 5, tags: '["x"]', cover: new Uint8Array([1, 2]) },
    { id: 2, title: 'B', is_live: 0, played_at: null, tags: null, cover: null },
  ])
})

test('law 3 · a query of Drizzle that only reads is refused', async () => {
  await using at = await stage(sqliteFile, table)
  expect(() => at.db.write(builder.select().from(songs))).toThrow(
    expect.objectContaining({ code: 'BAD_STATEMENT' }),
  )
})

test('law 6 · reads of Drizzle go through the gate: rows, joins with equal names, one row, none', async () => {
  await using at = await stage(sqliteFile, table, { batch: { lingerMs: foreverMs } })
  const session = at.db.session()
  const reads = drizzle(async (query, parameters, method) => {
    const { rows } = await session.query({ sql: query, parameters }, { asArrays: true })
    return { rows: method === 'get' ? (rows[0] as unknown as unknown[]) : rows }
  })
  session.write(reads.insert(songs).values([{ title: 'a', isLive: true, tags: ['x'] }, { title: 'b' }]))
  const found = await reads.select().from(songs).where(eq(songs.title, 'a'))
  expect(found).toEqual([{ id: 1, title: 'a', isLive: true, playedAt: null, tags: ['x'], cover: null }])
  const other = alias(songs, 'other')
  const pairs = await reads
    .select({ left: songs.title, right: other.title })
    .from(songs)
    .innerJoin(other, lt(songs.id, other.id))
  expect(pairs).toEqual([{ left: 'a', right: 'b' }])
  expect(await reads.select({ id: songs.id }).from(songs).where(eq(songs.title, 'b')).get()).toEqual({
    id: 2,
  })
  expect(await reads.select().from(songs).where(eq(songs.title, 'none')).get()).toBeUndefined()
})
