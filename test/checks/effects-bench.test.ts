/** The effects benchmark: what it is asked for, whom it believes, and what it calls met. */
import { describe, expect, test } from 'vitest'
import type { Usage } from '../../bench/measure.ts'
import { EFFECTS_SECTIONS, parseEffectsOptions } from '../../bench/options/effects.ts'
import { EFFECTS_PEER_NAMES, type EffectsPeerName } from '../../bench/peers/effects/index.ts'
import type { EffectsPeer, Handling } from '../../bench/peers/effects/peer.ts'
import { judge } from '../../bench/report/goals.ts'
import { effectsGoalsOf } from '../../bench/sections/effects/goals.ts'
import type { RateLane } from '../../bench/sections/effects/rates.ts'
import { drain } from '../../bench/workloads/effects/drained.ts'
import { failsOnce } from '../../bench/workloads/effects/items.ts'

describe('options', () => {
  test('without any, all contenders and sections, five rounds', () => {
    expect(parseEffectsOptions([])).toMatchObject({
      only: EFFECTS_PEER_NAMES,
      sections: EFFECTS_SECTIONS,
      rounds: 5,
      server: 'embedded',
    })
  })

  test('a part of them, in the order given', () => {
    const args = ['--only', 'pg-boss,tidemark/sqlite', '--sections', 'idle,drain', '--items', '20_000']
    expect(parseEffectsOptions(args)).toMatchObject({
      only: ['pg-boss', 'tidemark/sqlite'],
      sections: ['idle', 'drain'],
      items: 20_000,
    })
  })

  test.each([
    [['--only', 'tidemark'], '--only does not know "tidemark"'],
    [['--sections', 'enqueue'], '--sections does not know "enqueue"'],
    [['--items', '100'], '--items takes a whole number, at least 20000'],
    [['--server', 'mysql'], '--server takes embedded, debian or a URL'],
    [['--row-bytes', '250'], '--row-bytes is not for effects'],
  ])('%j is refused in words', (args, message) => {
    expect(() => parseEffectsOptions(args)).toThrow(message)
  })
})

describe('a drained queue', () => {
  const COUNT = 20
  const noneWaits = (): undefined => undefined
  const failing = Array.from({ length: COUNT }, (_, id) => id).filter(failsOnce)

  test('is believed when each item was handled once, and each that fails a second time', async () => {
    const again = ({ handle }: Handling, id: number): void => void (handle(id) || handle(id))
    await expect(
      drain(queueThat(again), { first: 0, count: COUNT, dueAt: noneWaits }),
    ).resolves.toMatchObject({
      mostMs: expect.any(Number),
    })
  })

  test('is not when an item was handled twice', async () => {
    const twice = ({ handle }: Handling, id: number): void => {
      // The last one ends it, and must come once.
      for (let call = 0; call < (id === 4 ? 2 : 1); call++) handle(id)
    }
    await expect(drain(queueThat(twice), { first: 0, count: COUNT })).rejects.toThrow(
      'item 4 was handled 2 times instead of 1',
    )
  })

  test('is not when a failed item was never tried again', async () => {
    const lostFor = ({ handle }: Handling, id: number): void => {
      handle(id)
      // Others come in its place, so that the count is right.
      if (failing.includes(id)) handle(id - 1)
    }
    await expect(drain(queueThat(lostFor), { first: 0, count: COUNT, dueAt: noneWaits })).rejects.toThrow(
      'times instead of',
    )
  })

  test('is not when its database holds no item any more, and one was never handled', async () => {
    const losing = ({ handle }: Handling, id: number): void => void (id === 4 || handle(id))
    await expect(drain(queueThat(losing), { first: 0, count: COUNT })).rejects.toThrow(
      '1 items are not in the queue any more and were never handled',
    )
  })

  test('is not when an item came before its time', async () => {
    const inAnHour = Date.now() + 3_600_000
    const again = ({ handle }: Handling, id: number): void => void (handle(id) || handle(id))
    const queued = { first: 0, count: COUNT, dueAt: (id: number) => (id === 3 ? inAnHour : undefined) }
    await expect(drain(queueThat(again), queued)).rejects.toThrow('1 items were handled before their time')
  })

  test('is drained when its database says so, and not when all were handled', async () => {
    const left = [2, 1, 0]
    const queue = {
      ...queueThat(({ handle }, id) => void handle(id)),
      unfinished: () => Promise.resolve(left.shift() ?? 0),
    }
    await drain(queue, { first: 0, count: COUNT })
    expect(left).toEqual([])
  })

  function queueThat(deliver: (handling: Handling, id: number) => void): EffectsPeer {
    return {
      enqueue: () => Promise.resolve(),
      enqueueOne: () => Promise.resolve(),
      work(handling) {
        for (let id = 0; id < COUNT; id++) deliver(handling, id)
        return Promise.resolve(() => Promise.resolve())
      },
      unfinished: () => Promise.resolve(0),
      close: () => Promise.resolve(),
    }
  }
})

describe('goals', () => {
  test('rates are compared round by round, and the median of that is judged', () => {
    const enqueued = [
      laneOf('tidemark/sqlite', [1_000, 100, 2_400]),
      laneOf('graphile-worker', [100, 20, 100]),
    ]
    const goals = effectsGoalsOf({ drains: { enqueued, drained: [] } })
    const goal = goals.find(({ name }) => name === 'enqueued, tidemark/sqlite against graphile-worker')
    expect(goal).toMatchObject({ measured: 10 })
    expect(goal && judge(goal)).toBe('met')
  })

  test('what was not measured is said to be so', () => {
    const verdicts = effectsGoalsOf({}).map((goal) => judge(goal))
    expect(new Set(verdicts)).toEqual(new Set(['not measured']))
  })

  function laneOf(peer: EffectsPeerName, rates: readonly number[]): RateLane {
    const usage = {} as Usage
    return { peer, rounds: rates.map((perSecond) => ({ perSecond, items: 1, usage, serverCpuUs: 0 })) }
  }
})
