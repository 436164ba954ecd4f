/** Lanes: who delivers a kind, one engine at a time for each, and how several share its work. */
import assert from 'node:assert/strict'
import { NotSupportedError, type Effect } from '../index.ts'
import { deliveries } from './deliveries.ts'
import { range, stage, turnOfTheLoop, until } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE chunks (id INTEGER PRIMARY KEY, body TEXT NOT NULL)'
const embed = (key: string | number, payload: unknown = null) => ({ kind: 'embed', key, payload })

export const effectLanes: Topic = (subject, test) => {
  if (subject.lacks?.includes('effects')) {
    test('law 8 · asked to deliver effects in lanes, it says that it keeps none', async () => {
      await using at = await stage(subject, tables)
      await assert.rejects(
        at.db.effects.handle('embed', async () => {}, { lanes: 4 }),
        NotSupportedError,
      )
    })
    return
  }

  // SPEC S1.7
  test('law 8 · a holder that shows no sign of life loses its lane to one that does', async () => {
    await using at = await stage(subject, tables)
    const stuck = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    await at.db.effects.handle(
      'embed',
      async (effects) => {
        begun.resolve()
        await stuck.promise
        return effects.map(() => ({
          kind: 'delivered' as const,
          write: (to) => to.insert('chunks', { id: 1, body: 'of the zombie' }),
        }))
      },
      // It beats far too seldom for what it promises.
      { leaseMs: 10, pollMs: 600_000 },
    )
    at.db.enqueue(embed('a'))
    await begun.promise
    const other = await at.open()
    const { got, handler } = deliveries()
    await other.effects.handle('embed', handler, { pollMs: 3 })
    assert.equal((await got(1)).length, 1)
    stuck.resolve()
    await other.effects.reached('embed', other.enqueue(embed('b')).bookmark)
    await at.db.flush()
    assert.deepEqual(await at.outside('SELECT id FROM chunks'), [])
  })

  test('law 8 · the keys of a kind with several lanes keep their order, and every effect is delivered', async () => {
    await using at = await stage(subject, tables)
    const { got, handler } = deliveries()
    await at.db.effects.handle('embed', handler, { lanes: 5 })
    for (const n of range(300)) at.db.enqueue(embed(`k${n % 23}`, n))
    const effects = await got(300)
    for (const k of range(23)) {
      const mine = effects.filter(({ key }) => key === `k${k}`).map(({ payload }) => payload as number)
      assert.deepEqual(
        mine,
        range(300).filter((n) => n % 23 === k),
      )
    }
    await assert.rejects(at.db.effects.handle('embed', handler), { code: 'INVALID_CALL' })
  })

  test('law 7 · what every lane has passed is swept from the outbox', async () => {
    await using at = await stage(subject, tables)
    const { got, handler } = deliveries()
    await at.db.effects.handle('embed', handler, { lanes: 3, pollMs: 5 })
    for (const n of range(50)) await at.db.enqueue(embed(n))
    await got(50)
    for (;;) {
      const [row] = await at.outside('SELECT count(*) AS count FROM tidemark_segments')
      if (Number(row?.['count']) === 0) break
      await turnOfTheLoop()
    }
  })

  test('law 8 · the signal of a handler whose lane is lost aborts', async () => {
    await using at = await stage(subject, tables)
    const begun = Promise.withResolvers<void>()
    const ending = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<void>()
    let calls = 0
    await at.db.effects.handle(
      'embed',
      async ([effect], { signal }) => {
        if (++calls === 2) begun.resolve()
        if (effect?.key === 'b') return await ending.promise
        signal.addEventListener('abort', () => aborted.resolve())
        await aborted.promise
      },
      { leaseMs: 10, pollMs: 600_000, batch: 1, concurrency: 2 },
    )
    for (const key of ['a', 'b']) at.db.enqueue(embed(key))
    await begun.promise
    const other = await at.open()
    const { got, handler } = deliveries()
    await other.effects.handle('embed', handler, { pollMs: 3 })
    assert.equal((await got(2)).length, 2)
    ending.resolve()
    await aborted.promise
  })

  test('law 8 · whoever lost its lane and does not know gives out no effect that waits', async () => {
    await using at = await stage(subject, tables)
    const other = await at.open()
    let calls = 0
    const failed = Promise.withResolvers<void>()
    await at.db.effects.handle(
      'embed',
      (effects) => {
        calls++
        failed.resolve()
        return Promise.resolve(
          effects.map(() => ({ kind: 'retry' as const, error: 'later', afterMs: 600_000 })),
        )
      },
      { leaseMs: 600_000, pollMs: 3 },
    )
    at.db.enqueue(embed('a'))
    await failed.promise
    await until(async () => (await at.db.effects.stats('embed')).waiting === 1)
    await at.outside(`UPDATE tidemark_lanes SET owner = ${other.epoch}, token = token + 1`)
    await at.outside('UPDATE tidemark_effects SET due_at = 0')
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(calls, 1)
  })

  test('law 8 · engines come to share the lanes of a kind evenly, while every key keeps its order', async () => {
    await using at = await stage(subject, tables)
    const seen: { engine: number; effect: Effect }[] = []
    const engines = [at.db, await at.open()]
    for (const [engine, db] of engines.entries()) {
      const note = async (effects: readonly Effect[]): Promise<void> => {
        seen.push(...effects.map((effect) => ({ engine, effect })))
        await turnOfTheLoop()
      }
      await db.effects.handle('embed', note, { lanes: 4, pollMs: 3, batch: 4 })
    }
    let written = 0
    const writeRound = async () => {
      const { bookmark } = at.db.enqueue(...range(23).map((n) => embed(`k${n}`, written++)))
      await at.db.effects.reached('embed', bookmark)
    }
    for (let shares = ''; shares !== '2,2';) {
      await writeRound()
      const stats = await Promise.all(engines.map((db) => db.effects.stats('embed')))
      shares = stats.map(({ handler }) => handler?.lanes).join()
    }
    await writeRound()
    for (const k of range(23)) {
      const mine = seen.filter(({ effect }) => effect.key === `k${k}`).map(({ effect }) => effect.payload)
      assert.deepEqual(
        mine,
        range(written / 23).map((round) => round * 23 + k),
      )
    }
    assert.deepEqual(new Set(seen.slice(-23).map(({ engine }) => engine)), new Set([0, 1]))
  })

  test('law 7 · how far a lane has come is forgotten of writers that are gone', async () => {
    await using at = await stage(subject, tables)
    for (const n of range(6)) {
      const db = await at.open()
      await db.effects.handle('embed', async () => {})
      await db.effects.reached('embed', db.enqueue(embed(n)).bookmark)
      await db.close()
    }
    await at.db.effects.handle('embed', async () => {})
    await at.db.effects.reached('embed', at.db.enqueue(embed('last')).bookmark)
    const [row] = await at.outside('SELECT progress FROM tidemark_lanes')
    // This one's own, and those whose last segments are still to be swept away.
    assert.ok(Object.keys(JSON.parse(String(row?.['progress'])) as object).length <= 3)
  })

  // SPEC S1.8
  test('law 7 · a producer can wait until fewer than so many are unfinished', async () => {
    await using at = await stage(subject, tables)
    const begun = Promise.withResolvers<void>()
    const ending = Promise.withResolvers<void>()
    await at.db.effects.ready('embed', { below: 1 })
    await at.db.effects.handle('embed', async () => {
      begun.resolve()
      await ending.promise
    })
    for (const n of range(3)) at.db.enqueue(embed(n))
    await begun.promise
    await at.db.effects.ready('embed', { below: 4 })
    await assert.rejects(at.db.effects.ready('embed', { below: 3, timeoutMs: 5 }), {
      code: 'EFFECTS_PENDING',
    })
    await assert.rejects(at.db.effects.ready('embed', { below: 0 }), { code: 'INVALID_CALL' })
    const ready = at.db.effects.ready('embed', { below: 1 })
    ending.resolve()
    await ready
  })

  test('law 7 · results and dead effects are kept for as long as it is said, and no longer', async () => {
    await using at = await stage(subject, tables)
    const handling = await at.db.effects.handle(
      'embed',
      async ([effect]) =>
        effect?.key === 'bad'
          ? [{ kind: 'dead', error: 'no' }]
          : [{ kind: 'delivered', result: String(effect?.key) }],
      { batch: 1 },
    )
    const receipt = at.db.enqueue(embed('good'), embed('bad'))
    await assert.rejects(at.db.effects.reached('embed', receipt.bookmark), { code: 'DEAD_LETTERED' })
    await handling.stop()
    const left = async () => [
      await at.db.effects.result(receipt.effectId()),
      (await at.db.effects.deadLetters('embed')).length,
    ]
    const handleAgain = async (options: { keepResultsMs?: number; keepDeadMs?: number }) => {
      await turnOfTheLoop()
      await (await at.db.effects.handle('embed', async () => {}, options)).stop()
      return await left()
    }
    assert.deepEqual(await handleAgain({}), ['good', 1])
    assert.deepEqual(await handleAgain({ keepResultsMs: 1 }), [undefined, 1])
    assert.deepEqual(await handleAgain({ keepDeadMs: 1 }), [undefined, 0])
  })
}
