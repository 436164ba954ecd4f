import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import { Outage } from './outage.ts'

interface Watched {
  readonly outage: Outage
  readonly runtime: FakeRuntime
  /** What was told of it. */
  readonly told: string[]
}

function watched(): Watched {
  const runtime = new FakeRuntime()
  const told: string[] = []
  const outage = new Outage(
    runtime,
    () => told.push('pause over'),
    (isDown) => told.push(isDown ? 'down' : 'back'),
  )
  return { outage, runtime, told }
}

function refuse(outage: Outage, times: number): void {
  for (let time = 0; time < times; time++) outage.refused([`effect ${time}`], 0)
}

test('law 8 · until a target has answered nobody knows that it is up, and nothing that it refuses counts', () => {
  const { outage, told } = watched()
  expect(outage).toMatchObject({ isUp: false, isDown: false, room: undefined })
  refuse(outage, 2)
  expect(outage).toMatchObject({ isUp: false, isDown: false, room: undefined })
  outage.answered()
  expect(outage).toMatchObject({ isUp: true, isDown: false, room: undefined })
  expect(told).toEqual([])
})

test('law 8 · three refusals in a row are an outage, and one answer ends it', () => {
  const { outage, told } = watched()
  outage.answered()
  refuse(outage, 2)
  outage.answered()
  refuse(outage, 2)
  expect(outage).toMatchObject({ isUp: true, isDown: false })
  outage.refused(['c'], 0)
  expect(outage).toMatchObject({ isUp: false, isDown: true, room: 0 })
  outage.answered()
  expect(outage).toMatchObject({ isUp: true, isDown: false, room: undefined })
  expect(told).toEqual(['down', 'back'])
})

test('law 7 · a target that is down is asked by one call at a time, after pauses that double up to half a minute', async () => {
  const { outage, runtime, told } = watched()
  runtime.chance = 1
  refuse(outage, 2)
  const pauses: number[] = []
  for (let probe = 0; probe < 9; probe++) {
    outage.refused(['a'], 0)
    const [pauseMs = 0] = runtime.timersMs
    pauses.push(pauseMs)
    expect(outage.room).toBe(0)
    await runtime.advance(pauseMs)
    expect(outage.room).toBe(1)
  }
  expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  expect(told).toEqual(['down', ...Array<string>(9).fill('pause over')])
})

test('law 8 · a target that is down is left alone as long as it asked, and for no longer than five minutes', async () => {
  const { outage, runtime } = watched()
  const pauseAfter = (askedMs: number): number => {
    outage.refused(['c'], askedMs)
    return runtime.timersMs[0] ?? 0
  }
  const shortest = 125
  runtime.chance = 0
  refuse(outage, 2)
  expect(pauseAfter(60_000)).toBe(60_000 + shortest)
  // Those that were under way beside it, and say less, change nothing of it.
  await runtime.advance(10_000)
  expect(pauseAfter(0)).toBe(50_000 + 2 * shortest)
  expect(pauseAfter(20_000)).toBe(50_000 + 4 * shortest)
  await runtime.advance(50_000)
  expect(outage.room).toBe(0)
  await runtime.advance(4 * shortest)
  expect(outage.room).toBe(1)
  expect(pauseAfter(0)).toBe(8 * shortest)
  expect(pauseAfter(24 * 3_600_000)).toBe(300_000 + 16 * shortest)
  outage.answered()
  refuse(outage, 2)
  expect(pauseAfter(0)).toBe(shortest)
})

test('law 8 · what was asked for before it counts as down is heeded too', () => {
  const { outage, runtime } = watched()
  runtime.chance = 0
  outage.refused(['c'], 7_000)
  refuse(outage, 2)
  expect(runtime.timersMs).toEqual([7_125])
})

test('law 8 · what it asks of one effect alone holds up no other, and what it asks of two holds up all', async () => {
  const { outage, runtime } = watched()
  runtime.chance = 0
  for (let refusal = 0; refusal < 3; refusal++) outage.refused(['a'], 60_000)
  expect(outage).toMatchObject({ isDown: true, refusesOne: true })
  expect(runtime.timersMs).toEqual([125])
  await runtime.advance(125)
  outage.refused(['b'], 0)
  expect(outage).toMatchObject({ isDown: true, refusesOne: false })
  expect(runtime.timersMs).toEqual([60_000 - 125 + 250])
  outage.answered()
  for (let refusal = 0; refusal < 3; refusal++) outage.refused(['a', 'b'], 60_000)
  expect(runtime.timersMs).toEqual([60_125])
})
