/** The targets that the limiter is measured against. */
import type { Scenario } from './limiter-runs.ts'

const minuteMs = 60_000
const endless = Infinity

export const scenarios = {
  refuses: {
    name: '16 at once, refuses more',
    target: { serviceMs: 100, spread: 0.3, capacityAt: () => 16, queue: 0 },
    minutes: 5,
    timeoutMs: 5_000,
  },
  queues: {
    name: '16 at once, others wait',
    target: { serviceMs: 100, spread: 0.3, capacityAt: () => 16, queue: endless },
    minutes: 5,
    timeoutMs: 5_000,
  },
  queuesThenRefuses: {
    name: '12 at once, 12 wait, refuses more',
    target: { serviceMs: 100, spread: 0.3, capacityAt: () => 12, queue: 12 },
    minutes: 5,
    timeoutMs: 5_000,
  },
  oneByOne: {
    name: '1 at once, others wait',
    target: { serviceMs: 500, spread: 0.3, capacityAt: () => 1, queue: endless },
    minutes: 60,
    timeoutMs: 10_000,
  },
  wide: {
    name: 'takes more than 64 at once',
    target: { serviceMs: 100, spread: 0.3, capacityAt: () => 1_000, queue: 0 },
    minutes: 5,
    timeoutMs: 5_000,
  },
  uneven: {
    name: 'a model: 8 at once, 0.2 to 20 s each',
    target: { serviceMs: 2_000, spread: 1, capacityAt: () => 8, queue: 0 },
    minutes: 120,
    timeoutMs: 60_000,
  },
  unevenQueues: {
    name: 'the same, but others wait',
    target: { serviceMs: 2_000, spread: 1, capacityAt: () => 8, queue: endless },
    minutes: 120,
    timeoutMs: 60_000,
  },
  changes: {
    name: '16, then 8, then 32 at once, refuses more',
    target: {
      serviceMs: 100,
      spread: 0.3,
      capacityAt: (ms) => (ms < 4 * minuteMs ? 16 : ms < 8 * minuteMs ? 8 : 32),
      queue: 0,
    },
    minutes: 12,
    timeoutMs: 5_000,
  },
  ramp: {
    name: '2, slowly rising to 48 at once, refuses more',
    target: {
      serviceMs: 100,
      spread: 0.3,
      capacityAt: (ms) => 2 + Math.floor((46 * ms) / (10 * minuteMs)),
      queue: 0,
    },
    minutes: 10,
    timeoutMs: 5_000,
  },
  down: {
    name: '16 at once, refuses all from minute 4 to 9',
    target: {
      serviceMs: 100,
      spread: 0.3,
      capacityAt: (ms) => (ms >= 4 * minuteMs && ms < 9 * minuteMs ? 0 : 16),
      queue: 4,
      whenDown: 'refuses',
    },
    minutes: 13,
    timeoutMs: 5_000,
  },
  hangs: {
    name: '16 at once, silent from minute 4 to 9',
    target: {
      serviceMs: 100,
      spread: 0.3,
      capacityAt: (ms) => (ms >= 4 * minuteMs && ms < 9 * minuteMs ? 0 : 16),
      queue: 4,
      whenDown: 'hangs',
    },
    minutes: 13,
    timeoutMs: 5_000,
  },
} satisfies Record<string, Scenario>
