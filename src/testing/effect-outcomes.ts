/** What becomes of effects: tried again, dead, redriven, late; and the writes that are committed with it. */
import assert from 'node:assert/strict'
import { NotSupportedError, type Effect, type EffectOutcome, type HandleOptions } from '../index.ts'
import { deliveries, keysOf } from './deliveries.ts'
import { next, range, stage, until, type AnyTidemark } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE chunks (id INTEGER PRIMARY KEY, body TEXT NOT NULL, vector TEXT)'
const chunk = (id: number) => ({ id, body: 'text' })
const quick = { retryFirstMs: 1, retryMaxMs: 2 }
type Writes = Parameters<Parameters<AnyTidemark['atomic']>[0]>[0]

/** Settles each effect as `decide` says, and resolves once `count` have been delivered. */
async function handle(
  db: AnyTidemark,
  count: number,
  decide: (effect: Effect) => EffectOutcome<Writes>,
  options: HandleOptions<Writes> = quick,
): Promise<{ readonly tried: Effect[]; readonly done: Promise<void> }> {
  const tried: Effect[] = []
  const done = Promise.withResolvers<void>()
  let delivered = 0
  await db.effects.handle(
    'embed',
    async (effects) => {
      tried.push(...effects)
      const outcomes = effects.map(decide)
      delivered += outcomes.filter((outcome) => outcome === undefined || outcome.kind === 'delivered').length
      if (delivered >= count) done.resolve()
      return outcomes
    },
    options,
  )
  return { tried, done: done.promise }
}

const retry = { kind: 'retry', error: new Error('not now') } as const
const unavailable = () => Object.assign(new Error('no server'), { status: 503 })

