import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import type { Processor } from '../contracts/processor.ts'
import { FakeProcessor } from '../testing/fake-processor.ts'
import { Deadline, type WaitLimits } from './deadline.ts'
import { Processors } from './processors.ts'
import type { TableKey } from './read-options.ts'

const a: TableKey = ['files', { path: 'a' }]
const b: TableKey = ['files', { path: 'b' }]

function stage() {
  const runtime = new FakeRuntime()
  const processors = new Processors(runtime)
  const wait = (
    names: readonly string[] | undefined,
    keys: readonly TableKey[],
    limits: Partial<WaitLimits> = {},
  ) => {
    const deadline = new Deadline(runtime, { timeoutMs: 1_000, signal: undefined, ...limits })
    const waited = processors.waitFor(names, keys, deadline)
    const state: { ended?: unknown } = {}
    waited.then(
      (ended) => (state.ended = ended),
      (error: unknown) => (state.ended = error),
    )
    return state
  }
  return { runtime, processors, wait }
}

/** A processor that does nothing but what the test says. */
function processor(parts: Partial<Processor>): Processor {
  return { name: 'p', pending: () => true, idle: async () => undefined, flush: () => undefined, ...parts }
}

test('law 6 · a read waits until nothing is pending for its rows, and asks for their work', async () => {
  const { runtime, processors, wait } = stage()
  const fake = new FakeProcessor('embed')
  processors.follow(fake)
  fake.begin(...a)
  fake.begin(...b)
  fake.begin('files', { path: 'not asked for' })
  const read = wait(undefined, [a, b])
  await runtime.settle()
  expect(fake.flushes).toEqual([
    { table: 'files', key: { path: 'a' } },
    { table: 'files', key: { path: 'b' } },
  ])
  fake.finish(...a)
  await runtime.settle()
  expect(read).toEqual({})
  fake.finish(...b)
  await runtime.settle()
  expect(read).toEqual({ ended: true })
  expect(runtime.timersMs).toEqual([])
})

test('with nothing pending, nothing named or nobody followed, nothing is waited for; it tells whether anybody was asked', async () => {
  const { runtime, processors, wait } = stage()
  const none = wait(undefined, [a])
  const fake = new FakeProcessor('embed')
  processors.follow(fake)
  const idle = wait(undefined, [a])
  fake.begin(...b)
  const others = wait(undefined, [a])
  const noNames = wait([], [b])
  const noKeys = wait(['embed'], [])
  await runtime.settle()
  const asked = [none, idle, others, noNames, noKeys].map(({ ended }) => ended)
  expect(asked).toEqual([false, true, true, false, false])
  expect(fake.flushes).toEqual([])
})

test('law 6 · only the processors named are waited for, by default all that are followed', async () => {
  const { runtime, processors, wait } = stage()
  const [embed, index] = [new FakeProcessor('embed'), new FakeProcessor('index')]
  processors.follow(embed)
  processors.follow(index)
  for (const fake of [embed, index]) fake.begin(...a)
  const [named, every] = [wait(['embed'], [a]), wait(undefined, [a])]
  await runtime.settle()
  embed.finish(...a)
  await runtime.settle()
  expect([named.ended, every.ended]).toEqual([true, undefined])
  index.finish(...a)
  await runtime.settle()
  expect(every.ended).toBe(true)
})

test('law 6 · work that is made pending in the tick of the read, by who hears of the write, is waited for', async () => {
  const { runtime, processors, wait } = stage()
  const fake = new FakeProcessor('embed')
  processors.follow(fake)
  const read = wait(undefined, [a])
  void Promise.resolve()
    .then(() => undefined)
    .then(() => fake.begin(...a))
  await runtime.settle()
  expect(read).toEqual({})
  fake.finish(...a)
  await runtime.settle()
  expect(read.ended).toBe(true)
})

test('law 6 · a processor that is dead makes the read stale at its timeout, which says whom it waited for', async () => {
  const { runtime, processors, wait } = stage()
  const fake = new FakeProcessor('embed')
  processors.follow(fake)
  for (const key of [a, b]) fake.begin(...key)
  fake.hang()
  fake.finish(...a)
  const read = wait(undefined, [a, b], { timeoutMs: 500 })
  await runtime.advance(499)
  expect(read).toEqual({})
  await runtime.advance(1)
  expect(read.ended).toMatchObject({ code: 'STALE_READ' })
  expect(String(read.ended)).toContain(
    `processor "embed" had work pending for row { path: 'a' } of table "files", and 1 more, after 500 ms`,
  )
  expect(runtime.timersMs).toEqual([])
})

test.each([
  [
    'pending',
    {
      pending: () => {
        throw new Error('broken')
      },
    },
  ],
  ['a promise for pending', { pending: (async () => true) as unknown as Processor['pending'] }],
  [
    'flush',
    {
      flush: () => {
        throw new Error('broken')
      },
    },
  ],
  [
    'flush, later',
    { idle: () => new Promise<void>(() => undefined), flush: () => Promise.reject(new Error('broken')) },
  ],
  ['idle', { idle: () => Promise.reject(new Error('broken')) }],
  [
    'idle, at once',
    {
      idle: () => {
        throw new Error('broken')
      },
    },
  ],
] satisfies [string, Partial<Processor>][])(
  'law 6 · a processor that fails makes the read fail at once, with what it said: %s',
  async (_, parts) => {
    const { runtime, processors, wait } = stage()
    processors.follow(processor(parts))
    const other = new FakeProcessor('other')
    processors.follow(other)
    other.begin(...b)
    const read = wait(undefined, [b, a])
    await runtime.settle()
    expect(read.ended).toMatchObject({
      code: 'PROCESSOR_FAILED',
      message: expect.stringMatching(
        /processor "p" failed for row { path: '[ab]' } of table "files": .*(broken|pending)/,
      ),
      cause: expect.any(Error),
    })
    expect(runtime.timersMs).toEqual([])
  },
)

