/** Read your writes across stores: waiting for the effects of a write, and who delivers when engines come and go. */
import assert from 'node:assert/strict'
import { NotSupportedError, TidemarkError } from '../index.ts'
import { deliveries } from './deliveries.ts'
import { next, pause, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE chunks (id INTEGER PRIMARY KEY, body TEXT NOT NULL)'
const embed = (key: string | number, payload?: unknown) => ({ kind: 'embed', key, payload })

const code = (expected: string) => (error: unknown) =>
  error instanceof TidemarkError && error.code === expected

export const effectsReached: Topic = (subject, test) => {
  if (subject.lacks?.includes('effects')) {
    test('law 8 · asked to wait for effects, it says that it keeps none', async () => {
      await using at = await stage(subject, tables)
      const { bookmark } = at.db.insert('chunks', { id: 1, body: 'a' })
      await assert.rejects(at.db.effects.reached('embed', bookmark), NotSupportedError)
      await assert.rejects(at.db.effects.stats('embed'), NotSupportedError)
    })
    return
  }

  test('law 8 · `reached` resolves once all effects of a bookmark are delivered, and not before', async () => {
    await using at = await stage(subject, tables)
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    await at.db.effects.handle('embed', async () => {
      begun.resolve()
      await gate.promise
    })
    const receipt = at.db.insert('chunks', { id: 1, body: 'a' }, { effects: [embed('a')] })
    await begun.promise
    await assert.rejects(
      at.db.effects.reached('embed', receipt.bookmark, { timeoutMs: 20 }),
      code('EFFECTS_PENDING'),
    )
    // Of another key, another kind, or an earlier write nothing is pending.
    await at.db.effects.reached('embed', receipt.bookmark, { keys: ['b'] })
    await at.db.effects.reached('cache', receipt.bookmark)
    gate.resolve()
    await at.db.effects.reached('embed', receipt.bookmark)
  })

  test('law 8 · one that a later one makes superfluous is reached with that, and comes after all if that is dead', async () => {
    await using at = await stage(subject, tables)
    const latest = (payload: string) => ({ ...embed('a', payload), latestOnly: true })
    const goOn = await pause(at.db)
    const receipt = at.db.enqueue(latest('good'))
    at.db.enqueue(latest('bad'))
    const gate = Promise.withResolvers<void>()
    const seen: unknown[] = []
    await goOn()
    await at.db.flush()
    await at.db.effects.handle('embed', async (effects) => {
      seen.push(...effects.map(({ payload }) => payload))
      await gate.promise
      return effects.map(({ payload }) =>
        payload === 'bad' ? { kind: 'dead' as const, error: 'never' } : undefined,
      )
    })
    await assert.rejects(
      at.db.effects.reached('embed', receipt.bookmark, { timeoutMs: 20 }),
      code('EFFECTS_PENDING'),
    )
    gate.resolve()
    await at.db.effects.reached('embed', receipt.bookmark)
    assert.deepEqual(seen, ['bad', 'good'])
  })

  test('law 8 · what waits for somebody who handles it stays, also when a redrive comes before that has begun', async () => {
    await using at = await stage(subject, tables)
    await at.db.enqueue(embed('a'))
    const { got, handler } = deliveries()
    const handling = at.db.effects.handle('embed', handler, { lanes: 3 })
    await at.db.effects.redrive([])
    await handling
    assert.equal((await got(1)).length, 1)
  })

  test('law 8 · it waits for what is tried again, and a dead one is said openly', async () => {
    await using at = await stage(subject, tables)
    await at.db.effects.handle(
      'embed',
      async (effects) =>
        effects.map(({ key, attempt }) => {
          if (key === 'dead') return { kind: 'dead' as const, error: 'never' }
          return attempt < 3 ? { kind: 'retry' as const, error: 'later' } : undefined
        }),
      { retryFirstMs: 1, retryMaxMs: 2 },
    )
    await at.db.effects.reached('embed', at.db.enqueue(embed('a')).bookmark)
    const dead = at.db.enqueue(embed('dead'), embed('b'))
    await assert.rejects(at.db.effects.reached('embed', dead.bookmark), code('DEAD_LETTERED'))
    await at.db.effects.reached('embed', dead.bookmark, { keys: ['b'] })
    // It is not in the scope of what was written before.
    await at.db.effects.reached('embed', at.db.enqueue(embed('c')).bookmark, { keys: ['c'] })
  })

  test('law 6 · a strong read waits for the effects of the rows that it names, and sees what their handler wrote', async () => {
    await using at = await stage(subject, tables)
    const begun = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    await at.db.effects.handle('embed', async (effects) => {
      begun.resolve()
      await goOn.promise
      return effects.map(({ key }) => ({
        kind: 'delivered' as const,
        write: (to) => to.update('chunks', { id: Number(key) }, { body: 'done' }),
      }))
    })
    const other = await at.open()
    at.db.insert('chunks', { id: 1, body: 'a' }, { effects: [{ kind: 'embed' }] })
    at.db.insert('chunks', { id: 2, body: 'b' })
    await begun.promise
    const bodies = { sql: 'SELECT body FROM chunks ORDER BY id', parameters: [] }
    const read = (db: typeof other, id: number) =>
      db.query(bodies, { consistency: 'strong', keys: [['chunks', { id }]], processors: ['embed'] })
    assert.deepEqual((await read(other, 2)).rows, [{ body: 'a' }, { body: 'b' }])
    const impatient = {
      consistency: 'strong',
      keys: [['chunks', { id: 1 }]],
      processors: ['embed'],
      timeoutMs: 60,
    } as const
    for (const db of [at.db, other]) await assert.rejects(db.query(bodies, impatient), code('STALE_READ'))
    const waiting = [read(at.db, 1), read(other, 1)]
    goOn.resolve()
    for (const { rows } of await Promise.all(waiting))
      assert.deepEqual(rows, [{ body: 'done' }, { body: 'b' }])
    const toNobody = { consistency: 'strong', processors: ['nobody'] } as const
    await assert.rejects(at.db.query(bodies, toNobody), code('INVALID_CALL'))
  })

  test('law 8 · a lane that is let go is taken up by another engine, where the first had come to', async () => {
    await using at = await stage(subject, tables)
    const [one, two] = [deliveries(), deliveries()]
    const other = await at.open()
    const handling = await at.db.effects.handle('embed', one.handler, { pollMs: 5 })
    await other.effects.handle('embed', two.handler, { pollMs: 5 })
    await at.db.effects.reached('embed', at.db.enqueue(embed('a'), embed('b')).bookmark)
    assert.equal((await two.got(0)).length, 0)
    await handling.stop()
    const receipt = at.db.enqueue(embed('a', 2))
    assert.deepEqual(
      (await two.got(1)).map(({ id }) => id),
      [receipt.effectId()],
    )
    assert.equal((await one.got(2)).length, 2)
  })

  test('law 8 · an engine whose epoch has ended acks nothing any more, and its successor delivers at once', async () => {
    await using at = await stage(subject, tables, { writer: 'worker' })
    const begun = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    await at.db.effects.handle('embed', async (effects) => {
      begun.resolve()
      await goOn.promise
      return effects.map(() => ({
        kind: 'delivered' as const,
        write: (to) => to.insert('chunks', { id: 1, body: 'of the zombie' }),
      }))
    })
    at.db.enqueue(embed('a'))
    await begun.promise
    const fenced = next(at.db, 'fenced')
    const successor = await at.open({ writer: 'worker' })
    const { got, handler } = deliveries()
    await successor.effects.handle('embed', handler)
    assert.equal((await got(1)).length, 1)
    goOn.resolve()
    await fenced
    await successor.flush()
    assert.deepEqual(await at.outside('SELECT id FROM chunks'), [])
  })
}
