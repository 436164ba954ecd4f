/** How fast contenders were, beside ours on SQLite and on PostgreSQL, and what an item cost them. */
import type { EffectsPeerName } from '../../peers/effects/index.ts'
import { decimal, megabytes, range, times, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import { medianOf, spreadOf } from '../../statistics.ts'
import { othersProcessorsIn } from '../noise.ts'
import { medianOver, printNoise } from '../reads/round.ts'
import type { EffectsContext, Stretch } from './job.ts'

export interface RateRound extends Stretch {
  readonly items: number
  readonly perSecond: number
}

export interface RateLane<Round extends RateRound = RateRound> {
  readonly peer: EffectsPeerName
  readonly rounds: readonly Round[]
}

/** Rate against rate within each round, so that a slow round of the machine slows both. */
export function ratioOf(
  lanes: readonly RateLane[] | undefined,
  ours: EffectsPeerName,
  theirs: EffectsPeerName,
): number | undefined {
  const [our, their] = [ours, theirs].map((name) => lanes?.find(({ peer }) => peer === name))
  if (!our || !their) return undefined
  return medianOf(
    our.rounds.map(({ perSecond }, round) => perSecond / (their.rounds[round]?.perSecond ?? NaN)),
  )
}

interface MoreColumns<Round> {
  readonly headings: readonly string[]
  readonly cells: (median: (figure: (round: Round) => number) => number) => readonly string[]
}

export function printRates<Round extends RateRound>(
  context: EffectsContext,
  title: string,
  lanes: readonly RateLane<Round>[],
  more: MoreColumns<Round> = { headings: [], cells: () => [] },
): void {
  context.print(heading(`${title}; rounds: ${context.options.rounds}`))
  const headings = [
    'contender',
    'items',
    'items/s',
    'min – max',
    'sqlite is',
    'postgres is',
    ...more.headings,
  ]
  const costs = ['µs/item main', 'all threads', 'server', 'delay p99 ms', 'max', 'peak MB', 'others']
  context.print(
    table(
      [...headings, ...costs],
      lanes.map((lane) => cellsOf(lane, lanes, more)),
    ),
  )
  printNoise(
    context,
    lanes.flatMap(({ rounds }) => rounds.map(({ usage }) => usage)),
  )
}

function cellsOf<Round extends RateRound>(
  { peer, rounds }: RateLane<Round>,
  lanes: readonly RateLane<Round>[],
  more: MoreColumns<Round>,
): string[] {
  const rate = spreadOf(rounds.map(({ perSecond }) => perSecond))
  const median = (figure: (round: Round) => number | undefined): number => medianOver(rounds, figure)
  const perItem = (figure: (round: Round) => number | undefined): string =>
    decimal(
      median((round) => {
        const us = figure(round)
        return us === undefined ? undefined : us / round.items
      }),
      1,
    )
  const against = (ours: EffectsPeerName): string =>
    ours === peer || peer.startsWith('tidemark') ? '' : times(ratioOf(lanes, ours, peer))
  return [
    peer,
    whole(median(({ items }) => items)),
    whole(rate.median),
    range(rate),
    against('tidemark/sqlite'),
    against('tidemark/postgres'),
    ...more.cells(median),
    perItem(({ usage }) => usage.mainThreadCpuUs),
    perItem(({ usage }) => usage.processCpuUs),
    perItem(({ serverCpuUs }) => serverCpuUs),
    ...loopAndMemoryCells(median),
    decimal(
      median(({ usage }) => othersProcessorsIn(usage)),
      2,
    ),
  ]
}

/** How late the event loop was, and the highest resident memory. */
export function loopAndMemoryCells(
  median: (figure: (stretch: Stretch) => number | undefined) => number,
): string[] {
  return [
    decimal(
      median(({ usage }) => usage.loopDelayP99Ms),
      2,
    ),
    decimal(
      median(({ usage }) => usage.loopDelayMaxMs),
      1,
    ),
    megabytes(median(({ usage }) => usage.peakBytes)),
  ]
}
