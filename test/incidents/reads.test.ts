/** Reads that showed a past, or took another write for the one they waited for. Law 6. */
import { expect, test } from 'vitest'
import { open, type Tidemark } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { Child } from '../support/child.ts'
import { databaseFile, look } from '../support/database-file.ts'

interface DB {
  files: { path: string; state: string }
}

const foreverMs = 2 ** 31 - 1
const path = 'notes/a.md'
const states = { sql: 'SELECT state FROM files WHERE path = ?', parameters: [path] }

/** Every way to read a file's state that must see what was written before. */
function roads(db: Tidemark<DB>, other: Tidemark<DB>): Record<string, (after: string) => Promise<unknown>> {
  const session = db.session()
  const select = (reads: Pick<Tidemark<DB>, 'kysely'>['kysely']) =>
    reads.selectFrom('files').select('state').where('path', '=', path).executeTakeFirst()
  return {
    strong: () => select(db.read('strong')),
    'read after write': () => select(db.read('readAfterWrite')),
    'the bookmark of the write': (after) => select(db.read({ consistency: 'readAfterWrite', after })),
    'a session': (after) => {
      session.include(after)
      return select(session.read())
    },
    'existing code in a session': (after) => select(db.session(after).kysely),
    SQL: async (after) => (await db.session(after).query<DB['files']>(states)).rows[0],
    'the key': async () => ({ state: (await db.get('files', { path })).row?.state }),
    'another engine': (after) => select(other.session(after).read()),
  }
}

// A note-taking program processed files in batches; whoever asked for a file's state while its write was still in the
// buffer got the state before. Here a read says how fresh it must be, and one that must have seen a write waits for its
// commit and ends the linger.
test('law 6 · incident: stale read before flush', async () => {
  const file = databaseFile('CREATE TABLE files (path TEXT PRIMARY KEY, state TEXT NOT NULL)')
  await using other = await open<DB>(sqlite(file))
  await using db = await open<DB>(sqlite(file), { batch: { lingerMs: foreverMs } })
  await db.insert('files', { path, state: 'new' })
  for (const [road, read] of Object.entries(roads(db, other))) {
    const state = `processed, read by ${road}`
    const receipt = db.update('files', { path }, { state })
    expect(receipt.state, 'nothing but a read will end its linger').toBe('pending')
    // Another engine cannot end it; whoever hands over the bookmark can.
    if (road === 'another engine') void receipt.outcome()
    expect(await read(receipt.bookmark), road).toEqual({ state })
  }
  const { bookmark } = db.update('files', { path }, { state: 'unseen' })
  const read = other.query(states, { consistency: 'readAfterWrite', after: bookmark, timeoutMs: 20 })
  await expect(read, 'late is an error, never the state before').rejects.toMatchObject({ code: 'STALE_READ' })
})

// A process died with writes that it had accepted and not committed; its successor numbered its own writes from where
// the database had ended. A bookmark to a lost write was then satisfied by another write of the same number, and the
// reader showed a state in which its own change was missing. Here a number counts within an epoch, each opening begins
// a new one, and the old one has its final tidemark: what lies beyond it is lost, and told so.
test('law 6 · incident: a reused position satisfying an old bookmark', async () => {
  const file = databaseFile('CREATE TABLE files (path TEXT PRIMARY KEY, state TEXT NOT NULL)')
  const killed = new Child(new URL('killed-process.ts', import.meta.url), [file, 'service'])
  const committed = await killed.said('committed')
  const accepted = await killed.said('accepted')
  await killed.kill()

  await using db = await open<DB>(sqlite(file), { writer: 'service' })
  // Its successor comes to the same number, and past it.
  for (let n = 1; n <= 5; n++) await db.upsert('files', { path: `other ${n}`, state: 'new' })
  expect(look(file, 'SELECT watermark, closed FROM tidemark_writers ORDER BY epoch')).toEqual([
    { watermark: 1, closed: 1 },
    { watermark: 5, closed: 0 },
  ])
  await using reader = await open<DB>(sqlite(file))
  for (const engine of [db, reader]) {
    const seen = await engine.session(committed).query(states)
    expect(seen.rows).toEqual([{ state: 'committed' }])
    const lost = { code: 'POSITION_LOST' }
    await expect(engine.session(accepted).query(states)).rejects.toMatchObject(lost)
    await expect(engine.session([committed, accepted]).query(states)).rejects.toMatchObject(lost)
    const read = engine.read({ consistency: 'readAfterWrite', after: accepted, timeoutMs: 0 })
    await expect(read.selectFrom('files').select('state').execute()).rejects.toMatchObject(lost)
  }
})
