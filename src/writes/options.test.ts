import { expect, test } from 'vitest'
import { DEFAULTS, parseOptions, type OpenOptions } from './options.ts'

function problemsOf(options: unknown): string[] {
  try {
    parseOptions(options as OpenOptions)
    return []
  } catch (error) {
    expect(error).toMatchObject({ name: 'TidemarkError', code: 'INVALID_OPTIONS' })
    return (error as Error).message.replace(/^tidemark: invalid options: /, '').split('; ')
  }
}

test('without options every one has its default, and the defaults cannot be changed', () => {
  expect(parseOptions()).toEqual(DEFAULTS)
  expect(parseOptions({})).toEqual(DEFAULTS)
  for (const part of [DEFAULTS, DEFAULTS.queue, DEFAULTS.batch, DEFAULTS.retry])
    expect(Object.isFrozen(part)).toBe(true)
})

test('what is given is taken, the rest has its default', () => {
  const options = parseOptions({ writer: 'a', batch: { lingerMs: 0 }, queue: { whenFull: 'wait' } })
  expect(options).toEqual({
    ...DEFAULTS,
    writer: 'a',
    batch: { ...DEFAULTS.batch, lingerMs: 0 },
    queue: { ...DEFAULTS.queue, whenFull: 'wait' },
  })
})

test('every problem is told at once, by its full name', () => {
  const problems = problemsOf({
    writer: '',
    queue: { maxOperations: 0, maxBytes: 1.5, whenFull: 'never' },
    batch: {
      maxOperations: '10',
      maxBytes: -1,
      lingerMs: Number.NaN,
      minIntervalMs: -1,
      maxTransactionMs: 0,
    },
    retry: { giveUpAfterMs: null },
    alertAfterMs: 'soon',
  })
  for (const name of [
    'writer',
    'queue.maxOperations',
    'queue.maxBytes',
    'queue.whenFull',
    'batch.maxOperations',
    'batch.maxBytes',
    'batch.lingerMs',
    'batch.minIntervalMs',
    'batch.maxTransactionMs',
    'retry.giveUpAfterMs',
    'alertAfterMs',
  ])
    expect(
      problems.filter((problem) => problem.startsWith(`${name} must be`)),
      name,
    ).toHaveLength(1)
  expect(problems).toHaveLength(11)
})

test('an unknown option is a problem, in every group, and the known ones are named', () => {
  const problems = problemsOf({ batchSize: 5, queue: { max: 1 }, batch: { linger: 1 }, retry: { times: 3 } })
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
    'batchSize',
    'queue.max',
    'batch.linger',
    'retry.times',
  ])
  expect(problems[2]).toMatch(/options: maxOperations, maxBytes, lingerMs/)
})

test('what is no group of options at all is a problem', () => {
  expect(problemsOf({ queue: 5 })).toHaveLength(1)
  expect(problemsOf({ batch: 'fast' })).toHaveLength(1)
  expect(problemsOf({ retry: null })).toHaveLength(1)
  expect(problemsOf('fast')).toHaveLength(1)
  expect(problemsOf(null)).toHaveLength(1)
})

test('a writer name is a text of reasonable length', () => {
  for (const writer of ['a', 'x'.repeat(200), 'ingest ü/1']) expect(problemsOf({ writer })).toEqual([])
  for (const writer of ['', 'x'.repeat(201), '\ud800', 5, null])
    expect(problemsOf({ writer })).toHaveLength(1)
})

test('times may be 0 or infinite where that means something', () => {
  expect(problemsOf({ batch: { lingerMs: 0, minIntervalMs: 0 }, retry: { giveUpAfterMs: 0 } })).toEqual([])
  expect(problemsOf({ retry: { giveUpAfterMs: Number.POSITIVE_INFINITY } })).toEqual([])
})
