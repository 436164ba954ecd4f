/** Reads on servers that follow the database, and what becomes of them when those lag, fail or stop following. */
import { expect, test } from 'vitest'
import { NotSupportedError, open, type ReadOptions } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres, untilAt } from '../support/servers/postgres.ts'
import { Standby } from '../support/servers/standby.ts'
import { count, standbysOf, standOn, table } from './stand.ts'

type AnySession = ReturnType<AnyTidemark['session']>

const fail = { replicaFallback: 'fail' } as const
const eventual = { consistency: 'eventual' } as const

async function countOf(
  db: Pick<AnyTidemark, 'query'>,
  options: Omit<ReadOptions, 'from'> = {},
): Promise<unknown> {
  const { rows } = await db.query(count, { consistency: 'readAfterWrite', from: 'replica', ...options })
  return rows[0]?.['count']
}

test('a store without replicas refuses to read from one, at the call', async () => {
  await using db = await open(memory({ schema: 'CREATE TABLE songs (id INTEGER PRIMARY KEY)' }))
  expect(() => db.read({ from: 'replica' })).toThrow(NotSupportedError)
  await expect(db.query(count, { from: 'replica' })).rejects.toMatchObject({ code: 'NOT_SUPPORTED' })
  expect(() => db.read({ from: 'elsewhere' as 'replica' })).toThrow(/from must be 'primary' or 'replica'/)
})

