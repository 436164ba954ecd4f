import { expect, test } from 'vitest'
import { sqlite } from './index.ts'
import { parseSqliteOptions, SQLITE_DEFAULTS, type SqliteOptions } from './options.ts'

test('without options every setting has its default', () => {
  expect(parseSqliteOptions()).toEqual(SQLITE_DEFAULTS)
  expect(parseSqliteOptions({ durability: 'power' })).toEqual({ ...SQLITE_DEFAULTS, durability: 'power' })
})

test('every problem is told at once, with what would be right', () => {
  const wrong = { durability: 'never', busyTimeoutMs: -1, cacheBytes: 1.5, readers: 0, colour: 'red' }
  const problems = [
    /durability must be one of process, power/,
    /busyTimeoutMs must be a whole number, not -1/,
    /cacheBytes must be a whole number, not 1.5/,
    /readers must be at least 1/,
    /colour is not an option \(options: durability, .*readers/,
  ]
  for (const problem of problems) {
    expect(() => parseSqliteOptions(wrong as unknown as SqliteOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringMatching(problem) as string }),
    )
  }
})

test('a database that is no file is refused', () => {
  for (const path of ['', ':memory:', 'file:app.db?mode=memory', undefined as unknown as string])
    expect(() => sqlite(path)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
})
