/** Rows without their effect, and effects without their row: found, told, and mended. */
import assert from 'node:assert/strict'
import { NotSupportedError, type Recovery } from '../index.ts'
import { deliveries, keysOf } from './deliveries.ts'
import { next, range, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE chunks (id INTEGER PRIMARY KEY, body TEXT NOT NULL, vector TEXT)'
const missing = {
  sql: 'SELECT id AS key, body AS payload FROM chunks WHERE vector IS NULL ORDER BY id',
  parameters: [],
}
const existing = (keys: readonly string[]) => ({
  sql: `SELECT id AS key FROM chunks WHERE id IN (${keys.map(Number).join(', ')})`,
  parameters: [],
})

const idsOf = (round: number): number[] => range(4).map((n) => 4 * round + n)

function allOf(found: readonly Recovery[]): number[] {
  return found.flatMap((one) => one.missing.map(Number)).toSorted((a, b) => a - b)
}

export const effectsRecovered: Topic = (subject, test) => {
  if (subject.lacks?.includes('effects')) {
    test('law 8 · asked to recover effects, it says that it keeps none', async () => {
      await using at = await stage(subject, tables)
      await assert.rejects(at.db.effects.recover('embed', { missing }), NotSupportedError)
    })
    return
  }

  // SPEC S1.3
  test('law 8 · rows that another program wrote get their effect, those under way and those that are dead do not', async () => {
    await using at = await stage(subject, tables)
    const { db } = at
    await at.outside("INSERT INTO chunks VALUES (1, 'one', NULL)")
    await at.outside("INSERT INTO chunks VALUES (2, 'two', 'there')")
    const dead = next(db, 'alert')
    await db.effects.handle('embed', async (effects) =>
      effects.map(() => ({ kind: 'dead' as const, error: 'no' })),
    )
    await db.insert('chunks', { id: 3, body: 'three' }, { effects: [{ kind: 'embed' }] })
    await dead
    await db.effects.pause('embed')
    await db.insert('chunks', { id: 4, body: 'four' }, { effects: [{ kind: 'embed' }] })

    const told = { missing: ['1'], underWay: 1, dead: ['3'], orphans: [], isMore: false }
    assert.deepEqual(await db.effects.recover('embed', { missing }), told)
    // Neither a dry run has changed anything, nor one of whose queries one does not do.
    const keyless = () => ({ sql: 'SELECT body FROM chunks', parameters: [] })
    await assert.rejects(db.effects.recover('embed', { missing, existing: keyless, dryRun: false }), {
      code: 'INVALID_CALL',
    })
    assert.deepEqual(await db.effects.recover('embed', { missing, dryRun: false }), told)
    assert.deepEqual(await db.effects.recover('embed', { missing, dryRun: false }), {
      ...told,
      missing: [],
      underWay: 2,
    })
    await at.outside('DELETE FROM chunks WHERE id = 3')
    const orphans = await db.effects.recover('embed', { existing, dryRun: false })
    assert.equal(orphans.orphans.length, 1)
    assert.deepEqual(await db.effects.deadLetters('embed'), [])
  })

  test('law 8 · a row that is written again, with its effect, while it is looked for lacks none', async () => {
    await using at = await stage(subject, tables)
    const { db } = at
    await at.outside("INSERT INTO chunks VALUES (1, 'one', NULL)")
    await at.outside("INSERT INTO chunks VALUES (2, 'two', NULL)")
    let looks = 0
    const whileLooked = {
      compile() {
        // It is asked which rows there are, looked for their effects, and asked again.
        if (++looks === 2) db.update('chunks', { id: 1 }, { body: 'new' }, { effects: [{ kind: 'embed' }] })
        return missing
      },
    }
    const { missing: found, underWay } = await db.effects.recover('embed', {
      missing: whileLooked,
      dryRun: false,
    })
    assert.deepEqual([found, underWay], [['2'], 1])
    const { got, handler } = deliveries()
    const { bookmark } = db.enqueue({ kind: 'embed', key: 'end' })
    await db.effects.handle('embed', handler)
    await db.effects.reached('embed', bookmark)
    assert.deepEqual(new Set(keysOf(await got(3))), new Set(['1', '2', 'end']))
  })

  test('law 8 · what is recovered is delivered, a bounded number at a time', async () => {
    await using at = await stage(subject, tables)
    for (const id of range(5)) await at.outside(`INSERT INTO chunks VALUES (${id}, 'text', NULL)`)
    const { got, handler } = deliveries()
    const first = await at.db.effects.recover('embed', { missing, dryRun: false, limit: 3 })
    assert.deepEqual([first.missing.length, first.isMore], [3, true])
    const second = await at.db.effects.recover('embed', { missing, dryRun: false, limit: 3 })
    assert.deepEqual([second.missing.length, second.underWay, second.isMore], [2, 3, false])
    await at.db.effects.handle('embed', handler)
    const effects = await got(5)
    assert.deepEqual(keysOf(effects), ['0', '1', '2', '3', '4'])
    assert.deepEqual(new Set(effects.map(({ payload }) => payload)), new Set(['text']))
  })

  for (const [who, others] of [
    ['two of one engine', 0],
    ['two engines', 1],
  ] as const)
    test(`law 8 · of ${who} that recover at once, one gives a row its effect, and the other looks again`, async () => {
      await using at = await stage(subject, tables)
      const second = others === 0 ? at.db : await at.open()
      for (const round of range(4)) {
        for (const id of idsOf(round)) await at.outside(`INSERT INTO chunks VALUES (${id}, 'text', NULL)`)
        const found = await Promise.all(
          [at.db, second].map((db) => db.effects.recover('embed', { missing, dryRun: false })),
        )
        assert.deepEqual(allOf(found), idsOf(round))
        assert.deepEqual(new Set(found.map(({ underWay }) => underWay)), new Set([4 * round, 4 * round + 4]))
        assert.equal((await at.db.effects.stats('embed')).queued, 4 * round + 4)
      }
    })

  test('law 8 · many that recover a bounded number at once, in several engines, share the rows among them', async () => {
    await using at = await stage(subject, tables)
    const other = await at.open()
    for (const id of range(12)) await at.outside(`INSERT INTO chunks VALUES (${id}, 'text', NULL)`)
    const found = await Promise.all(
      [at.db, at.db, other, other].map((db) =>
        db.effects.recover('embed', { missing, dryRun: false, limit: 3 }),
      ),
    )
    assert.deepEqual(
      found.map((one) => one.missing.length),
      [3, 3, 3, 3],
    )
    assert.deepEqual(allOf(found), range(12))
    assert.equal((await at.db.effects.stats('embed')).queued, 12)
  })

  test('law 8 · beside writes and deliveries nothing counts as missing that is not', async () => {
    await using at = await stage(subject, tables)
    const { db } = at
    const seen: (string | undefined)[] = []
    await db.effects.handle(
      'embed',
      async (effects) => {
        seen.push(...effects.map(({ key }) => key))
        await new Promise((resolve) => void setImmediate(resolve))
        return effects.map(({ key }) => ({
          kind: 'delivered' as const,
          write: (to) => to.update('chunks', { id: Number(key) }, { vector: 'v' }),
        }))
      },
      { batch: 3, concurrency: 2 },
    )
    const write = async (): Promise<void> => {
      for (const id of range(150)) {
        db.insert('chunks', { id, body: 'text' }, { effects: [{ kind: 'embed' }] })
        if (id % 5 === 0) await db.flush()
      }
    }
    const found: string[] = []
    const writing = write()
    for (const _ of range(30))
      found.push(...(await db.effects.recover('embed', { missing, dryRun: false })).missing)
    await writing
    await db.effects.reached('embed', db.enqueue({ kind: 'embed', key: 9_999 }).bookmark)
    assert.deepEqual(found, [])
    assert.equal(seen.length, 151)
  })
}
