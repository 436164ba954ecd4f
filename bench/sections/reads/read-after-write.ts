/** A session writes one row and reads it back: on an idle contender, and while rows are written at full rate. */

import type { Percentiles } from '../../statistics.ts'
import type { ReadPeerName } from '../../peers/reads/index.ts'
import { decimal, megabytes, times, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import type { FullRate } from '../../workloads/reads/full-rate.ts'
import type { LoneSession } from '../../workloads/reads/lone-session.ts'
import { othersProcessorsIn } from '../noise.ts'
import { DEFAULT_QUEUE, medianOver, printNoise, runRead, takeTurns, type ReadContext } from './round.ts'

/** Long, so that a read that did not end the linger would be seen. */
const LINGER_MS = 100
const REQUESTS_PER_SECOND = 500
export const QUEUES = [DEFAULT_QUEUE, 4_000, 2_000, 1_000] as const
const PEERS: readonly ReadPeerName[] = ['tidemark', 'better-sqlite3', 'node:sqlite']

export interface IdleLane {
  readonly peer: ReadPeerName
  readonly rounds: readonly LoneSession[]
}

export interface FullRateLane {
  readonly peer: ReadPeerName
  readonly maxOperations: number | undefined
  readonly rounds: readonly FullRate[]
}

export interface ReadAfterWrite {
  readonly idle: readonly IdleLane[]
  readonly fullRate: readonly FullRateLane[]
}

export async function compareReadAfterWrite(context: ReadContext): Promise<ReadAfterWrite> {
  const idle = await compareIdle(context)
  const fullRate = await compareFullRate(context)
  return { idle, fullRate }
}

async function compareIdle(context: ReadContext): Promise<readonly IdleLane[]> {
  const peers = PEERS.filter(context.isListed)
  const lanes = peers.map((peer) => ({
    title: peer,
    run: () =>
      runRead<LoneSession>(
        context,
        { workload: 'reads/lone-session', peer, lingerMs: LINGER_MS },
        (result) => result,
      ),
  }))
  const results = await takeTurns(context, 'a lone session', lanes, ({ usage }) => [usage])
  const found = peers.map((peer, index) => ({ peer, rounds: results[index] ?? [] }))
  const lines = found.map(({ peer, rounds }) => [
    peer,
    ...percentileCells((figure) => medianOver(rounds, ({ fromCallMs }) => figure(fromCallMs))),
    decimal(
      medianOver(rounds, ({ usage }) => othersProcessorsIn(usage)),
      2,
    ),
  ])
  context.print(
    heading(`A row written and read back, idle: milliseconds from the call (linger ${LINGER_MS} ms)`),
  )
  context.print(table(['contender', 'p50', 'p99', 'p99.9', 'others'], lines))
  printNoise(
    context,
    results.flat().map(({ usage }) => usage),
  )
  return found
}

async function compareFullRate(context: ReadContext): Promise<readonly FullRateLane[]> {
  const entrants = PEERS.filter(context.isListed).flatMap((peer) =>
    (peer === 'tidemark' ? QUEUES : [undefined]).map((maxOperations) => ({ peer, maxOperations })),
  )
  const lanes = entrants.map(({ peer, maxOperations }) => ({
    title: nameOf(peer, maxOperations),
    run: () =>
      runRead<FullRate>(
        context,
        {
          workload: 'reads/full-rate',
          peer,
          ...(maxOperations !== undefined && { maxOperations }),
          lingerMs: LINGER_MS,
          requestsPerSecond: REQUESTS_PER_SECOND,
          mix: ['write and read'],
        },
        (result) => result,
      ),
  }))
  const results = await takeTurns(context, 'sessions at full rate', lanes, ({ usage }) => [usage])
  const found = entrants.map((entrant, index) => ({ ...entrant, rounds: results[index] ?? [] }))
  const title = `A row written and read back, ${REQUESTS_PER_SECOND} times a second, while rows are written at full rate: milliseconds`
  context.print(heading(title))
  const ours = found.find(({ maxOperations }) => maxOperations === DEFAULT_QUEUE)
  context.print(
    table(
      HEADINGS,
      found.map((lane) => fullRateLine(lane, ours)),
    ),
  )
  printNoise(
    context,
    results.flat().map(({ usage }) => usage),
  )
  return found
}

const HEADINGS = [
  'contender',
  'rows/s',
  'of ours',
  'from arrival p50',
  'p99',
  'p99.9',
  'from the call p50',
  'p99',
  'p99.9',
  'delay p99',
  'max',
  'peak MB',
  'others',
]

function fullRateLine(
  { peer, maxOperations, rounds }: FullRateLane,
  ours: FullRateLane | undefined,
): string[] {
  const median = (figure: (round: FullRate) => number | undefined): number => medianOver(rounds, figure)
  return [
    nameOf(peer, maxOperations),
    whole(median((round) => round.rowsPerSecond)),
    ours === undefined ? '' : times(rateAgainst(rounds, ours.rounds)),
    ...(['fromArrivalMs', 'fromCallMs'] as const).flatMap((from) =>
      percentileCells((figure) =>
        median(({ requests }) => {
          const found = requests['write and read']?.[from]
          return found && figure(found)
        }),
      ),
    ),
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

/** Within each round, so that a slow one slows both. */
export function rateAgainst(
  rounds: readonly { readonly rowsPerSecond: number }[],
  others: readonly { readonly rowsPerSecond: number }[],
): number {
  const ratios = rounds.map(
    ({ rowsPerSecond }, index) => rowsPerSecond / (others[index]?.rowsPerSecond ?? NaN),
  )
  return medianOver(ratios, (ratio) => ratio)
}

export function percentileCells(
  median: (figure: (of: Percentiles) => number) => number,
  digits = 3,
): string[] {
  return [({ p50 }: Percentiles) => p50, ({ p99 }: Percentiles) => p99, ({ p999 }: Percentiles) => p999].map(
    (figure) => decimal(median(figure), digits),
  )
}

function nameOf(peer: ReadPeerName, maxOperations: number | undefined): string {
  return maxOperations === undefined ? peer : `${peer}, queue of ${whole(maxOperations)}`
}
