/** Sixteen callers, each with its next item as soon as the last is committed. */
import { EFFECTS_PEER_NAMES } from '../../peers/effects/index.ts'
import { decimal } from '../../report/format.ts'
import type { Percentiles } from '../../statistics.ts'
import type { Called } from '../../workloads/effects/callers.ts'
import { CALLERS } from '../../workloads/sizes.ts'
import { takeTurns } from '../reads/round.ts'
import { runMeasured, type EffectsContext } from './job.ts'
import { printRates, type RateLane, type RateRound } from './rates.ts'

interface CallersRound extends RateRound {
  readonly waitsMs: Percentiles
}

export type CallersLanes = readonly RateLane<CallersRound>[]

export async function compareCallers(context: EffectsContext): Promise<CallersLanes> {
  const lanes = EFFECTS_PEER_NAMES.filter(context.isListed).map((peer) => ({
    peer,
    title: peer,
    run: async (): Promise<CallersRound> => {
      const { result, stretches } = await runMeasured<Called>(
        context,
        { workload: 'effects/callers', peer, callers: CALLERS },
        ({ usage }) => [usage],
      )
      const [stretch] = stretches
      if (!stretch) throw new Error(`${peer} measured nothing`)
      const items = result.waitsMs.samples
      const perSecond = items / (stretch.usage.elapsedMs / 1_000)
      return { ...stretch, items, perSecond, waitsMs: result.waitsMs }
    },
  }))
  const results = await takeTurns(context, 'callers', lanes, ({ usage }) => [usage])
  const found = lanes.map(({ peer }, lane) => ({ peer, rounds: results[lane] ?? [] }))
  printRates(context, `Enqueued one by one: ${CALLERS} callers that await each commit`, found, {
    headings: ['p50 ms', 'p99'],
    cells: (median) =>
      (['p50', 'p99'] as const).map((figure) =>
        decimal(
          median(({ waitsMs }) => waitsMs[figure]),
          2,
        ),
      ),
  })
  return found
}
