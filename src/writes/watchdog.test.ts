import { beforeEach, expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import { Watchdog } from './watchdog.ts'

let runtime: FakeRuntime
let stalls: number[]
let watchdog: Watchdog

beforeEach(() => {
  runtime = new FakeRuntime()
  stalls = []
  watchdog = new Watchdog(runtime, 1_000, (sinceMs) => stalls.push(sinceMs))
})

test('it tells a stall within twice its time, with how long it has lasted', async () => {
  watchdog.watch()
  await runtime.advance(999)
  expect(stalls).toEqual([])
  await runtime.advance(1_001)
  expect(stalls.length).toBe(1)
  expect(stalls[0]).toBeGreaterThanOrEqual(1_000)
})

test('it tells one stall once', async () => {
  watchdog.watch()
  await runtime.advance(60_000)
  expect(stalls.length).toBe(1)
})

test('progress puts it off, and makes room for the next stall', async () => {
  watchdog.watch()
  for (let step = 0; step < 10; step++) {
    await runtime.advance(900)
    watchdog.progress()
  }
  expect(stalls).toEqual([])
  await runtime.advance(5_000)
  watchdog.progress()
  await runtime.advance(5_000)
  expect(stalls.length).toBe(2)
})

test('at rest it has no timer and tells nothing', async () => {
  watchdog.watch()
  watchdog.rest()
  expect(runtime.timersMs).toEqual([])
  await runtime.advance(60_000)
  expect(stalls).toEqual([])
})

test('watching again while it watches starts no second timer and forgives no stall', async () => {
  watchdog.watch()
  await runtime.advance(900)
  watchdog.watch()
  expect(runtime.timersMs.length).toBe(1)
  await runtime.advance(600)
  expect(stalls.length).toBe(1)
})
