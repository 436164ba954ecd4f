/**
 * What every target must do, as tests, with whichever runner is handed in:
 *
 *     import { describe, test } from 'vitest'
 *     import { targetConformance } from 'tidemark/testing'
 *     targetConformance({ name: 'mine', fresh: async () => …, nowhere: () => …, silent: async () => … }, { describe, test })
 */
import assert from 'node:assert/strict'
import type { Effect, EffectOutcome, Json, Position, Target } from '../index.ts'
import type { Runner } from './subject.ts'

export interface TargetSubject {
  /** For the names of the tests. */
  readonly name: string
  /** What the target says that it does not do: that is tested instead. Default nothing. */
  readonly lacks?: readonly 'versions of what is deleted'[]
  /** A place of its own, and the target that delivers there. */
  fresh(): Promise<TargetPlace>
  /** A target whose place does not exist. */
  nowhere(): Target
  /** A target whose place takes what is sent, and says nothing. */
  silent(): Promise<{ readonly target: Target; readonly dispose: () => Promise<void> }>
}

export interface TargetPlace {
  readonly target: Target
  /** The payload that puts this number under the effect's key. */
  readonly put: (value: number) => Json
  /** The payload that removes what is under the effect's key. */
  readonly remove: () => Json
  /** A payload that can never be delivered. */
  readonly bad: Json
  /** What is under this key. */
  readonly held: (key: string) => Promise<number | undefined>
  dispose(): Promise<void>
}

/** An effect as a dispatcher hands it over. Its id follows from kind, key and version. */
export function effectOf(key: string | undefined, version: number, payload: Json, kind = 'index'): Effect {
  return {
    id: `${kind}-${key}-${version}`,
    kind,
    key,
    payload,
    version,
    // The brands of a position are the engine's to give; a target only passes it on.
    position: { writer: 'w', epoch: 1, seq: version } as unknown as Position,
    attempt: 1,
    committedAt: new Date(0),
  }
}

/** How each of the effects ended; what a target throws stands for all of them. */
export async function endingsOf(
  target: Target,
  effects: readonly Effect[],
  signal: AbortSignal = new AbortController().signal,
): Promise<string[]> {
  let outcomes: readonly EffectOutcome<unknown>[] | void
  try {
    outcomes = await target.deliver(effects, { signal })
  } catch {
    return effects.map(() => 'retry')
  }
  if (outcomes) assert.equal(outcomes.length, effects.length)
  return effects.map((_, index) => outcomes?.[index]?.kind ?? 'delivered')
}

