/** How soon one item is handled by somebody who had nothing to do: in the process that has enqueued it, and in another. */
import { EFFECTS_PEER_NAMES, type EffectsPeerName } from '../../peers/effects/index.ts'
import { decimal, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import type { Percentiles } from '../../statistics.ts'
import type { Idle } from '../../workloads/effects/idle.ts'
import { medianOver, printNoise, takeTurns } from '../reads/round.ts'
import { runIn, runMeasured, type EffectsContext, type Stretch } from './job.ts'
import { loopAndMemoryCells } from './rates.ts'

const WAYS = { 'in process': handledHere, 'another process': handledElsewhere } as const
type Way = keyof typeof WAYS

type IdleRound = Stretch & Omit<Idle, 'usage'>

export interface IdleLane {
  readonly way: Way
  readonly peer: EffectsPeerName
  readonly rounds: readonly IdleRound[]
}

export async function compareIdle(context: EffectsContext): Promise<readonly IdleLane[]> {
  const lanes = (Object.keys(WAYS) as Way[]).flatMap((way) =>
    EFFECTS_PEER_NAMES.filter(context.isListed).map((peer) => ({
      way,
      peer,
      title: `${way}, ${peer}`,
      run: () => WAYS[way](context, peer),
    })),
  )
  const results = await takeTurns(context, 'idle', lanes, ({ usage }) => [usage])
  const found = lanes.map(({ way, peer }, lane) => ({ way, peer, rounds: results[lane] ?? [] }))
  print(context, found)
  return found
}

export function idleP50Ms(
  lanes: readonly IdleLane[] | undefined,
  way: Way,
  peer: EffectsPeerName,
): number | undefined {
  const lane = lanes?.find((one) => one.way === way && one.peer === peer)
  return lane && medianOver(lane.rounds, ({ fromCommitMs }) => fromCommitMs.p50)
}

async function handledHere(context: EffectsContext, peer: EffectsPeerName): Promise<IdleRound> {
  const { result, stretches } = await runMeasured<Idle>(
    context,
    { workload: 'effects/idle', peer },
    ({ usage }) => [usage],
  )
  const [stretch] = stretches
  if (!stretch) throw new Error(`${peer} measured nothing`)
  return { ...result, ...stretch }
}

/** Who handles is there first, and ends when the sender has. Its own share of the processors counts as that of others. */
async function handledElsewhere(context: EffectsContext, peer: EffectsPeerName): Promise<IdleRound> {
  return await context.places.of(peer).with([], async (address) => {
    let found: Idle | undefined
    await runIn(context, address, { workload: 'effects/handler', peer }, async (port) => {
      const details = { workload: 'effects/sender', peer, handlerPort: Number(port) } as const
      found = await runIn<Idle>(context, address, details)
    })
    if (found === undefined) throw new Error('the handler told no port')
    return { ...found, usage: { ...found.usage, othersCpuUs: NaN }, serverCpuUs: undefined }
  })
}

function print(context: EffectsContext, lanes: readonly IdleLane[]): void {
  context.print(
    heading(
      `One item on an idle contender, until its handler is called: milliseconds; rounds: ${context.options.rounds}`,
    ),
  )
  context.print(
    table(
      [
        'handled, contender',
        'from the commit p50',
        'p99',
        'from the call p50',
        'p99',
        'samples',
        'delay p99 ms',
        'max',
        'peak MB',
      ],
      lanes.map(({ way, peer, rounds }) => {
        const cells = (percentilesIn: (round: IdleRound) => Percentiles): string[] =>
          (['p50', 'p99'] as const).map((figure) =>
            decimal(
              medianOver(rounds, (round) => percentilesIn(round)[figure]),
              2,
            ),
          )
        return [
          `${way}, ${peer}`,
          ...cells(({ fromCommitMs }) => fromCommitMs),
          ...cells(({ fromCallMs }) => fromCallMs),
          whole(rounds.reduce((sum, { fromCallMs }) => sum + fromCallMs.samples, 0)),
          ...loopAndMemoryCells((figure) => medianOver(rounds, figure)),
        ]
      }),
    ),
  )
  printNoise(
    context,
    lanes.filter(({ way }) => way === 'in process').flatMap(({ rounds }) => rounds.map(({ usage }) => usage)),
  )
}
