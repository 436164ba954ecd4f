/** `db.read('eventual')` beside the least that the same reads cost on as many threads, and beside blocking drivers. */

import type { ReadPeerName } from '../../peers/reads/index.ts'
import { decimal, megabytes, times, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import { medianOf } from '../../statistics.ts'
import type { Eventual, ReadRate } from '../../workloads/reads/eventual.ts'
import { othersProcessorsIn } from '../noise.ts'
import { percentileCells } from './read-after-write.ts'
import { medianOver, printNoise, runRead, takeTurns, type ReadContext } from './round.ts'

const PEERS: readonly ReadPeerName[] = ['tidemark', 'node:sqlite/pool', 'better-sqlite3', 'node:sqlite']
const CALLERS = 32
export const READ_SHAPES = ['point', 'range'] as const
type ReadShape = (typeof READ_SHAPES)[number]
const SHAPE_NAMES = { point: 'one row', range: '20 rows' } as const

export interface EventualLane {
  readonly peer: ReadPeerName
  readonly rounds: readonly Eventual[]
}

export async function compareEventual(context: ReadContext): Promise<readonly EventualLane[]> {
  const peers = PEERS.filter(context.isListed)
  const lanes = peers.map((peer) => ({
    title: peer,
    run: () => runRead<Eventual>(context, { workload: 'reads/eventual', peer, callers: CALLERS }, () => ({})),
  }))
  const results = await takeTurns(context, 'eventual reads', lanes, usagesOf)
  const found = peers.map((peer, index) => ({ peer, rounds: results[index] ?? [] }))
  const ours = found.find(({ peer }) => peer === 'tidemark')
  const lines = READ_SHAPES.flatMap((shape) => found.map((lane) => lineOf(lane, shape, ours)))
  context.print(heading(`Eventual reads, ${CALLERS} callers side by side: reads a second, and milliseconds`))
  context.print(table(HEADINGS, lines))
  printNoise(context, results.flat().flatMap(usagesOf))
  return found
}

const HEADINGS = [
  'contender',
  'read',
  'reads/s',
  'ours is',
  'p50',
  'p99',
  'p99.9',
  'µs main',
  'all threads',
  'delay p99',
  'peak MB',
  'others',
]

function lineOf(lane: EventualLane, shape: ReadShape, ours: EventualLane | undefined): string[] {
  const { peer, rounds } = lane
  const median = (figure: (rate: ReadRate) => number): number =>
    medianOver(rounds, (round) => figure(round[shape]))
  return [
    peer,
    SHAPE_NAMES[shape],
    whole(median(({ perSecond }) => perSecond)),
    ours === undefined || ours === lane ? '' : times(readRatio(ours, lane, shape)),
    ...percentileCells((figure) => median(({ ms }) => figure(ms))),
    decimal(
      median(({ usage, ms }) => usage.mainThreadCpuUs / ms.samples),
      1,
    ),
    decimal(
      median(({ usage, ms }) => usage.processCpuUs / ms.samples),
      1,
    ),
    decimal(
      median(({ usage }) => usage.loopDelayP99Ms),
      2,
    ),
    megabytes(median(({ usage }) => usage.peakBytes)),
    decimal(
      median(({ usage }) => othersProcessorsIn(usage)),
      2,
    ),
  ]
}

/** Rate against rate within each round. */
export function readRatio(ours: EventualLane, theirs: EventualLane, shape: ReadShape): number {
  return medianOf(
    ours.rounds.map(
      (round, index) => round[shape].perSecond / (theirs.rounds[index]?.[shape].perSecond ?? NaN),
    ),
  )
}

function usagesOf({ point, range }: Eventual) {
  return [point.usage, range.usage]
}
