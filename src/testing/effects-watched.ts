/** What is told of effects: how much waits and for how long, and the alerts of who watches them. */
import assert from 'node:assert/strict'
import { NotSupportedError, TidemarkError } from '../index.ts'
import { foreverMs, record, stage, until } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE chunks (id INTEGER PRIMARY KEY)'
/** The watch looks only when it is asked to. */
const byHand = { everyMs: foreverMs }

export const effectsWatched: Topic = (subject, test) => {
  if (subject.lacks?.includes('effects')) {
    test('law 8 · asked to watch effects, it says that it keeps none', async () => {
      await using at = await stage(subject, tables)
      assert.equal(at.db.effects.isSupported, false)
      assert.throws(() => at.db.effects.watch(), NotSupportedError)
    })
    return
  }

  // SPEC S1.2
  test('law 8 · effects that nobody handles are told once, and again only after somebody did', async () => {
    await using at = await stage(subject, tables)
    const told = record(at.db, 'alert')
    const watch = at.db.effects.watch({ ...byHand, orphanedAfterMs: 1 })
    await at.db.enqueue({ kind: 'embed', key: 'a' }, { kind: 'embed', key: 'b' })
    await until(async () => (await watch.look()).troubles.length > 0)
    await watch.look()
    assert.deepEqual(
      told.map(({ kind, effects, message }) => [kind, effects, message]),
      [['effectsOrphaned', 'embed', 'effects of kind "embed" wait, and nobody handles them: 2']],
    )
    const [stats] = watch.latest.kinds
    assert.deepEqual([stats?.queued, stats?.lanes, stats?.held], [2, 0, 0])

    const handling = await at.db.effects.handle('embed', async () => {})
    await until(async () => (await at.db.effects.stats('embed')).queued === 0)
    assert.deepEqual((await watch.look()).troubles, [])
    await handling.stop()
    assert.equal((await at.db.effects.stats('embed')).held, 0)
    await at.db.enqueue({ kind: 'embed', key: 'c' })
    await until(async () => (await watch.look()).troubles.length > 0)
    assert.equal(told.length, 2)
  })

  test('law 8 · a holder that shows no sign of life for as long as it asked for holds nothing', async () => {
    await using at = await stage(subject, tables)
    const told = record(at.db, 'alert')
    const watch = at.db.effects.watch({ ...byHand, orphanedAfterMs: 1 })
    // It looks, and so beats, once: what a process that hangs leaves behind.
    const silent = await at.open()
    await silent.effects.handle('embed', () => new Promise(() => {}), {
      pollMs: foreverMs,
      leaseMs: 1_500,
    })
    await at.db.enqueue({ kind: 'embed', key: 'a' })
    assert.deepEqual((await watch.look()).troubles, [])
    assert.equal(watch.latest.kinds[0]?.held, 1)
    await until(async () => (await watch.look()).troubles.length > 0)
    assert.equal(told[0]?.kind, 'effectsOrphaned')
    await silent.close({ timeoutMs: 0 }).catch(() => undefined)
  })

  test('law 8 · the oldest that waits too long is told once; that of a paused kind is not', async () => {
    await using at = await stage(subject, tables)
    const told = record(at.db, 'alert')
    const watch = at.db.effects.watch({ ...byHand, lateAfterMs: 1 })
    await at.db.effects.handle('embed', async (effects) =>
      effects.map(() => ({ kind: 'retry' as const, error: 'not now', afterMs: 3_600_000 })),
    )
    await at.db.enqueue({ kind: 'embed', key: 'a' })
    await until(async () => (await watch.look()).troubles.some(({ kind }) => kind === 'effectsLate'))
    await watch.look()
    assert.deepEqual(
      told.map(({ kind, effects }) => [kind, effects]),
      [['effectsLate', 'embed']],
    )
    await at.db.effects.pause('embed')
    assert.deepEqual((await watch.look()).troubles, [])
    await at.db.effects.resume('embed')
    assert.equal((await watch.look()).troubles.length, 1)
    assert.equal(told.length, 2)
  })

  test('law 8 · one that is delayed on purpose is not late, but its target is behind by as much', async () => {
    await using at = await stage(subject, tables)
    await at.db.effects.handle('embed', async () => {})
    await at.db.enqueue({ kind: 'embed', key: 'a', delayMs: 3_600_000 })
    await until(async () => (await at.db.effects.stats('embed')).waiting === 1)
    await until(async () => (await at.db.effects.stats('embed')).queued === 0)
    await until(async () => (await at.db.effects.stats('embed')).lagMs > 0)
    assert.equal((await at.db.effects.stats('embed')).oldestMs, 0)
  })

  test('law 8 · what is delivered and only not swept away yet does not wait', async () => {
    await using at = await stage(subject, tables)
    const handling = await at.db.effects.handle('embed', async () => {})
    const { position } = await at.db.enqueue({ kind: 'embed', key: 'a' })
    await until(async () => (await at.db.effects.stats('embed')).queued === 0)
    await handling.stop()
    const { epoch, seq } = position
    await at.outside(`INSERT INTO tidemark_segments (kind, epoch, first_seq, last_seq, last_n, items, committed_at, content)
      VALUES ('embed', ${epoch}, ${seq}, ${seq}, 0, 1, 1, '[[],[],[],[]]')`)
    const { queued, oldestMs, lagMs } = await at.db.effects.stats('embed')
    assert.deepEqual([queued, oldestMs, lagMs], [0, 0, 0])
  })

  test('law 8 · a target that is down, and dead effects, are in trouble as long as they are', async () => {
    await using at = await stage(subject, tables)
    const told = record(at.db, 'alert')
    let isDown = true
    await at.db.effects.handle(
      'embed',
      async (effects) => {
        if (isDown) throw Object.assign(new Error('unavailable'), { status: 503 })
        return effects.map(() => ({ kind: 'dead' as const, error: 'no model' }))
      },
      { retryFirstMs: 1, retryMaxMs: 1 },
    )
    const watch = at.db.effects.watch(byHand)
    await at.db.enqueue({ kind: 'embed', key: 'a' })
    await until(async () => kindsOf(await watch.look()).join() === 'targetDown')
    isDown = false
    await until(async () => kindsOf(await watch.look()).join() === 'deadEffects')
    await until(async () => told.length === 2)
    assert.deepEqual(
      told.map(({ kind, effects }) => [kind, effects]),
      [
        ['targetDown', 'embed'],
        ['deadEffect', 'embed'],
      ],
    )
    const [effect] = await at.db.effects.deadLetters('embed')
    await at.db.effects.discard([effect?.id ?? ''])
    assert.deepEqual(kindsOf(await watch.look()), [])
  })

  test('law 9 · a watch ends with its engine', async () => {
    await using at = await stage(subject, tables)
    const watch = at.db.effects.watch({ everyMs: 1 })
    await watch.look()
    await at.db.close()
    // It does not ask a store that is not held any more.
    const { latest } = watch
    assert.equal(await watch.look(), latest)
  })

  test('options of a watch that make no sense are refused', async () => {
    await using at = await stage(subject, tables)
    assert.throws(
      () => at.db.effects.watch({ lateAfterMs: 0 }),
      (error) => error instanceof TidemarkError && error.code === 'INVALID_OPTIONS',
    )
  })
}

function kindsOf({ troubles }: { readonly troubles: readonly { readonly kind: string }[] }): string[] {
  return troubles.map(({ kind }) => kind)
}
