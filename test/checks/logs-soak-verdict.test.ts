/** The verdict of a log store's soak is seen to fail: for what grows, for a limit that is passed, for every row that is lost. */
import { expect, test } from 'vitest'
import { judgeCounts, judgeLogs, type Found } from '../../campaigns/logs-soak/verdict.ts'
import type { LogWindow } from '../../campaigns/logs-soak/window.ts'

const limitMb = 2_000
const steady: LogWindow = {
  rowsPerSecond: 40_000,
  heapMb: 22,
  rssMb: 480,
  loopDelayP99Ms: 14,
  commitP50Ms: 150,
  commitP99Ms: 300,
  searchP50Ms: 5,
  searchP99Ms: 40,
  longestMs: 200,
  behind: 100,
  unindexed: 0,
  usedMb: 1_790,
  mostUsedMb: 1_900,
  fileMb: 1_920,
  walMb: 40,
}

const windows = (change: (index: number) => Partial<LogWindow>): LogWindow[] =>
  Array.from({ length: 24 }, (_, index) => ({ ...steady, ...change(index) }))

test('windows that differ by noise are flat', () => {
  const noisy = windows((index) => ({ commitP99Ms: 300 + (index % 4) * 30, heapMb: 22 + (index % 3) * 0.3 }))
  expect(judgeLogs(noisy, limitMb)).toMatchObject({ isFlat: true })
})

test.each([
  ['heap after collection', (index: number) => ({ heapMb: 22 + index * 0.5 })],
  ['RSS', (index: number) => ({ rssMb: 480 + index * 10 })],
  ['accepted to committed', (index: number) => ({ commitP99Ms: 300 + index * 30 })],
  ['search, p99', (index: number) => ({ searchP99Ms: 40 + index * 10 })],
  ['the most of the database', (index: number) => ({ mostUsedMb: 1_900 + index * 20 })],
])('%s that grows is not flat', (what, change) => {
  const { isFlat, lines } = judgeLogs(windows(change), limitMb)
  expect(isFlat).toBe(false)
  expect(lines.filter((line) => line.startsWith('NOT FLAT')).join()).toContain(what)
})

const accepted = 1_000
const whole: Found = { rows: 600, oldest: 401, newest: 1_000, strangers: 0, indexed: 600, letters: 0 }
const follower = { name: 'a tail', seen: 900, missed: 100, last: 1_000 }

test('what is stored and what is deleted are all that was accepted', () => {
  expect(judgeCounts(whole, accepted, [follower])).toMatchObject({ isFlat: true })
})

test.each<[string, Partial<Found>]>([
  ['a row that is lost at the end', { rows: 599, newest: 999, indexed: 599 }],
  ['a row that is lost in between', { rows: 599, indexed: 599 }],
  ['a row that is there twice', { rows: 601, indexed: 601 }],
  ['a row in the place of another', { strangers: 1 }],
  ['a row that is not in the index', { indexed: 599 }],
  ['a dead letter', { letters: 1 }],
])('%s breaks it', (_, change) => {
  expect(judgeCounts({ ...whole, ...change }, accepted, [follower])).toMatchObject({ isFlat: false })
})

test('a tail that saw one too few or one twice breaks it', () => {
  for (const seen of [899, 901])
    expect(judgeCounts(whole, accepted, [{ ...follower, seen }])).toMatchObject({ isFlat: false })
})
