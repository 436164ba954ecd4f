/** Which measured figure answers which goal of effects. */
import type { EffectsPeerName } from '../../peers/effects/index.ts'
import { atLeast, below, type Goal } from '../../report/goals.ts'
import type { CallersLanes } from './callers.ts'
import type { Drains, UnevenDrains } from './drain.ts'
import { idleP50Ms, type IdleLane } from './idle.ts'
import { ratioOf, type RateLane } from './rates.ts'
import { carryingRatio, type WritesLane } from './writes.ts'

export interface MeasuredEffects {
  readonly drains?: Drains
  readonly uneven?: UnevenDrains
  readonly callers?: CallersLanes
  readonly idle?: readonly IdleLane[]
  readonly writes?: readonly WritesLane[]
}

const OURS = ['tidemark/sqlite', 'tidemark/postgres'] as const
const THEIRS: readonly EffectsPeerName[] = ['graphile-worker', 'pg-boss', 'bullmq']

export function effectsGoalsOf({ drains, uneven, callers, idle, writes }: MeasuredEffects): readonly Goal[] {
  const against = (what: string, lanes: readonly RateLane[] | undefined): Goal[] =>
    OURS.flatMap((ours) =>
      THEIRS.map((theirs) =>
        atLeast(`${what}, ${ours} against ${theirs}`, 10, ratioOf(lanes, ours, theirs), 20),
      ),
    )
  return [
    ...against('enqueued', drains?.enqueued),
    ...against('drained', drains?.drained),
    ...against('drained, some late or failing', uneven),
    ...OURS.map((ours) =>
      atLeast(`16 callers, ${ours} against graphile-worker`, 10, ratioOf(callers, ours, 'graphile-worker')),
    ),
    ...OURS.map((ours) =>
      below(`commit to handler, ${ours}, in process, p50`, 'ms', 2, idleP50Ms(idle, 'in process', ours), 1),
    ),
    ...OURS.map((ours) =>
      below(
        `commit to handler, ${ours}, another process, p50`,
        'ms',
        4,
        idleP50Ms(idle, 'another process', ours),
        2.5,
      ),
    ),
    ...(['tidemark/sqlite', 'tidemark/sqlite-full', 'tidemark/postgres'] as const).map((ours) =>
      atLeast(
        `writes with one effect each, ${ours}, against without`,
        0.9,
        carryingRatio(writes, ours),
        0.95,
      ),
    ),
  ]
}
