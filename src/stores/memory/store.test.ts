import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { open } from '../../index.ts'
import { memory, type MemoryOptions } from './index.ts'
import { MemoryStore } from './store.ts'

const schema = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'

test('with commit: "sync" a write is committed, or rejected, when its call returns', async () => {
  await using db = await open(memory({ schema, commit: 'sync' }))
  expect(db.insert('songs', { title: 'a' }).state).toBe('committed')
  expect(db.insert('songs', { title: null }).state).toBe('rejected')
  expect(db.stats().committed.operations).toBe(2)
})

test('law 3 · engines on one memory() share its tables and fence each other', async () => {
  const store = memory({ schema })
  const first = await open(store, { writer: 'a' })
  await first.insert('songs', { title: 'a' })
  await using second = await open(store, { writer: 'a' })
  expect(await second.read().selectFrom('songs').select('title').execute()).toEqual([{ title: 'a' }])
  await expect(first.insert('songs', { title: 'b' })).rejects.toMatchObject({ code: 'FENCED' })
  // It says once more, where it is closed, that something was abandoned.
  await expect(first.close()).rejects.toMatchObject({ code: 'FENCED' })
})

test.each(['async', 'sync'] as const)(
  'law 5 · a batch that meets another engine’s transaction waits for its end (%s)',
  async (commit) => {
    const store = memory({ schema, commit })
    await using one = await open(store)
    await using two = await open(store)
    const begun = Promise.withResolvers<void>()
    const ending = Promise.withResolvers<void>()
    const transaction = one.transaction(async () => {
      begun.resolve()
      await ending.promise
    })
    await begun.promise
    const retried = new Promise<void>((resolve) => void two.on('retry', () => resolve()))
    const receipt = two.insert('songs', { title: 'a' })
    void receipt.outcome()
    await retried
    expect(receipt.state).toBe('pending')
    ending.resolve()
    await transaction
    expect((await receipt).position.seq).toBe(1)
  },
)

test('its options are checked', () => {
  const wrong = { commit: 'later', colour: 'red' } as unknown as MemoryOptions
  expect(() => memory(wrong)).toThrow(
    /colour is not an option.*; commit must be 'async' or 'sync', not later/,
  )
  expect(() => memory({ schema: 'CREATE TABEL t' })).toThrow(
    expect.objectContaining({ code: 'STORE_FAILED' }),
  )
})

test('an epoch that cannot be begun fails as every store does', async () => {
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE tidemark_database (id TEXT)')
  await expect(open(new MemoryStore(database, '', 'async'))).rejects.toMatchObject({ code: 'STORE_FAILED' })
})
