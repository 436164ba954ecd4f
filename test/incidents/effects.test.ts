/** What outboxes and queues lost, repeated or reordered. Law 8. */
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { open, type Effect } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { sqliteVec } from '../../src/targets/sqlite-vec/index.ts'
import { change, databaseFile, look, temporaryFolder } from '../support/database-file.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'

interface DB {
  chunks: { id: number; state: string }
}
const schema = 'CREATE TABLE chunks (id INTEGER PRIMARY KEY, state TEXT NOT NULL)'
const embed = { kind: 'embed' }

/** Resolves once so many different effects were delivered. */
function collecting(count: number): {
  seen: Effect[]
  all: Promise<void>
  take: (effects: readonly Effect[]) => void
} {
  const seen: Effect[] = []
  const all = Promise.withResolvers<void>()
  return {
    seen,
    all: all.promise,
    take: (effects) => {
      seen.push(...effects)
      if (new Set(seen.map(({ id }) => id)).size >= count) all.resolve()
    },
  }
}

// A poller asked for rows above the highest number it had seen. Numbers are drawn at the insert and seen at the commit:
// a transaction that took long committed a lower one later, and its row was never looked at. Here each writer's effects
// are followed by its own positions, which have no gaps, and lower numbers are looked for again.
await withServer(embeddedPostgres, (server) => {
  test('law 8 · incident: outbox rows skipped because ids commit out of order', async () => {
    const url = await server.createDatabase()
    const slow = new Client({ connectionString: url })
    await slow.connect()
    await slow.query(schema)
    const db = await open<DB>(postgres(url))
    const other = await open<DB>(postgres(url))
    const { seen, all, take } = collecting(4)
    await db.effects.handle('embed', async (effects) => take(effects), { pollMs: 600_000 })
    for (const id of [1, 2]) await other.insert('chunks', { id, state: 'new' })
    const segment = (seq: number) =>
      `INSERT INTO tidemark_segments (kind, epoch, first_seq, last_seq, last_n, items, committed_at, content)
       VALUES ('embed', ${other.epoch}, ${seq}, ${seq}, 0, 1, 0, '[[${seq},0,1],["slow"],[[null,${seq}]],[]]')`
    // The other writer's transaction has drawn its number, and does not commit.
    await slow.query('BEGIN')
    await slow.query(segment(1))
    const writeQuick = async (id: number): Promise<void> => {
      await db.insert('chunks', { id, state: 'new' }, { effects: [{ ...embed, key: 'quick', payload: id }] })
      await expect.poll(() => seen.map(({ payload }) => payload)).toContain(id)
    }
    await writeQuick(3)
    await slow.query('COMMIT')
    // The next of the slow one's key is numbered behind what was seen: it must not be taken before that one. And what
    // follows from both must not be taken before them, although this engine was told of its own only.
    await slow.query(segment(2))
    await writeQuick(4)
    await all
    expect(seen.map(({ payload }) => payload)).toEqual([3, 1, 4, 2])
    expect(seen[1]?.version).toBeLessThan(seen[0]?.version ?? 0)
    await db.close()
    await other.close()
    await slow.end()
  })
})

// A worker read what was there, did it, and then marked everything up to now as done: also what was inserted between
// its look and its mark. Here what is marked is what was delivered, one by one.
test('law 8 · incident: outbox ack racing the insert', async () => {
  const file = databaseFile(schema)
  const db = await open<DB>(sqlite(file))
  const count = 600
  const { seen, all, take } = collecting(count)
  let written = 0
  await db.effects.handle(
    'embed',
    async (effects) => {
      take(effects)
      // Between the look and the ack, again and again.
      for (let n = 0; n < 3 && written < count; n++)
        db.insert('chunks', { id: written++, state: 'new' }, { effects: [embed] })
      await setImmediate()
    },
    { batch: 2, concurrency: 3 },
  )
  db.insert('chunks', { id: written++, state: 'new' }, { effects: [embed] })
  await all
  expect(seen).toHaveLength(count)
  await db.close()
})

