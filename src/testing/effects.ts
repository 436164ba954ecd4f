/**
 * Effects: they exist with the write that they belong to and only with it, and are delivered, each key in order.
 */
import assert from 'node:assert/strict'
import { NotSupportedError, type Effect } from '../index.ts'
import { deliveries, keysOf } from './deliveries.ts'
import { endings, foreverMs, pause, range, record, stage, turnOfTheLoop } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE chunks (id INTEGER PRIMARY KEY, body TEXT NOT NULL)'
const embed = { kind: 'embed' }
const row = (id: number) => ({ id, body: `body ${id}` })

export const effectsDelivered: Topic = (subject, test) => {
  if (subject.lacks?.includes('effects')) {
    test('law 8 · a write that carries an effect is refused at the call, and nothing is queued', async () => {
      await using at = await stage(subject, tables)
      const { db } = at
      assert.throws(() => db.insert('chunks', row(1), { effects: [embed] }), NotSupportedError)
      assert.throws(() => db.enqueue(embed), NotSupportedError)
      await assert.rejects(
        db.transaction(async (_trx, enqueue) => enqueue(embed)),
        NotSupportedError,
      )
      await assert.rejects(
        db.effects.handle('embed', async () => {}),
        NotSupportedError,
      )
      assert.deepEqual(await at.rows('SELECT id FROM chunks'), [])
    })
    return
  }

  test('law 8 · an effect is delivered once its write is committed, with what was given and where it stands', async () => {
    await using at = await stage(subject, tables)
    const { got, handler } = deliveries()
    await at.db.effects.handle('embed', handler)
    const receipt = at.db.insert('chunks', row(1), {
      effects: [{ ...embed, payload: { n: [1, null, 'é'] } }],
    })
    const [effect] = await got(1)
    assert.deepEqual((await at.outside('SELECT id FROM chunks')).length, 1)
    assert.deepEqual(
      { ...effect, version: 0, committedAt: 0 },
      {
        id: receipt.effectId(),
        kind: 'embed',
        key: '1',
        payload: { n: [1, null, 'é'] },
        version: 0,
        position: receipt.position,
        attempt: 1,
        committedAt: 0,
      },
    )
  })

  if (subject.hearsEffects)
    test('law 8 · effects of another engine are heard of, and not only found at the next look', async () => {
      await using at = await stage(subject, tables)
      const other = await at.open()
      let written = 0
      // Once it has committed something, it listens too.
      await other.insert('chunks', row(++written), { effects: [embed] })
      const { got, handler } = deliveries()
      await at.db.effects.handle('embed', handler, { pollMs: foreverMs })
      await got(1)
      const first = got(2)
      // The other has to hear first that somebody wants to know.
      do await other.insert('chunks', row(++written), { effects: [embed] })
      while (!(await Promise.race([first.then(() => true), turnOfTheLoop().then(() => false)])))
      assert.equal((await got(written)).length, written)
    })

  // SPEC S1.1
  test('law 8 · a rejected write takes its effects with it, its neighbours keep theirs', async () => {
    await using at = await stage(subject, tables)
    const goOn = await pause(at.db)
    const effect = (key: string) => ({ effects: [{ ...embed, key }] })
    const receipts = [
      at.db.insert('chunks', row(1), effect('a')),
      at.db.insert('chunks', row(1), effect('b')),
      at.db.insert('chunks', row(2), effect('c')),
      at.db.atomic((group) => {
        group.insert('chunks', row(3), effect('d'))
        group.insert('chunks', row(1), effect('e'))
      }),
      at.db.insertMany('chunks', [row(4), row(2), row(5)], {
        atomic: false,
        effects: ({ id }) => [{ ...embed, key: `f${String(id)}` }],
      }),
    ]
    await goOn()
    await endings(receipts)
    const { got, handler } = deliveries()
    await at.db.effects.handle('embed', handler)
    at.db.enqueue({ ...embed, key: 'last' })
    assert.deepEqual(keysOf(await got(5)), ['a', 'c', 'f4', 'f5', 'last'])
  })

  test('law 8 · an operation with more effects than a segment holds loses none when its lane changes hands between two', async () => {
    await using at = await stage(subject, tables)
    const payload = 'x'.repeat(100)
    at.db.enqueue(...range(1_500).map((n) => ({ ...embed, key: null, payload: { n, payload } })))
    await at.db.flush()
    const segments = await at.outside('SELECT items FROM tidemark_segments ORDER BY id')
    assert.ok(segments.length > 1)
    const seen = new Set<string>()
    const take = (effects: readonly Effect[]): void => effects.forEach(({ id }) => seen.add(id))
    const begun = Promise.withResolvers<void>()
    const first = await at.db.effects.handle(
      'embed',
      async (effects, { signal }) => {
        if (seen.size > 0) {
          // Asked for the second segment: the first is delivered, and this is not.
          begun.resolve()
          await new Promise((_, reject) => void signal.addEventListener('abort', reject))
        }
        take(effects)
      },
      { batch: Number(segments[0]?.['items']), concurrency: 1 },
    )
    await begun.promise
    await at.db.effects.ready('embed', { below: 1_500 })
    await first.stop({ timeoutMs: 0 })
    await at.db.effects.handle('embed', async (effects) => take(effects))
    await at.db.effects.ready('embed', { below: 1 })
    assert.equal(seen.size, 1_500)
  })

  test('law 8 · what a transaction enqueues is committed with it, or not at all', async () => {
    await using at = await stage(subject, tables)
    const { got, handler } = deliveries()
    await at.db.effects.handle('embed', handler)
    await at.db.transaction(async (trx, enqueue) => {
      enqueue({ ...embed, key: 'a' })
      await trx.insertInto('chunks').values(row(1)).execute()
      enqueue({ ...embed, key: 'b' }, { ...embed, key: 'c' })
    })
    const failed = at.db.transaction(async (_trx, enqueue) => {
      enqueue({ ...embed, key: 'lost' })
      throw new Error('thought better of it')
    })
    await assert.rejects(failed, /thought better of it/)
    const late = await at.db.transaction(async (_trx, enqueue) => enqueue)
    assert.throws(() => late({ ...embed, key: 'late' }), /the transaction has ended/)
    await assert.rejects(
      at.db.transaction(async (_trx, enqueue) => enqueue({ kind: '' })),
      { code: 'INVALID_CALL' },
    )
    at.db.enqueue({ ...embed, key: 'last' })
    const all = await got(4)
    assert.deepEqual(keysOf(all), ['a', 'b', 'c', 'last'])
    assert.equal(new Set(all.map(({ id }) => id)).size, 4)
  })

  test('law 8 · a redriven write carries its effects again', async () => {
    await using at = await stage(subject, tables)
    const rejects = record(at.db, 'reject')
    await at.db.insert('chunks', row(1))
    await at.db.insert('chunks', row(1), { effects: [{ ...embed, payload: 'again' }] }).outcome()
    const { got, handler } = deliveries()
    await at.db.effects.handle('embed', handler)
    await at.db.delete('chunks', { id: 1 })
    await at.db.redrive(rejects.map(({ deadLetter }) => deadLetter))
    assert.deepEqual(
      (await got(1)).map(({ payload }) => payload),
      ['again'],
    )
  })

  test('law 8 · effects of one key are delivered one after the other, in the order of their writes', async () => {
    await using at = await stage(subject, tables)
    const running = new Set<string | undefined>()
    const seen: Effect[] = []
    const done = Promise.withResolvers<void>()
    await at.db.effects.handle(
      'embed',
      async (batch) => {
        for (const { key } of batch) {
          assert.ok(!running.has(key))
          running.add(key)
        }
        // Others are given their turn meanwhile.
        await new Promise((resolve) => void setImmediate(resolve))
        seen.push(...batch)
        for (const { key } of batch) running.delete(key)
        if (seen.length === 200) done.resolve()
      },
      { batch: 7, concurrency: 5 },
    )
    for (const n of range(200)) at.db.enqueue({ ...embed, key: `k${n % 11}`, payload: n })
    await done.promise
    for (const k of range(11)) {
      const mine = seen.filter(({ key }) => key === `k${k}`).map(({ payload }) => payload as number)
      assert.deepEqual(
        mine,
        range(200).filter((n) => n % 11 === k),
      )
      const versions = seen.filter(({ key }) => key === `k${k}`).map(({ version }) => version)
      assert.deepEqual(
        versions,
        versions.toSorted((a, b) => a - b),
      )
    }
  })

  test('law 8 · what nobody handled before is delivered by a later engine, once each', async () => {
    await using at = await stage(subject, tables)
    at.db.insertMany('chunks', range(1_500).map(row), { effects: ({ id }) => [{ ...embed, payload: id }] })
    await at.db.close()
    const later = await at.open()
    const { got, handler } = deliveries()
    await later.effects.handle('embed', handler)
    const effects = await got(1_500)
    assert.equal(new Set(effects.map(({ id }) => id)).size, 1_500)
    await later.close()
    const last = await at.open()
    const again = deliveries()
    await last.effects.handle('embed', again.handler)
    await last.enqueue({ ...embed, key: 'new' })
    assert.deepEqual(keysOf(await again.got(1)), ['new'])
  })

  test('law 8 · several effects of one write keep apart, also those of several kinds', async () => {
    await using at = await stage(subject, tables)
    const [one, two] = [deliveries(), deliveries()]
    await at.db.effects.handle('embed', one.handler)
    await at.db.effects.handle('cache', two.handler)
    const receipt = at.db.insert('chunks', row(1), {
      effects: [{ ...embed, key: 'a' }, { kind: 'cache' }, { ...embed, key: 'b' }],
    })
    const ids = [...(await one.got(2)), ...(await two.got(1))].map(({ id }) => id)
    assert.deepEqual(
      ids.toSorted(),
      [0, 1, 2].map((n) => receipt.effectId(n)),
    )
  })

  test('law 8 · of effects that only the latest of counts, the others are not delivered', async () => {
    await using at = await stage(subject, tables)
    const latest = { kind: 'cache', latestOnly: true }
    for (const n of range(50)) at.db.enqueue({ ...latest, key: n % 2, payload: n })
    await at.db.flush()
    const { got, handler } = deliveries()
    await at.db.effects.handle('cache', handler)
    await at.db.enqueue({ kind: 'cache', key: 'end' })
    const payloads = (await got(3)).map(({ payload }) => payload)
    assert.deepEqual(new Set(payloads), new Set([48, 49, null]))
  })

  test('law 1 · a bad effect is refused at the call, and nothing is queued', async () => {
    await using at = await stage(subject, tables)
    const cyclic: { self?: unknown } = {}
    cyclic.self = cyclic
    const bad: unknown[] = [
      {},
      { kind: '' },
      { kind: 'embed', key: {} },
      { kind: 'embed', key: 'x'.repeat(501) },
      { kind: 'embed', payload: cyclic },
      { kind: 'embed', payload: 1n },
      { kind: 'embed', delayMs: -1 },
      { kind: 'embed', latestOnly: true, key: null },
      { kind: 'embed', other: 1 },
      null,
    ]
    for (const effect of bad) {
      const effects = [effect] as never
      assert.throws(() => at.db.insert('chunks', row(1), { effects }), { name: 'InvalidOperationError' })
      assert.throws(() => at.db.enqueue(effect as never), { name: 'InvalidOperationError' })
    }
    assert.equal(at.db.stats().queued.operations, 0)
    assert.deepEqual(await at.rows('SELECT id FROM chunks'), [])
  })
}
