import { expect, test } from 'vitest'
import { StaleReadError, TidemarkError } from '../errors.ts'
import { Events, type EngineEvents } from '../writes/events.ts'
import { ReadMetrics } from './metrics.ts'

const none = { reads: 0, waited: 0, waitedMs: 0, longestWaitMs: 0, timeouts: 0, failures: 0 }
const overlay = { hits: 1, waits: 2 }
const replicas = { reads: 3, fallbacks: 4 }

// SPEC S0.6
test('reads are counted by level, with how long they waited and how they ended', () => {
  const metrics = new ReadMetrics(new Events())
  metrics.record('eventual', 0, 'satisfied')
  metrics.record('strong', 0, 'satisfied')
  metrics.record('strong', 5, 'satisfied')
  metrics.record('strong', 7, 'satisfied')
  metrics.failed('strong', 20, new StaleReadError('too late.', 20))
  metrics.failed('readAfterWrite', 1, new TidemarkError('POSITION_LOST', 'lost.'))
  metrics.failed('get', 0, new Error('broken'))
  const stats = metrics.stats(overlay, replicas)
  expect(stats).toEqual({
    eventual: { ...none, reads: 1 },
    readAfterWrite: { ...none, reads: 1, waited: 1, waitedMs: 1, longestWaitMs: 1, failures: 1 },
    strong: { ...none, reads: 4, waited: 3, waitedMs: 32, longestWaitMs: 20, timeouts: 1 },
    get: { ...none, reads: 1, failures: 1 },
    overlay,
    replicas,
  })
  metrics.record('get', 0, 'satisfied')
  expect(stats.get.reads).toBe(1)
})

// SPEC S0.6
test('each read is told in an event, with what became of it', () => {
  const events = new Events()
  const metrics = new ReadMetrics(events)
  metrics.record('eventual', 0, 'satisfied')
  const told: EngineEvents['consistency'][] = []
  const off = events.on('consistency', (event) => told.push(event))
  metrics.record('eventual', 0, 'satisfied')
  metrics.failed('strong', 3, new StaleReadError('too late.', 3))
  metrics.failed('readAfterWrite', 0, new TidemarkError('BOOKMARK_EXPIRED', 'old.'))
  metrics.failed('readAfterWrite', 0, new TidemarkError('POSITION_LOST', 'lost.'))
  metrics.failed('get', 0, new TidemarkError('STORE_FAILED', 'broken.'))
  off()
  metrics.record('strong', 0, 'satisfied')
  expect(told).toEqual([
    { level: 'eventual', waitedMs: 0, outcome: 'satisfied' },
    { level: 'strong', waitedMs: 3, outcome: 'stale' },
    { level: 'readAfterWrite', waitedMs: 0, outcome: 'expired' },
    { level: 'readAfterWrite', waitedMs: 0, outcome: 'lost' },
    { level: 'get', waitedMs: 0, outcome: 'failed' },
  ])
})
