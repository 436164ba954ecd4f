import { expect, test } from 'vitest'
import type { RawEntry } from '../../dashboard/api/answers.ts'
import { MAX_AT_ONCE, MAX_ROWS, Waiting, withNewer, withOlder, type Row } from '../../dashboard/logs/rows.ts'

function raw(fromId: number, count: number): RawEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const id = fromId + index
    return {
      id,
      json: JSON.stringify({ id, ts: 0, level: 'info', service: null, message: '', attributes: null }),
    }
  })
}

function take(fromId: number, count: number): Row[] {
  const waiting = new Waiting()
  waiting.add(raw(fromId, count))
  return waiting.take()
}

const ids = (rows: readonly Row[]): number[] => rows.map(({ id }) => id)

test('dashboard · what came is shown newest first', () => {
  expect(ids(take(5, 3))).toEqual([7, 6, 5])
})

test('dashboard · of a flood the newest are shown, and the rest is counted', () => {
  const waiting = new Waiting()
  for (let id = 1; id < 10_000; id += 100) waiting.add(raw(id, 100))
  expect(waiting.count).toBe(10_000)
  const rows = waiting.take()
  expect(rows).toHaveLength(MAX_AT_ONCE + 1)
  expect(rows[0]).toMatchObject({ kind: 'entry', id: 10_000 })
  expect(rows.at(-1)).toEqual({ kind: 'gap', id: 9_900, count: 9_900 })
  expect(waiting.count).toBe(0)
})

test('dashboard · the list never holds more than it may, at either end', () => {
  const full = Array.from({ length: 12 }, (_, index) => take(1_200 - index * 100, 100))
    .flat()
    .slice(0, MAX_ROWS)
  const newer = withNewer(full, take(1_300, 50))
  expect(newer).toHaveLength(MAX_ROWS)
  expect(newer[0]?.id).toBe(1_349)
  const older = withOlder(full, take(1, 50))
  expect(older).toHaveLength(MAX_ROWS)
  expect(older.at(-1)?.id).toBe(1)
})

test('dashboard · an older entry that is there already is not shown twice', () => {
  expect(ids(withOlder(take(5, 2), take(3, 3)))).toEqual([6, 5, 4, 3])
})