// A worker hung for longer than its lease, another one did its job, and then the first woke up and wrote its older
// result over the newer one. Here its ack and its writes are refused as one.
test('law 8 · incident: zombie worker finishing after its lease', async () => {
  const file = databaseFile(schema)
  const zombie = await open<DB>(sqlite(file))
  const begun = Promise.withResolvers<void>()
  const wakeUp = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  await zombie.effects.handle(
    'embed',
    async (effects) => {
      begun.resolve()
      await wakeUp.promise
      return effects.map(({ key }) => ({
        kind: 'delivered' as const,
        write: (to) => {
          to.update('chunks', { id: Number(key) }, { state: 'old result' })
          over.resolve()
        },
      }))
    },
    { leaseMs: 20, pollMs: 600_000 },
  )
  zombie.insert('chunks', { id: 1, state: 'new' }, { effects: [embed] })
  await begun.promise
  const other = await open<DB>(sqlite(file))
  await other.effects.handle(
    'embed',
    async (effects) =>
      effects.map(({ key }) => ({
        kind: 'delivered' as const,
        write: (to) => to.update('chunks', { id: Number(key) }, { state: 'result' }),
      })),
    { pollMs: 5 },
  )
  await expect.poll(() => look(file, 'SELECT state FROM chunks')).toEqual([{ state: 'result' }])
  wakeUp.resolve()
  await over.promise
  await zombie.flush()
  expect(look(file, 'SELECT state FROM chunks')).toEqual([{ state: 'result' }])
  await zombie.close()
  await other.close()
})

// A process died with thousands of jobs claimed. Their leases ended in one moment, all were released at once, and what
// they called was called thousands of times over. Here a lane changes hands, its effects do not become free by themselves.
test('law 8 · incident: mass orphan release', async () => {
  const file = databaseFile(schema)
  const dead = await open<DB>(sqlite(file), { writer: 'worker' })
  await dead.effects.handle('embed', () => new Promise<never>(() => undefined), {
    concurrency: 40,
    batch: 10,
  })
  const count = 2_000
  const rows = Array.from({ length: count }, (_, id) => ({ id, state: 'new' }))
  await dead.insertMany('chunks', rows, { effects: () => [embed] })
  await expect.poll(async () => (await dead.effects.stats('embed')).handler?.running).toBe(40)

  const db = await open<DB>(sqlite(file), { writer: 'worker' })
  const { seen, all, take } = collecting(count)
  let running = 0
  let most = 0
  await db.effects.handle(
    'embed',
    async (effects) => {
      most = Math.max(most, ++running)
      await setImmediate()
      running--
      take(effects)
    },
    { concurrency: 2, batch: 50 },
  )
  await all
  expect(most).toBeLessThanOrEqual(2)
  expect(seen).toHaveLength(count)
  await db.close()
  await dead.close({ timeoutMs: 100 }).catch(() => undefined)
})

// A job read which rows there were, then listed the vectors, and deleted those without a row: among them one whose row had
// been written in between. Here who suspects a vector deletes nothing: it has the effect of its key done again, behind all
// others of that key, and whoever does it looks for the row then.
test('law 8 · incident: reconciler deleting a just-written vector', async () => {
  const file = databaseFile(schema)
  const vectors = sqliteVec(path.join(temporaryFolder(), 'vectors.db'), { dimensions: 1, distance: 'l2' })
  const db = await open<DB>(sqlite(file))
  const rows = async (): Promise<string[]> =>
    (await db.query<{ id: number }>({ sql: 'SELECT id FROM chunks', parameters: [] }, 'strong')).rows.map(
      ({ id }) => String(id),
    )
  const keys = async (): Promise<string[]> => (await vectors.search([0], 100)).map(({ key }) => key)
  await db.effects.handle('embed', async (effects, context) => {
    const there = await rows()
    const asked = effects.map((effect) => ({
      ...effect,
      payload: there.includes(effect.key ?? '') ? { op: 'set', vector: [1] } : { op: 'delete' },
    }))
    return await vectors.deliver(asked, context)
  })
  const write = async (id: number): Promise<void> => {
    const { bookmark } = db.insert('chunks', { id, state: 'new' }, { effects: [embed] })
    await db.effects.reached('embed', bookmark)
  }
  await write(1)
  change(file, 'DELETE FROM chunks')
  const old = await rows()
  await write(2)
  const suspects = (await keys()).filter((key) => !old.includes(key))
  expect(suspects.toSorted()).toEqual(['1', '2'])
  const again = db.enqueue(...suspects.map((key) => ({ ...embed, key })))
  await db.effects.reached('embed', again.bookmark)
  expect(await keys()).toEqual(['2'])
  await db.close()
  await vectors.close()
})
