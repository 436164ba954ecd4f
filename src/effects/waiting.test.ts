import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import type { EffectsHost } from './host.ts'
import { WaitingEffects } from './waiting.ts'

type Rows = readonly Record<string, unknown>[]

const row = {
  epoch: 1,
  seq: 1,
  n: 0,
  effect_key: 'a',
  payload: 'null',
  version: 1,
  attempts: 1,
  due_at: 0,
  committed_at: 0,
  writer: 'w',
}

/** A database whose answers come when the test says so. */
function stage(): { waiting: WaitingEffects; answer: (rows: Rows | Error) => Promise<void> } {
  const asked: PromiseWithResolvers<Rows>[] = []
  const host: Pick<EffectsHost, 'ask' | 'runtime'> = {
    runtime: new FakeRuntime(),
    ask: () => {
      const answer = Promise.withResolvers<Rows>()
      asked.push(answer)
      return answer.promise
    },
  }
  const answer = async (rows: Rows | Error): Promise<void> => {
    const first = asked.shift()
    if (rows instanceof Error) first?.reject(rows)
    else first?.resolve(rows)
    await new Promise((resolve) => void setImmediate(resolve))
  }
  return {
    waiting: new WaitingEffects(
      host,
      'embed',
      0,
      { words: { sql: '', surrealql: '' }, parameters: [] },
      () => false,
    ),
    answer,
  }
}

test.for([{ how: 'was delivered' }, { how: 'failed again' }])(
  'law 8 · an effect that $how while it was looked for what is due is not given out by that answer',
  async ({ how }) => {
    const { waiting, answer } = stage()
    const first = waiting.takeDue(10, 1)
    await answer([row])
    expect(await first).toHaveLength(1)
    const second = waiting.takeDue(10, 2)
    if (how === 'was delivered') waiting.remove('a', '1-1-0')
    else waiting.release('1-1-0')
    await answer([row])
    await answer([{ due_at: null }])
    expect(await second).toEqual([])
  },
)

test('law 8 · a look that fails half-way keeps nothing as under way that nobody delivers', async () => {
  const { waiting, answer } = stage()
  const failing = waiting.takeDue(10, 2)
  await answer([row])
  const failed = expect(failing).rejects.toThrow('disk I/O error')
  await answer(new Error('disk I/O error'))
  await failed
  const second = waiting.takeDue(10, 2)
  await answer([row])
  await answer([{ due_at: null }])
  expect(await second).toHaveLength(1)
})

test('what is told to be due while the next is looked for is not forgotten', async () => {
  const { waiting, answer } = stage()
  const looking = waiting.findNextDue()
  waiting.dueBy(5)
  await answer([{ due_at: 100 }])
  await looking
  expect(waiting.nextDueMs).toBe(5)
  const lookingAgain = waiting.findNextDue(10)
  await answer([{ due_at: 100 }])
  await lookingAgain
  expect(waiting.nextDueMs).toBe(100)
})
