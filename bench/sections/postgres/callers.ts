/** Callers that await each insert: one, against the bare driver by turns; sixteen, and many, against 16 connections. */
import type { PostgresPeerName } from '../../peers/postgres/index.ts'
import { decimal, times, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import { medianOf } from '../../statistics.ts'
import type { Called } from '../../workloads/postgres/callers.ts'
import type { OneCaller } from '../../workloads/postgres/one-caller.ts'
import { createTableSql } from '../../workloads/postgres/rows.ts'
import { MANY_CALLERS } from '../../workloads/postgres/sizes.ts'
import { rateAgainst } from '../reads/read-after-write.ts'
import { medianOver, printNoise, takeTurns } from '../reads/round.ts'
import { runIn, runMeasured, type PostgresContext } from './job.ts'
import { Turns } from './turns.ts'

const ALONE: readonly PostgresPeerName[] = ['tidemark', 'pg/single']
const TOGETHER: readonly PostgresPeerName[] = ['tidemark', 'pg/16-connections']
const INSERTS_OF_ONE = 1_000

export interface OneCallerLane {
  readonly peer: PostgresPeerName
  readonly rounds: readonly OneCaller[]
}

export interface CallersLane {
  readonly peer: PostgresPeerName
  readonly callers: number
  readonly rounds: readonly (Called & { readonly serverCpuUs: number | undefined })[]
}

export interface Callers {
  readonly one: readonly OneCallerLane[]
  readonly many: readonly CallersLane[]
}

/** @param title what disk it is */
export async function compareCallers(context: PostgresContext, title: string): Promise<Callers> {
  const one = await compareOne(context)
  printOne(context, title, one)
  const many = await compareMany(context)
  printMany(context, title, many)
  return { one, many }
}

async function compareOne(context: PostgresContext): Promise<readonly OneCallerLane[]> {
  const peers = ALONE.filter(context.isListed)
  const lanes = peers.map((peer) => ({ peer, rounds: [] as OneCaller[] }))
  for (let round = 0; round < context.options.rounds; round++) {
    context.progress(`one caller: round ${round + 1} of ${context.options.rounds}`)
    const turns = new Turns(peers.length)
    const running = peers.map((peer, lane) =>
      context.server.inDatabase([createTableSql('logs')], async (url) => {
        const details = { workload: 'postgres/one-caller', peer, rows: INSERTS_OF_ONE } as const
        const steps = { onPause: () => turns.next(lane), written: ({ written }: OneCaller) => written }
        return await runIn<OneCaller>(context, url, details, steps).finally(() => turns.leave(lane))
      }),
    )
    for (const [lane, result] of (await Promise.all(running)).entries()) lanes[lane]?.rounds.push(result)
  }
  return lanes
}

async function compareMany(context: PostgresContext): Promise<readonly CallersLane[]> {
  const lanes = MANY_CALLERS.flatMap((callers) =>
    TOGETHER.filter(context.isListed).map((peer) => ({
      peer,
      callers,
      title: `${callers} callers, ${peer}`,
      run: () =>
        runMeasured<Called>(
          context,
          { workload: 'postgres/callers', peer, callers },
          (called) => called.written,
        ),
    })),
  )
  const results = await takeTurns(context, 'callers', lanes, ({ usage }) => [usage])
  return lanes.map(({ peer, callers }, lane) => ({ peer, callers, rounds: results[lane] ?? [] }))
}

/** How much longer one caller waits for a row than with the bare driver: turn by turn, each against the next one's. */
export function oneCallerRatio({ one }: Callers): number | undefined {
  const [ours, theirs] = ALONE.map((name) => one.find(({ peer }) => peer === name))
  if (!ours || !theirs) return undefined
  const ratios = ours.rounds.flatMap(({ turnsMs }, round) =>
    turnsMs.map((turnMs, turn) => turnMs / (theirs.rounds[round]?.turnsMs[turn] ?? NaN)),
  )
  return medianOf(ratios)
}

/** Rate against rate within each round. */
export function callersRatio({ many }: Callers, callers: number): number | undefined {
  const [ours, theirs] = TOGETHER.map((name) =>
    many.find((lane) => lane.peer === name && lane.callers === callers),
  )
  return ours && theirs && rateAgainst(ours.rounds, theirs.rounds)
}

export function loneMs({ one }: Callers, name: PostgresPeerName): number {
  return medianOver(one.find(({ peer }) => peer === name)?.rounds ?? [], ({ waitsMs }) => waitsMs.p50)
}

function printOne(context: PostgresContext, title: string, lanes: readonly OneCallerLane[]): void {
  context.print(heading(`One caller that awaits each insert, by turns with the bare driver; ${title}`))
  context.print(
    table(
      ['milliseconds', 'p50', 'p99', 'max', 'samples'],
      lanes.map(({ peer, rounds }) => [
        peer,
        ...(['p50', 'p99', 'max'] as const).map((figure) =>
          decimal(
            medianOver(rounds, ({ waitsMs }) => waitsMs[figure]),
            3,
          ),
        ),
        whole(rounds.reduce((sum, { waitsMs }) => sum + waitsMs.samples, 0)),
      ]),
    ),
  )
}

function printMany(context: PostgresContext, title: string, lanes: readonly CallersLane[]): void {
  context.print(heading(`Callers that await each insert, side by side; ${title}`))
  context.print(
    table(
      [
        'callers, contender',
        'rows/s',
        'ours is',
        'p50 ms',
        'p99',
        'µs/row main',
        'all threads',
        'server',
        'delay p99 ms',
        'max',
        'peak MB',
      ],
      lanes.map((lane) => callersLine(lane, lanes)),
    ),
  )
  printNoise(
    context,
    lanes.flatMap(({ rounds }) => rounds.map(({ usage }) => usage)),
  )
}

function callersLine(lane: CallersLane, lanes: readonly CallersLane[]): string[] {
  const { peer, callers, rounds } = lane
  const ours = lanes.find((other) => other.peer === 'tidemark' && other.callers === callers)
  type Round = CallersLane['rounds'][number]
  const median = (figure: (round: Round) => number | undefined): number => medianOver(rounds, figure)
  const perRow = (figure: (round: Round) => number | undefined): string =>
    decimal(
      median((round) => {
        const us = figure(round)
        return us === undefined ? undefined : us / round.waitsMs.samples
      }),
      1,
    )
  return [
    `${whole(callers)}, ${peer}`,
    whole(median((round) => round.rowsPerSecond)),
    ours && ours !== lane ? times(rateAgainst(ours.rounds, rounds)) : '',
    ...(['p50', 'p99'] as const).map((figure) =>
      decimal(
        median(({ waitsMs }) => waitsMs[figure]),
        2,
      ),
    ),
    perRow(({ usage }) => usage.mainThreadCpuUs),
    perRow(({ usage }) => usage.processCpuUs),
    perRow(({ serverCpuUs }) => serverCpuUs),
    decimal(
      median(({ usage }) => usage.loopDelayP99Ms),
      2,
    ),
    decimal(
      median(({ usage }) => usage.loopDelayMaxMs),
      1,
    ),
    decimal(median(({ usage }) => usage.peakBytes) / 1e6, 1),
  ]
}
