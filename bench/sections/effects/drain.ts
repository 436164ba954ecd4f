/** Items that are taken many a call, and then done: all at once, or some of them later and some at the second try. */
import { EFFECTS_PEER_NAMES, listedEffectsPeer, type EffectsPeerName } from '../../peers/effects/index.ts'
import { whole } from '../../report/format.ts'
import type { EnqueuedAndDrained } from '../../workloads/effects/drain.ts'
import { MOST } from '../../workloads/effects/sizes.ts'
import { takeTurns } from '../reads/round.ts'
import { runMeasured, type EffectsContext, type Stretch } from './job.ts'
import { printRates, type RateLane, type RateRound } from './rates.ts'

/** Before its clock starts each has done a fifth of what is measured. */
const WARM_SHARE = 5

export interface Drains {
  readonly enqueued: readonly RateLane[]
  readonly drained: readonly RateLane[]
}

/** Its rate is that at which most of them were done, before what is tried again was all that was left. */
interface UnevenRound extends RateRound {
  readonly perSecondToTheEnd: number
}

export type UnevenDrains = readonly RateLane<UnevenRound>[]

interface Round {
  readonly items: number
  readonly enqueued: Stretch
  readonly drained: Stretch
  readonly mostMs: number
}

export async function compareDrains(context: EffectsContext): Promise<Drains> {
  const lanes = await race(context, 'drain', false)
  const ratesOf = (stretchOf: (round: Round) => Stretch): readonly RateLane[] =>
    lanes.map(({ peer, rounds }) => ({
      peer,
      rounds: rounds.map((round) => {
        const stretch = stretchOf(round)
        return { ...stretch, items: round.items, perSecond: rateIn(round.items, stretch.usage.elapsedMs) }
      }),
    }))
  const drains = {
    enqueued: ratesOf(({ enqueued }) => enqueued),
    drained: ratesOf(({ drained }) => drained),
  }
  printRates(context, 'Enqueued, many items a call, without anybody who handles them', drains.enqueued)
  printRates(context, 'Drained: handled and told so, until none is left', drains.drained)
  return drains
}

export async function compareUnevenDrains(context: EffectsContext): Promise<UnevenDrains> {
  const lanes = await race(context, 'uneven', true)
  const drains = lanes.map(({ peer, rounds }) => ({
    peer,
    rounds: rounds.map(({ items, drained, mostMs }) => ({
      ...drained,
      items,
      perSecond: rateIn(MOST * items, mostMs),
      perSecondToTheEnd: rateIn(items, drained.usage.elapsedMs),
    })),
  }))
  const title = 'Drained: 10% of the items may not be handled until 1 s later, and 10% fail once'
  printRates(context, title, drains, {
    headings: ['to the end'],
    cells: (median) => [whole(median(({ perSecondToTheEnd }) => perSecondToTheEnd))],
  })
  return drains
}

async function race(
  context: EffectsContext,
  title: string,
  isUneven: boolean,
): Promise<readonly { readonly peer: EffectsPeerName; readonly rounds: readonly Round[] }[]> {
  const lanes = EFFECTS_PEER_NAMES.filter(context.isListed).map((peer) => ({
    peer,
    title: peer,
    run: () => runOnce(context, peer, isUneven),
  }))
  const results = await takeTurns(context, title, lanes, ({ enqueued, drained }) => [
    enqueued.usage,
    drained.usage,
  ])
  return lanes.map(({ peer }, lane) => ({ peer, rounds: results[lane] ?? [] }))
}

async function runOnce(context: EffectsContext, peer: EffectsPeerName, isUneven: boolean): Promise<Round> {
  const items = Math.ceil(context.options.items / (listedEffectsPeer(peer).share ?? 1))
  const warmRows = Math.ceil(items / WARM_SHARE)
  const { result, stretches } = await runMeasured<EnqueuedAndDrained>(
    context,
    { workload: 'effects/drain', peer, rows: items, warmRows, isUneven },
    ({ enqueued, drained }) => [enqueued, drained.usage],
  )
  const [enqueued, drained] = stretches
  if (!enqueued || !drained) throw new Error(`${peer} did not pause between its stretches`)
  return { items, enqueued, drained, mostMs: result.drained.mostMs }
}

function rateIn(items: number, elapsedMs: number): number {
  return items / (elapsedMs / 1_000)
}
