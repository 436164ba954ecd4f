/** Which measured figure answers which goal of reads. */

import { atLeast, below, type Goal } from '../../report/goals.ts'
import type { Pending } from '../../workloads/reads/pending.ts'
import { readRatio, type EventualLane } from './eventual.ts'
import { KEY_KINDS, STATES, type GetLane } from './get.ts'
import { QUEUES, rateAgainst, type ReadAfterWrite } from './read-after-write.ts'
import { DEFAULT_QUEUE, medianOver } from './round.ts'
import type { TogetherLane } from './together.ts'

export interface MeasuredReads {
  readonly readAfterWrite?: ReadAfterWrite
  readonly get?: readonly GetLane[]
  readonly eventual?: readonly EventualLane[]
  readonly together?: readonly TogetherLane[]
  readonly pending?: Pending | undefined
}

export function readGoalsOf({ readAfterWrite, get, eventual, together }: MeasuredReads): readonly Goal[] {
  return [
    ...readAfterWriteGoals(readAfterWrite),
    ...getGoals(find(get)),
    ...eventualGoals(eventual),
    ...togetherGoals(find(together)),
  ]
}

function readAfterWriteGoals(measured: ReadAfterWrite | undefined): Goal[] {
  const idle = find(measured?.idle)
  const queueOf = (size: number) => measured?.fullRate.find(({ maxOperations }) => maxOperations === size)
  const normal = queueOf(DEFAULT_QUEUE)
  return [
    below(
      'write and read, idle, p50',
      'ms',
      1,
      idle && medianOver(idle.rounds, ({ fromCallMs }) => fromCallMs.p50),
    ),
    ...QUEUES.flatMap((size) => {
      const lane = queueOf(size)
      const p50 =
        lane && medianOver(lane.rounds, ({ requests }) => requests['write and read']?.fromArrivalMs.p50)
      const rate = lane && normal && rateAgainst(lane.rounds, normal.rounds)
      const name = `full rate, queue of ${size.toLocaleString('en-US')}`
      return [
        below(`write and read, ${name}, p50`, 'ms', 5, p50),
        ...(size === DEFAULT_QUEUE ? [] : [atLeast(`rows/s, ${name}, against 10,000`, 0.95, rate)]),
      ]
    }),
  ]
}

/** The slowest kind of key counts. */
function getGoals(lane: GetLane | undefined): Goal[] {
  return STATES.flatMap((state) => {
    const slowest = (which: 'p50' | 'p99'): number | undefined => {
      const kinds =
        lane && KEY_KINDS.map((kind) => medianOver(lane.rounds, (round) => round[state].us[kind]?.[which]))
      return kinds && Math.max(...kinds.filter((value) => !Number.isNaN(value)))
    }
    const name = state === 'idle' ? 'idle' : 'full rate'
    return [
      below(`get, ${name}, slowest kind of key, p50`, 'µs', 15, slowest('p50')),
      below(`get, ${name}, slowest kind of key, p99`, 'µs', 100, slowest('p99')),
    ]
  })
}

function eventualGoals(lanes: readonly EventualLane[] | undefined): Goal[] {
  const ours = find(lanes)
  const pool = lanes?.find(({ peer }) => peer === 'node:sqlite/pool')
  const ratio = (shape: 'point' | 'range') => ours && pool && readRatio(ours, pool, shape)
  return [
    atLeast('eventual reads/s of one row, against the bare pool', 0.95, ratio('point')),
    atLeast('eventual reads/s of 20 rows, against the bare pool', 0.95, ratio('range')),
  ]
}

function togetherGoals(lane: TogetherLane | undefined): Goal[] {
  const kept = lane && rateAgainst(lane.together, lane.alone)
  const keptOfArriving = lane && rateAgainst(lane.together, lane.arriving)
  return [
    atLeast('rows/s with 1,000 reads/s, against alone', 0.9, kept),
    atLeast('the same, against 1,000 requests/s that read nothing', 0.9, keptOfArriving),
  ]
}

function find<Lane extends { readonly peer: string }>(lanes: readonly Lane[] | undefined): Lane | undefined {
  return lanes?.find(({ peer }) => peer === 'tidemark')
}
