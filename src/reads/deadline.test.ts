import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import { Deadline } from './deadline.ts'

const never = { done: new Promise<void>(() => undefined), cancel: () => undefined }

test('law 6 · waits share one deadline, and what they wait for is told when it is over', async () => {
  const runtime = new FakeRuntime()
  const deadline = new Deadline(runtime, { timeoutMs: 100, signal: undefined })
  const first = deadline.pause(60, () => 'the first')
  await runtime.advance(60)
  await first
  let isCancelled = false
  const second = deadline.wait({ done: never.done, cancel: () => (isCancelled = true) }, () => 'nothing came')
  const ended = expect(second).rejects.toMatchObject({
    code: 'STALE_READ',
    waitedMs: 100,
    message: expect.stringContaining('nothing came after 100 ms'),
  })
  await runtime.advance(39)
  expect(isCancelled).toBe(false)
  await runtime.advance(1)
  await ended
  expect([isCancelled, runtime.timersMs, deadline.waitedMs]).toEqual([true, [], 100])
})

test('law 7 · what comes in time leaves no timer and no listener behind', async () => {
  const runtime = new FakeRuntime()
  const { signal } = new AbortController()
  const deadline = new Deadline(runtime, { timeoutMs: 100, signal })
  expect(await deadline.wait({ done: Promise.resolve('here'), cancel: () => undefined }, () => '')).toBe(
    'here',
  )
  expect(runtime.timersMs).toEqual([])
})

test('a wait without end has no timer', async () => {
  const runtime = new FakeRuntime()
  const controller = new AbortController()
  const deadline = new Deadline(runtime, { timeoutMs: Number.POSITIVE_INFINITY, signal: controller.signal })
  const waiting = deadline.wait(never, () => 'nothing')
  expect(runtime.timersMs).toEqual([])
  controller.abort('enough')
  await expect(waiting).rejects.toMatchObject({ code: 'STALE_READ', cause: 'enough' })
  await expect(deadline.wait(never, () => 'nothing')).rejects.toMatchObject({ cause: 'enough' })
})