test('law 6 · an idle that comes too early is asked again, until the deadline, and time passes meanwhile', async () => {
  const { runtime, processors, wait } = stage()
  let asked = 0
  let isPending = true
  processors.follow(
    processor({
      pending: () => isPending,
      idle: async () => {
        asked++
      },
    }),
  )
  const first = wait(undefined, [a])
  await runtime.advance(999)
  expect(first).toEqual({})
  expect(asked).toBeGreaterThan(5)
  expect(asked).toBeLessThan(30)
  await runtime.advance(1)
  expect(first.ended).toMatchObject({ code: 'STALE_READ' })
  expect(runtime.timersMs).toEqual([])
  const second = wait(undefined, [a])
  await runtime.advance(10)
  isPending = false
  await runtime.advance(100)
  expect(second.ended).toBe(true)
  expect(runtime.timersMs).toEqual([])
})

test('law 7 · the signal given to idle aborts when the wait is over: by success, failure, timeout or abort', async () => {
  const endings: ((at: ReturnType<typeof stage>, fake: FakeProcessor, abort: AbortController) => unknown)[] =
    [
      (_, fake) => fake.finish(...a),
      (_, fake) => fake.fail(...a, new Error('broken')),
      (at) => at.runtime.advance(1_000),
      (_at, _fake, abort) => abort.abort(new Error('no longer wanted')),
    ]
  for (const end of endings) {
    const at = stage()
    const fake = new FakeProcessor('embed')
    const signals: AbortSignal[] = []
    const idle = fake.idle.bind(fake)
    fake.idle = (table, key, signal) => {
      signals.push(signal)
      return idle(table, key, signal)
    }
    at.processors.follow(fake)
    fake.begin(...a)
    const abort = new AbortController()
    const read = at.wait(undefined, [a], { signal: abort.signal })
    await at.runtime.settle()
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    await end(at, fake, abort)
    await at.runtime.settle()
    expect(read.ended).toBeDefined()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    expect(at.runtime.timersMs).toEqual([])
  }
})

test('a flush that never ends does not matter once the row is idle', async () => {
  const { runtime, processors, wait } = stage()
  const fake = new FakeProcessor('embed', (table, key) => {
    fake.finish(table, key)
    return new Promise<void>(() => undefined)
  })
  processors.follow(fake)
  fake.begin(...a)
  const read = wait(undefined, [a])
  await runtime.settle()
  expect(read.ended).toBe(true)
})

test('an unknown name is refused, and so is a processor without a name of its own or without its methods', async () => {
  const { runtime, processors, wait } = stage()
  processors.follow(new FakeProcessor('embed'))
  const read = wait(['embed', 'index'], [a])
  await runtime.settle()
  expect(read.ended).toMatchObject({ code: 'INVALID_CALL' })
  expect(String(read.ended)).toContain(`no processor named 'index' is followed (followed: embed)`)
  expect(() => processors.follow(new FakeProcessor('embed'))).toThrow(/"embed" is followed already/)
  expect(() => processors.follow(new FakeProcessor(''))).toThrow(/needs a name, not ''/)
  expect(() => processors.follow(null as unknown as Processor)).toThrow(/must be an object, not null/)
  const bare = { name: 'bare', pending: () => false } as unknown as Processor
  expect(() => processors.follow(bare)).toThrow(/"bare" has no idle\(\), flush\(\)/)
})

test('one that is followed no longer is not waited for; its name is free, and its end is its own', async () => {
  const { runtime, processors, wait } = stage()
  const [old, young] = [new FakeProcessor('embed'), new FakeProcessor('embed')]
  const unfollowOld = processors.follow(old)
  old.begin(...a)
  unfollowOld()
  processors.follow(young)
  unfollowOld()
  const read = wait(['embed'], [a])
  await runtime.settle()
  expect(read.ended, 'asked, and idle').toBe(true)
  young.begin(...a)
  expect(processors.pendingNames(...a)).toEqual(['embed'])
  expect(processors.pendingNames(...b)).toEqual([])
})

test('the fake knows a row by its columns, in whatever order, and counts its work', async () => {
  const fake = new FakeProcessor()
  fake.begin('t', { x: 1, y: 'z' })
  fake.begin('t', { y: 'z', x: 1n })
  fake.finish('t', { x: 1, y: 'z' })
  expect(fake.pending('t', { y: 'z', x: 1 })).toBe(true)
  fake.finish('t', { x: 1, y: 'z' })
  expect(fake.pending('t', { x: 1, y: 'z' })).toBe(false)
  expect(() => fake.finish('t', { x: 1, y: 'z' })).toThrow(/no work was begun/)
})