await withServer(embeddedPostgres, async (primary) => {
  const [near, far] = await standbysOf(primary, 'near', 'far')

  test('law 6 · a read from a replica includes what this engine has written', async () => {
    const stand = await standOn(primary, [near, far])
    await using db = await stand.open(fail)
    for (let n = 1; n <= 50; n++) {
      db.insert('songs', { title: `song ${n}` })
      expect(await countOf(db)).toBe(n)
    }
    expect(db.stats().reads.replicas).toEqual({ reads: 50, fallbacks: 0 })
  })

  test('law 6 · a read from a replica includes the bookmark, however far it lags: it waits, or the primary answers', async () => {
    const stand = await standOn(primary, [near])
    await using db = await stand.open({ replicaWaitMs: 20 })
    await using patient = await stand.open(fail)
    await near.pauseReplay()
    try {
      const { bookmark } = db.insert('songs', { title: 'a' })
      // The primary itself must be asked: nobody else has it.
      expect(await countOf(db, { after: bookmark })).toBe(1)
      expect(db.stats().reads.replicas).toEqual({ reads: 0, fallbacks: 1 })
      await expect(countOf(patient, { after: bookmark, timeoutMs: 100 })).rejects.toMatchObject({
        code: 'STALE_READ',
        message: expect.stringMatching(/replica 127\.0\.0\.1:\d+ had shown 0 of 1 of writer/),
      })
      const waiting = countOf(patient, { after: bookmark, timeoutMs: 30_000 })
      await near.resumeReplay()
      expect(await waiting).toBe(1)
      expect(patient.stats().reads.replicas).toEqual({ reads: 1, fallbacks: 0 })
    } finally {
      await near.resumeReplay()
    }
  })

  test('law 6 · an eventual read takes what a replica shows, and never waits', async () => {
    const stand = await standOn(primary, [near])
    await using db = await stand.open(fail)
    await db.insert('songs', { title: 'shown' })
    await near.whenCaughtUp()
    await near.pauseReplay()
    try {
      await db.insert('songs', { title: 'not yet' })
      const report = await db.query(count, { consistency: 'eventual', from: 'replica' })
      expect([report.rows, report.waitedMs]).toEqual([[{ count: 1 }], 0])
      expect(report.seen.find(({ epoch }) => epoch === db.epoch)?.seq).toBe(1)
    } finally {
      await near.resumeReplay()
    }
  })

  test('law 6 · a strong read from a replica includes what any program had committed when it began', async () => {
    const stand = await standOn(primary, [near])
    await using db = await stand.open({ replicaWaitMs: 20 })
    await near.whenCaughtUp()
    await near.pauseReplay()
    try {
      await primary.query("INSERT INTO songs (title) VALUES ('past Tidemark')", stand.url)
      expect(await countOf(db, { consistency: 'strong' })).toBe(1)
      expect(await countOf(db, { consistency: 'eventual' })).toBe(0)
      const waiting = countOf(db, { consistency: 'strong', timeoutMs: 30_000 })
      await near.resumeReplay()
      expect(await waiting).toBe(1)
    } finally {
      await near.resumeReplay()
    }
  })

  test('law 6 · what is lost is told at once, also when only a replica may be read', async () => {
    const stand = await standOn(primary, [near])
    const dying = await stand.open({}, { writer: 'own', batch: { lingerMs: Infinity } })
    const { bookmark } = dying.insert('songs', { title: 'never committed' })
    await using again = await stand.open(fail, { writer: 'own' })
    await expect(countOf(again, { after: bookmark, timeoutMs: 60_000 })).rejects.toMatchObject({
      code: 'POSITION_LOST',
    })
    await dying.close().catch(() => undefined)
  })

  test('law 6 · a session never goes back between replicas, whoever wrote what it has seen', async () => {
    const stand = await standOn(primary, [near, far])
    await using db = await stand.open({ replicaWaitMs: 20 })
    await using writer = await stand.open()
    const writes: readonly (() => Promise<unknown>)[] = [
      async () => await writer.insert('songs', { title: 'by another engine' }),
      () => primary.query("INSERT INTO songs (title) VALUES ('past Tidemark')", stand.url),
    ]
    for (const [before, write] of writes.entries()) {
      await far.whenCaughtUp()
      await far.pauseReplay()
      try {
        await write()
        await near.whenCaughtUp()
        const session = db.session()
        let seen = Number(await countOf(session, { consistency: 'strong' }))
        expect(seen).toBe(before + 1)
        for (let n = 0; n < 4; n++) {
          expect(await countOf(session)).toBe(seen)
          // In the next request, perhaps in another process.
          expect(await countOf(writer.session(session.bookmark))).toBe(seen)
          expect(await countOf(writer, { after: session.bookmark })).toBe(seen)
        }
        // Without a session each read stands alone: one of the two replicas shows less.
        const alone = [await countOf(db, eventual), await countOf(db, eventual)]
        expect(new Set(alone)).toEqual(new Set([before, seen]))
        // What one has shown by chance binds the session too.
        const another = db.session()
        seen = 0
        for (let n = 0; n < 6; n++) {
          const found = Number(await countOf(another, n < 2 ? eventual : {}))
          if (n > 1) expect(found).toBeGreaterThanOrEqual(seen)
          seen = Math.max(seen, found)
        }
        expect(seen).toBe(before + 1)
      } finally {
        await far.resumeReplay()
      }
    }
  })

  test('law 6 · a session that has read on the primary is not shown less by a replica', async () => {
    const stand = await standOn(primary, [near])
    await using db = await stand.open({ replicaWaitMs: 20 })
    await near.whenCaughtUp()
    await near.pauseReplay()
    try {
      await primary.query("INSERT INTO songs (title) VALUES ('past Tidemark')", stand.url)
      const looks: readonly ((session: AnySession) => Promise<unknown>)[] = [
        (session) => session.query(count),
        (session) => session.read().selectFrom('songs').selectAll().execute(),
        (session) => session.read('eventual').selectFrom('songs').selectAll().execute(),
        (session) => session.get('songs', { id: 1 }),
      ]
      for (const look of looks) {
        const session = db.session()
        await look(session)
        expect(await countOf(session)).toBe(1)
      }
      expect(await countOf(db.session())).toBe(0)
    } finally {
      await near.resumeReplay()
    }
  })

  test('law 6 · what a session saw on a replica is committed: it may write behind it at once', async () => {
    const stand = await standOn(primary, [near])
    await using db = await stand.open(fail)
    await using writer = await stand.open()
    await writer.insert('songs', { title: 'a' })
    await near.whenCaughtUp()
    const session = db.session()
    expect(await countOf(session)).toBe(1)
    session.insert('songs', { title: 'behind it' })
    expect(await countOf(session)).toBe(2)
  })

  test('law 6 · a replica that is down is passed over, and says so', async () => {
    const stand = await standOn(primary, [near])
    await using gone = await Standby.of(primary, { name: 'gone' })
    await using db = await stand.open({ replicas: [stand.on(gone), stand.on(near)], ...fail })
    await db.insert('songs', { title: 'a' })
    await gone.kill()
    for (let n = 0; n < 4; n++) expect(await countOf(db)).toBe(1)
    const [first, second] = db.stats().store.replicas ?? []
    expect([first?.trouble, second?.trouble]).toEqual([expect.stringMatching(/./), undefined])
  })

  test('law 6 · a replica that answers nothing holds no read up for long, and is asked again when it does', async () => {
    const stand = await standOn(primary, [far])
    await using db = await stand.open()
    await db.insert('songs', { title: 'a' })
    await far.whenCaughtUp()
    expect(await countOf(db)).toBe(1)
    far.pause()
    try {
      expect(await countOf(db)).toBe(1)
    } finally {
      far.resume()
    }
    expect(db.stats().store.replicas?.[0]?.trouble).toMatch(/did not answer within 1000 ms/)
    expect(db.stats().reads.replicas).toEqual({ reads: 1, fallbacks: 1 })
    const isAsked = async (): Promise<boolean> => {
      await countOf(db)
      return db.stats().reads.replicas.reads === 2
    }
    await expect.poll(isAsked, { timeout: 20_000 }).toBe(true)
    expect(db.stats().store.replicas?.[0]?.trouble).toBeUndefined()
  })

  test('law 6 · a query that its replica cancels, for what that has to replay, is run elsewhere', async () => {
    const settings = { max_standby_streaming_delay: 0 }
    await using impatient = await Standby.of(primary, { name: 'impatient', settings })
    const stand = await standOn(primary, [impatient])
    await using db = await stand.open()
    await db.insert('songs', { title: 'a' })
    await impatient.whenCaughtUp()
    const sleep = 'pg_sleep(CASE WHEN pg_is_in_recovery() THEN 60 ELSE 0 END)'
    const slow = `SELECT count(*)::int AS count FROM songs, (SELECT ${sleep}) AS slept`
    const read = db.query({ sql: slow, parameters: [] }, { consistency: 'eventual', from: 'replica' })
    await untilAt(impatient.url(), "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    await primary.query("DELETE FROM songs; INSERT INTO songs (title) VALUES ('b'), ('c')", stand.url)
    await primary.query('VACUUM songs', stand.url)
    expect((await read).rows).toEqual([{ count: 2 }])
    expect(db.stats().store.replicas?.[0]?.trouble).toMatch(/conflict with recovery/)
  })

  test('law 6 · a server that was promoted, or holds another database, is no replica', async () => {
    const stand = await standOn(primary, [])
    await using promoted = await Standby.of(primary, { name: 'promoted' })
    const other = await primary.createDatabase()
    await primary.query(table, other)
    await using db = await stand.open({ replicas: [stand.on(promoted)], ...fail })
    await db.insert('songs', { title: 'a' })
    expect(await countOf(db)).toBe(1)
    await promoted.promote()
    await expect(countOf(db, eventual)).rejects.toThrow(/it is no standby, but takes writes itself/)
    const foreign = near.url(new URL(other).pathname.slice(1))
    const lone = await open(postgres(other))
    await lone.close()
    await near.whenCaughtUp()
    await using strayed = await stand.open({ replicas: [foreign], ...fail })
    await expect(countOf(strayed, eventual)).rejects.toThrow(/it holds another database/)
  })
})
