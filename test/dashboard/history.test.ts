import { expect, test } from 'vitest'
import {
  appendSamples,
  COLUMNS,
  EMPTY_HISTORY,
  windowOf,
  type HistoryAnswer,
} from '../../dashboard/overview/history.ts'
import { QUESTIONS } from '../../dashboard/overview/questions.ts'
import { spokenSummary } from '../../dashboard/overview/spoken-summary.ts'

/** One sample a second; its rate is its place. */
function answer(fromSecond: number, count: number, columns: readonly string[] = COLUMNS): HistoryAnswer {
  const samples = Array.from({ length: count }, (_, index) =>
    columns.map((column) =>
      column === 't' ? (fromSecond + index) * 1_000 : column === 'rowsPerSecond' ? index : 0,
    ),
  )
  return { intervalMs: 1_000, columns, samples }
}

test('dashboard · samples are added once, however often they are told', () => {
  const first = appendSamples(EMPTY_HISTORY, answer(100, 5))
  expect(first.t).toEqual([100, 101, 102, 103, 104].map((second) => second * 1_000))
  expect(appendSamples(first, answer(102, 3))).toBe(first)
  expect(appendSamples(first, answer(103, 3)).t).toHaveLength(6)
})

test('dashboard · columns are found by name, wherever the server puts them', () => {
  const history = appendSamples(EMPTY_HISTORY, answer(1, 3, [...COLUMNS].toReversed()))
  expect(history.rowsPerSecond).toEqual([0, 1, 2])
  expect(history.t).toEqual([1_000, 2_000, 3_000])
})

test('dashboard · a time that nobody measured is a hole, not a line', () => {
  const history = appendSamples(appendSamples(EMPTY_HISTORY, answer(100, 2)), answer(160, 2))
  expect(history.t).toEqual([100_000, 101_000, 102_000, 160_000, 161_000])
  expect(history.rowsPerSecond).toEqual([0, 1, null, 0, 1])
})

test('dashboard · a quarter of an hour is kept, and a window shows its end', () => {
  const history = appendSamples(appendSamples(EMPTY_HISTORY, answer(0, 900)), answer(900, 900))
  expect(history.t).toHaveLength(901)
  expect(windowOf(history, 1).t).toHaveLength(61)
  expect(windowOf(EMPTY_HISTORY, 5)).toBe(EMPTY_HISTORY)
})

test('dashboard · a chart says what it shows', () => {
  const [question] = QUESTIONS
  if (question === undefined) expect.fail('there are no questions')
  const shown = appendSamples(EMPTY_HISTORY, answer(0, 4))
  expect(spokenSummary(question, shown, 1)).toBe(
    'How fast do rows arrive? The last minute. rows a second: now 3, least 0, most 3.',
  )
  expect(spokenSummary(question, EMPTY_HISTORY, 5)).toContain('nothing measured yet')
})