/** Defines the tests for one target. */
export function targetConformance(subject: TargetSubject, { describe, test }: Runner): void {
  describe(`${subject.name} · effects`, () => {
    const onPlace = (name: string, run: (place: TargetPlace) => Promise<void>) =>
      test(name, async () => {
        const place = await subject.fresh()
        try {
          await run(place)
        } finally {
          await place.target.close()
          await place.dispose()
        }
      })

    onPlace('law 8 · a batch is delivered, each effect under its key', async ({ target, put, held }) => {
      assert.deepEqual(await endingsOf(target, []), [])
      const keys = ['a', 'b:c/d', 'ключ 🌊', "it's {one}", 'x'.repeat(300)]
      const effects = keys.map((key, index) => effectOf(key, index + 1, put(index)))
      assert.deepEqual(
        await endingsOf(target, effects),
        keys.map(() => 'delivered'),
      )
      assert.deepEqual(await Promise.all(keys.map(held)), [0, 1, 2, 3, 4])
    })

    onPlace('law 8 · the same effect again changes nothing', async ({ target, put, remove, held }) => {
      const first = effectOf('a', 1, put(1))
      const second = effectOf('a', 2, put(2))
      for (const effect of [first, first, second, second, second, first])
        assert.deepEqual(await endingsOf(target, [effect]), ['delivered'])
      assert.equal(await held('a'), 2)
      const gone = effectOf('a', 3, remove())
      for (const effect of [gone, gone]) assert.deepEqual(await endingsOf(target, [effect]), ['delivered'])
      assert.equal(await held('a'), undefined)
      assert.deepEqual(await endingsOf(target, [effectOf('never there', 1, remove())]), ['delivered'])
    })

    onPlace('law 8 · an older effect that comes late leaves the newer', async ({ target, put, held }) => {
      const newest = Number.MAX_SAFE_INTEGER
      await endingsOf(target, [effectOf('a', newest, put(2)), effectOf('b', 10, put(2))])
      const late = [effectOf('a', newest - 1, put(1)), effectOf('b', 9, put(1)), effectOf('c', 9, put(1))]
      assert.deepEqual(await endingsOf(target, late), ['delivered', 'delivered', 'delivered'])
      assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(held)), [2, 2, 1])
    })

    onPlace(
      'law 8 · an older removal that comes late leaves the newer',
      async ({ target, put, remove, held }) => {
        await endingsOf(target, [effectOf('a', 5, put(5))])
        await endingsOf(target, [effectOf('a', 4, remove())])
        assert.equal(await held('a'), 5)
      },
    )

    if (subject.lacks?.includes('versions of what is deleted') !== true) {
      onPlace('law 8 · what was removed does not come back', async ({ target, put, remove, held }) => {
        await endingsOf(target, [effectOf('a', 1, put(1))])
        await endingsOf(target, [effectOf('a', 3, remove())])
        await endingsOf(target, [effectOf('a', 2, put(2))])
        assert.equal(await held('a'), undefined)
        await endingsOf(target, [effectOf('a', 4, put(4))])
        assert.equal(await held('a'), 4)
      })
    } else {
      onPlace('what was removed comes back with an older effect, as its page says', async (place) => {
        const { target, put, remove, held } = place
        await endingsOf(target, [effectOf('a', 3, put(3))])
        await endingsOf(target, [effectOf('a', 4, remove())])
        await endingsOf(target, [effectOf('a', 2, put(2))])
        assert.equal(await held('a'), 2)
      })
    }

    onPlace('law 8 · versions of one kind say nothing of another', async ({ target, put, held }) => {
      await endingsOf(target, [effectOf('a', 100, put(1), 'one')])
      assert.deepEqual(await endingsOf(target, [effectOf('b', 5, put(2), 'other')]), ['delivered'])
      assert.equal(await held('b'), 2)
    })

    onPlace(
      'law 8 · a bad effect is dead, and its neighbours are delivered',
      async ({ target, put, held, bad }) => {
        const at = (key: string, payload: Json) => effectOf(key, 1, payload)
        const effects = [
          at('a', put(1)),
          at('b', bad),
          at('c', put(3)),
          at('d', 'no payload'),
          at('e', put(5)),
        ]
        const expected = ['delivered', 'dead', 'delivered', 'dead', 'delivered']
        assert.deepEqual(await endingsOf(target, effects), expected)
        assert.deepEqual(await Promise.all(['a', 'b', 'c', 'd', 'e'].map(held)), [
          1,
          undefined,
          3,
          undefined,
          5,
        ])
        assert.deepEqual(await endingsOf(target, [at('b', bad)]), ['dead'])
      },
    )

    onPlace('it says that it is up, and after its end that it is not', async ({ target, put }) => {
      const { signal } = new AbortController()
      await target.probe(signal)
      await assert.rejects(target.probe(AbortSignal.abort(new Error('enough'))), /enough/)
      await target.close()
      await target.close()
      await assert.rejects(target.probe(signal), { code: 'CLOSED' })
      assert.deepEqual(await endingsOf(target, [effectOf('a', 1, put(1))]), ['retry'])
    })

    test('law 8 · out of reach, everything is tried again and nothing is dead', async () => {
      const place = await subject.fresh()
      const target = subject.nowhere()
      try {
        const effects = ['a', 'b', 'c'].map((key) => effectOf(key, 1, place.put(1)))
        for (const _ of [1, 2])
          assert.deepEqual(await endingsOf(target, effects), ['retry', 'retry', 'retry'])
        await assert.rejects(target.probe(new AbortController().signal), { code: 'TARGET_FAILED' })
      } finally {
        await target.close()
        await place.target.close()
        await place.dispose()
      }
    })

    const onSilence = (name: string, run: (target: Target, effect: Effect) => Promise<void>) =>
      test(name, async () => {
        const place = await subject.fresh()
        const { target, dispose } = await subject.silent()
        try {
          await run(target, effectOf('a', 1, place.put(1)))
        } finally {
          await target.close()
          await dispose()
          await place.target.close()
          await place.dispose()
        }
      })

    onSilence('an abort ends a delivery and a probe that nobody answers', async (target, effect) => {
      const abort = new AbortController()
      const delivery = endingsOf(target, [effect], abort.signal)
      const probe = assert.rejects(target.probe(abort.signal), /enough/)
      abort.abort(new Error('enough'))
      assert.deepEqual(await delivery, ['retry'])
      await probe
      assert.deepEqual(await endingsOf(target, [effect], abort.signal), ['retry'])
    })

    onSilence('its end ends a delivery that nobody answers', async (target, effect) => {
      const delivery = endingsOf(target, [effect])
      const probe = assert.rejects(target.probe(new AbortController().signal), { code: 'CLOSED' })
      await target.close()
      assert.deepEqual(await delivery, ['retry'])
      await probe
    })
  })
}
