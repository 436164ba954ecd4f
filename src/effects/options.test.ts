import { expect, test } from 'vitest'
import { parseHandleOptions } from './options.ts'

test('all problems of the options of handle() are told at once', () => {
  const wrong: object = { batch: 0, concurrency: 'most', lanes: 257, timeoutMs: 2 ** 31, onDead: 5, tries: 1 }
  expect(() => parseHandleOptions(wrong)).toThrow(
    /handle\(\): batch must be a whole.*concurrency must be a whole.*timeoutMs must be a.*lanes must.*onDead must be a function.*tries is not an option/,
  )
})

test('what is left out, or undefined, has its default; lanes, keepDeadMs and onDead have none', () => {
  const defaults = parseHandleOptions()
  expect(defaults).toMatchObject({ batch: 64, concurrency: 'adaptive', maxAttempts: 20, pollMs: 1_000 })
  const leftOut: object = { batch: undefined, lanes: undefined }
  expect(parseHandleOptions(leftOut)).toEqual(defaults)
  expect(parseHandleOptions({ lanes: 4, batch: 8, keepDeadMs: 2 ** 40 })).toEqual({
    ...defaults,
    lanes: 4,
    batch: 8,
    keepDeadMs: 2 ** 40,
  })
})
