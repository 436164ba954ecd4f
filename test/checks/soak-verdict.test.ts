/** The verdict of a soak is seen to fail: what grows or slows down from window to window is not flat. */
import { expect, test } from 'vitest'
import { judge } from '../../campaigns/soak/verdict.ts'
import type { Window } from '../../campaigns/soak/window.ts'

const steady: Window = {
  operationsPerSecond: 3_000,
  heapMb: 16,
  rssMb: 240,
  loopDelayP99Ms: 10,
  commitP99Ms: 6,
  walMb: 16,
  fileMb: 11,
}

const windows = (change: (index: number) => Partial<Window>): Window[] =>
  Array.from({ length: 24 }, (_, index) => ({ ...steady, ...change(index) }))

test('windows that differ by noise are flat, however they began', () => {
  const noisy = windows((index) => ({
    heapMb: index < 6 ? 8 + index : 16 + (index % 3) * 0.2,
    commitP99Ms: index % 5 === 0 ? 60 : 6,
  }))
  expect(judge(noisy)).toMatchObject({ isFlat: true })
})

test.each([
  ['heap after collection', (index: number) => ({ heapMb: 16 + index * 0.2 })],
  ['heap over the second half', (index: number) => ({ heapMb: index < 12 ? 16 : 16 + (index - 12) * 0.3 })],
  ['RSS', (index: number) => ({ rssMb: 240 + index * 5 })],
  ['accepted to committed', (index: number) => ({ commitP99Ms: 6 + index * 2 })],
  ['event-loop delay', (index: number) => ({ loopDelayP99Ms: 10 + index * 3 })],
  ['write-ahead log', (index: number) => ({ walMb: 16 + index * 2 })],
  ['database file', (index: number) => ({ fileMb: 11 + index })],
])('%s that grows is not flat', (what, change) => {
  const { isFlat, lines } = judge(windows(change))
  expect(isFlat).toBe(false)
  expect(lines.filter((line) => line.startsWith('NOT FLAT')).join()).toContain(what)
})