export const effectOutcomes: Topic = (subject, test) => {
  if (subject.lacks?.includes('effects')) {
    test('law 8 · asked what became of effects, it says that it keeps none', async () => {
      await using at = await stage(subject, tables)
      await assert.rejects(at.db.effects.deadLetters(), NotSupportedError)
      await assert.rejects(at.db.effects.redrive(['1-1-0']), NotSupportedError)
      await assert.rejects(at.db.effects.result('1-1-0'), NotSupportedError)
      await assert.rejects(at.db.effects.pause('embed'), NotSupportedError)
    })
    return
  }

  test('law 8 · what fails is tried again, and holds back its own key only', async () => {
    await using at = await stage(subject, tables)
    const order: unknown[] = []
    const { tried, done } = await handle(at.db, 8, ({ key, payload, attempt }) => {
      if (key === 'bad' && payload === 0 && attempt < 4) return retry
      order.push(`${key} ${JSON.stringify(payload)}`)
      return undefined
    })
    for (const n of range(4))
      for (const key of ['bad', 'good']) at.db.enqueue({ kind: 'embed', key, payload: n })
    await done
    const of = (key: string) => order.filter((text) => String(text).startsWith(key))
    assert.deepEqual(of('bad'), ['bad 0', 'bad 1', 'bad 2', 'bad 3'])
    assert.deepEqual(of('good'), ['good 0', 'good 1', 'good 2', 'good 3'])
    const attempts = tried.filter(({ key, payload }) => key === 'bad' && payload === 0)
    assert.deepEqual(
      attempts.map(({ attempt }) => attempt),
      [1, 2, 3, 4],
    )
    assert.equal(new Set(attempts.map(({ id, version }) => `${id} ${version}`)).size, 1)
  })

  test('law 8 · what throws, or answers what nobody understands, is tried again', async () => {
    await using at = await stage(subject, tables)
    const done = Promise.withResolvers<void>()
    const answers: (() => unknown)[] = [
      () => {
        throw new Error('on purpose')
      },
      () => [],
      () => [{ kind: 'no such outcome' }],
      () => done.resolve(),
    ]
    await at.db.effects.handle('embed', async () => answers.shift()?.() as never, quick)
    await at.db.enqueue({ kind: 'embed', key: 'a' })
    await done.promise
    assert.equal(answers.length, 0)
  })

  // SPEC S1.2, S1.9
  test('law 8 · after so many attempts it is dead, told, kept with its error; and its key goes on', async () => {
    await using at = await stage(subject, tables)
    const alert = next(at.db, 'alert')
    const { done } = await handle(at.db, 1, ({ payload }) => (payload === 1 ? retry : undefined), {
      ...quick,
      maxAttempts: 3,
      onDead: ({ key }, error, to) => to.update('chunks', { id: Number(key) }, { vector: String(error) }),
    })
    await at.db.insert('chunks', chunk(7), { effects: [{ kind: 'embed', payload: 1 }] })
    await at.db.enqueue({ kind: 'embed', key: 7, payload: 2 })
    await done
    assert.equal((await alert).kind, 'deadEffect')
    const [dead, ...others] = await at.db.effects.deadLetters('embed')
    assert.deepEqual([dead?.key, dead?.payload, dead?.attempts, others], ['7', 1, 3, []])
    assert.match(String(dead?.error), /not now/)
    assert.deepEqual(await at.rows('SELECT vector FROM chunks'), [{ vector: 'Error: not now' }])
  })

  test('law 8 · a dead effect that is redriven is delivered with its own version', async () => {
    await using at = await stage(subject, tables)
    let isMended = false
    const dead = next(at.db, 'alert')
    const decide = ({ payload }: Effect): EffectOutcome<Writes> =>
      payload === 1 && !isMended ? { kind: 'dead', error: 'never' } : undefined
    const { tried, done } = await handle(at.db, 2, decide, { ...quick, pollMs: 5 })
    for (const payload of [1, 2]) at.db.enqueue({ kind: 'embed', key: 'a', payload })
    await dead
    isMended = true
    const [letter] = await at.db.effects.deadLetters()
    // Whoever redrives it need not be who delivers it.
    const other = await at.open()
    assert.deepEqual(await other.effects.redrive([letter?.id ?? '']), [letter?.id])
    await done
    await at.db.effects.reached('embed', at.db.enqueue({ kind: 'embed', key: 'end' }).bookmark)
    assert.deepEqual(await at.db.effects.deadLetters(), [])
    assert.equal(tried.filter(({ version }) => version === letter?.version).length, 2)
    assert.deepEqual(await at.db.effects.redrive([letter?.id ?? '']), [])
  })

  // SPEC S1.4
  test('law 8 · what a handler writes is committed with the fact that its effect is delivered', async () => {
    await using at = await stage(subject, tables)
    await handle(at.db, 1, ({ key }) => ({
      kind: 'delivered',
      result: { of: String(key) },
      write: (to) => to.update('chunks', { id: Number(key) }, { vector: 'v' }, { expect: 1 }),
    }))
    const receipt = at.db.insert('chunks', chunk(1), { effects: [{ kind: 'embed' }] })
    await at.db.effects.reached('embed', receipt.bookmark)
    assert.deepEqual(await at.outside('SELECT id, vector FROM chunks'), [{ id: 1, vector: 'v' }])
    assert.deepEqual(await at.db.effects.result(receipt.effectId()), { of: '1' })
  })

  test('law 4 · a handler whose write is refused fails by itself, and its neighbours are delivered', async () => {
    await using at = await stage(subject, tables)
    at.db.insertMany('chunks', range(5).map(chunk), { effects: () => [{ kind: 'embed' }] })
    await at.db.flush()
    await handle(
      at.db,
      5,
      ({ key }) => ({
        kind: 'delivered',
        // One names a row that is not there.
        write: (to) =>
          to.update('chunks', { id: key === '3' ? 99 : Number(key) }, { vector: 'v' }, { expect: 1 }),
      }),
      { ...quick, maxAttempts: 2 },
    )
    await next(at.db, 'alert')
    const [dead, ...others] = await at.db.effects.deadLetters('embed')
    assert.deepEqual([dead?.key, dead?.attempts, others], ['3', 2, []])
    assert.deepEqual(
      await at.rows("SELECT id FROM chunks WHERE vector = 'v' ORDER BY id"),
      [0, 1, 2, 4].map((id) => ({ id })),
    )
    assert.deepEqual(await at.db.deadLetters(), [])
  })

  test('law 8 · an effect whose last writes are refused too is dead all the same, and its key goes on', async () => {
    await using at = await stage(subject, tables)
    const { done } = await handle(at.db, 1, ({ payload }) => (payload === 1 ? retry : undefined), {
      ...quick,
      maxAttempts: 2,
      onDead: (_effect, _error, to) => to.update('chunks', { id: 99 }, { vector: 'none' }, { expect: 1 }),
    })
    at.db.enqueue({ kind: 'embed', key: 7, payload: 1 }, { kind: 'embed', key: 7, payload: 2 })
    await done
    const dead = await at.db.effects.deadLetters('embed')
    assert.deepEqual(
      dead.map(({ key, attempts }) => [key, attempts]),
      [['7', 2]],
    )
  })

  test('law 8 · while its target takes nothing, effects wait unharmed, and are delivered when it is back', async () => {
    await using at = await stage(subject, tables)
    const alerts: string[] = []
    at.db.on('alert', ({ kind }) => void alerts.push(kind))
    let refusals = 0
    const { got, handler } = deliveries()
    await at.db.effects.handle(
      'embed',
      async (effects) => {
        if (refusals-- > 0) throw unavailable()
        await handler(effects)
      },
      // As often as it is refused it would be dead, if that counted.
      { ...quick, maxAttempts: 4 },
    )
    at.db.enqueue({ kind: 'embed', key: 'a' })
    await got(1)
    refusals = 5
    at.db.enqueue({ kind: 'embed', key: 'b' })
    const [, effect] = await got(2)
    // Two refusals of a target that was there are no outage yet.
    assert.equal(effect?.attempt, 3)
    assert.deepEqual(alerts, ['targetDown'])
    assert.deepEqual(await at.db.effects.deadLetters(), [])
  })

  test('law 8 · an outage makes no dead letters, however often those who deliver begin anew in it', async () => {
    await using at = await stage(subject, tables)
    let isDown = true
    let refused = Promise.withResolvers<void>()
    const delivered = Promise.withResolvers<Effect>()
    const died = Promise.withResolvers<never>()
    at.db.on('alert', ({ kind, message }) => {
      if (kind === 'deadEffect') died.reject(new Error(message))
    })
    const handler = async ([effect]: readonly Effect[]): Promise<void> => {
      refused.resolve()
      if (isDown) throw unavailable()
      delivered.resolve(effect as Effect)
    }
    const begin = async (): ReturnType<AnyTidemark['effects']['handle']> => {
      refused = Promise.withResolvers()
      return await at.db.effects.handle('embed', handler, { ...quick, maxAttempts: 3 })
    }
    at.db.enqueue({ kind: 'embed', key: 'a' })
    for (let times = 0; times < 6; times++) {
      const handling = await begin()
      await Promise.race([refused.promise, died.promise])
      await handling.stop()
    }
    isDown = false
    await begin()
    const { attempt } = await delivered.promise
    assert.equal(attempt, 1)
    assert.deepEqual(await at.db.effects.deadLetters(), [])
  })

  test('law 8 · a delivery that is broken off since nobody waits for it any more counts as no attempt', async () => {
    await using at = await stage(subject, tables)
    const called = Promise.withResolvers<void>()
    const handling = await at.db.effects.handle('embed', async (_effects, { signal }) => {
      called.resolve()
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    at.db.enqueue({ kind: 'embed', key: 'a' })
    await called.promise
    await handling.stop({ timeoutMs: 1 })
    const { got, handler } = deliveries()
    await at.db.effects.handle('embed', handler)
    const [effect] = await got(1)
    assert.equal(effect?.attempt, 1)
  })

  test('law 8 · an effect with a delay is delivered after it, and later ones of its key behind it', async () => {
    await using at = await stage(subject, tables)
    const delayMs = 30
    const { tried, done } = await handle(at.db, 3, ({ payload, committedAt }) => {
      if (payload !== 3) assert.ok(Date.now() >= committedAt.getTime() + delayMs)
      return undefined
    })
    at.db.enqueue({ kind: 'embed', key: 'a', payload: 1, delayMs }, { kind: 'embed', key: 'a', payload: 2 })
    at.db.enqueue({ kind: 'embed', key: 'b', payload: 3 })
    await done
    const ofA = tried.filter(({ key }) => key === 'a').map(({ payload }) => payload)
    assert.deepEqual(ofA, [1, 2])
  })

  // SPEC S1.10
  test('law 8 · a handler that took too long is told, its effect tried again, and what it did late counts', async () => {
    await using at = await stage(subject, tables)
    const aborted = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    let calls = 0
    await at.db.effects.handle(
      'embed',
      async (effects, { signal }) => {
        calls++
        signal.addEventListener('abort', () => aborted.resolve())
        await finish.promise
        return effects.map(() => ({ kind: 'delivered' as const, result: 'late' }))
      },
      { timeoutMs: 20, retryFirstMs: 600_000, retryMaxMs: 600_000 },
    )
    const receipt = at.db.enqueue({ kind: 'embed', key: 'a' })
    await aborted.promise
    finish.resolve()
    assert.equal(await at.db.effects.result(receipt.effectId(), { timeoutMs: 30_000 }), 'late')
    await at.db.effects.reached('embed', receipt.bookmark)
    assert.equal(calls, 1)
  })

  test('law 8 · a queue that is full for a moment fails no delivery', async () => {
    await using at = await stage(subject, tables, {
      queue: { maxOperations: 8 },
      batch: { maxOperations: 2 },
    })
    const { db } = at
    const { tried, done } = await handle(db, 40, ({ key }) => ({
      kind: 'delivered',
      write: (to) => to.update('chunks', { id: Number(key) }, { vector: 'v' }, { expect: 1 }),
    }))
    for (const id of range(40)) {
      while (db.isFull) await db.ready()
      try {
        db.insert('chunks', chunk(id), { effects: [{ kind: 'embed' }] })
      } catch {
        await db.ready()
        db.insert('chunks', chunk(id), { effects: [{ kind: 'embed' }] })
      }
    }
    await done
    await until(async () => (await db.effects.stats('embed')).queued === 0)
    await db.effects.reached('embed', db.session().bookmark)
    assert.equal(tried.length, 40)
    assert.deepEqual(await at.rows("SELECT count(*) AS count FROM chunks WHERE vector = 'v'"), [
      { count: 40 },
    ])
  })

  test('law 8 · paused, nothing is delivered in any engine; resumed, everything is', async () => {
    await using at = await stage(subject, tables)
    const { got, handler } = deliveries()
    await at.db.effects.handle('embed', handler, { pollMs: 5 })
    const other = await at.open()
    await other.effects.pause('embed')
    await until(async () => (await at.db.effects.stats('embed')).handler?.isPaused === true)
    await at.db.effects.handle('other', async () => {})
    await at.db.effects.reached(
      'other',
      at.db.enqueue({ kind: 'embed', key: 'a' }, { kind: 'other' }).bookmark,
    )
    assert.equal((await at.db.effects.stats('embed')).queued, 1)
    await other.effects.resume('embed')
    assert.deepEqual(keysOf(await got(1)), ['a'])
  })

  test('law 8 · a kind that is paused before anybody handles it begins paused', async () => {
    await using at = await stage(subject, tables)
    const { db } = at
    await db.effects.pause('embed')
    assert.equal(await db.effects.isKnown('embed'), false)
    assert.equal((await db.effects.stats('embed')).isPaused, true)
    await db.enqueue({ kind: 'embed', key: 'a' })

    const { got, handler } = deliveries()
    const other = await at.open()
    await other.effects.handle('embed', handler, { lanes: 3, pollMs: 5 })
    assert.equal((await other.effects.stats('embed')).lanes, 3)
    await other.effects.handle('other', async () => {})
    await db.effects.reached('other', db.enqueue({ kind: 'embed', key: 'b' }, { kind: 'other' }).bookmark)
    assert.deepEqual(await got(0), [])
    await db.effects.resume('embed')
    assert.deepEqual(keysOf(await got(2)), ['a', 'b'])
  })

  test('law 8 · a kind that is paused while others begin to handle it is paused, and has its lanes', async () => {
    await using at = await stage(subject, tables)
    const { db } = at
    const others = await Promise.all([at.open(), at.open()])
    const { got, handler } = deliveries()
    await Promise.all([
      db.effects.pause('embed'),
      ...others.map(({ effects }) => effects.handle('embed', handler, { lanes: 2, pollMs: 5 })),
    ])
    for (const { effects } of others)
      await until(async () => (await effects.stats('embed')).handler?.isPaused === true)
    assert.equal((await db.effects.stats('embed')).lanes, 2)
    await db.effects.handle('other', async () => {})
    await db.effects.reached('other', db.enqueue({ kind: 'embed', key: 'a' }, { kind: 'other' }).bookmark)
    assert.deepEqual(await got(0), [])
    await db.effects.resume('embed')
    assert.deepEqual(keysOf(await got(1)), ['a'])
  })
}
