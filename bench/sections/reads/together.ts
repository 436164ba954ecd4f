/**
 * A writer at full rate alone, and the same with a thousand reads a second: what reads take from writes. Between the
 * two, the same requests arrive and read nothing: a thread that wakes a thousand times a second takes its part of two
 * cores that are busy already.
 */

import type { RequestKind } from '../../job.ts'
import type { ReadPeerName } from '../../peers/reads/index.ts'
import { decimal, megabytes, times, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import type { FullRate } from '../../workloads/reads/full-rate.ts'
import { othersProcessorsIn } from '../noise.ts'
import { percentileCells, rateAgainst } from './read-after-write.ts'
import { medianOver, printNoise, runRead, takeTurns, type ReadContext } from './round.ts'

const PEERS: readonly ReadPeerName[] = ['tidemark', 'better-sqlite3', 'node:sqlite']
const READS_PER_SECOND = 1_000
const MIX: readonly RequestKind[] = ['write and read', 'eventual', 'get']

export interface TogetherLane {
  readonly peer: ReadPeerName
  readonly alone: readonly FullRate[]
  readonly arriving: readonly FullRate[]
  readonly together: readonly FullRate[]
}

export async function compareTogether(context: ReadContext): Promise<readonly TogetherLane[]> {
  const peers = PEERS.filter(context.isListed)
  const lanes = peers.flatMap((peer) =>
    [[], ['nothing'] as const, MIX].map((mix) => ({
      title: `${peer}, ${mix.join(', ') || 'alone'}`,
      run: () => {
        const requestsPerSecond = mix.length > 0 ? READS_PER_SECOND : 0
        return runRead<FullRate>(
          context,
          { workload: 'reads/full-rate', peer, requestsPerSecond, mix },
          (result) => result,
        )
      },
    })),
  )
  const results = await takeTurns(context, 'writer and readers', lanes, ({ usage }) => [usage])
  const found = peers.map((peer, index) => ({
    peer,
    alone: results[3 * index] ?? [],
    arriving: results[3 * index + 1] ?? [],
    together: results[3 * index + 2] ?? [],
  }))
  print(context, found)
  printNoise(
    context,
    results.flat().map(({ usage }) => usage),
  )
  return found
}

function print(context: ReadContext, lanes: readonly TogetherLane[]): void {
  context.print(heading(`A writer at full rate, alone and with ${whole(READS_PER_SECOND)} reads a second`))
  const lines = lanes.flatMap(({ peer, alone, arriving, together }) => [
    [peer, 'none', ...costCells(alone, undefined)],
    [peer, `${whole(READS_PER_SECOND)} that read nothing`, ...costCells(arriving, alone)],
    [peer, whole(READS_PER_SECOND), ...costCells(together, alone)],
  ])
  context.print(
    table(
      ['contender', 'requests/s', 'rows/s', 'of alone', 'delay p99 ms', 'max', 'peak MB', 'others'],
      lines,
    ),
  )
  context.print('\nThose reads, in milliseconds from arrival; a third of each')
  const readLines = lanes.flatMap(({ peer, together }) =>
    MIX.map((kind) => [
      peer,
      kind,
      ...percentileCells((figure) =>
        medianOver(together, ({ requests }) => {
          const waits = requests[kind]?.fromArrivalMs
          return waits && figure(waits)
        }),
      ),
    ]),
  )
  context.print(table(['contender', 'read', 'p50', 'p99', 'p99.9'], readLines))
}

function costCells(rounds: readonly FullRate[], alone: readonly FullRate[] | undefined): string[] {
  const median = (figure: (round: FullRate) => number): number => medianOver(rounds, figure)
  return [
    whole(median((round) => round.rowsPerSecond)),
    alone === undefined ? '' : times(rateAgainst(rounds, alone)),
    decimal(
      median(({ usage }) => usage.loopDelayP99Ms),
      2,
    ),
    decimal(
      median(({ usage }) => usage.loopDelayMaxMs),
      1,
    ),
    megabytes(median(({ usage }) => usage.peakBytes)),
    decimal(
      median(({ usage }) => othersProcessorsIn(usage)),
      2,
    ),
  ]
}
