/** Which measured figure answers which goal of live scopes. */
import { atLeast, below, type Goal } from '../../report/goals.ts'
import { medianOver } from '../reads/round.ts'
import { allInUs, ROW_KINDS, ROW_NAMES, type ChangeLane, type RowKind } from './change.ts'
import type { compareMemory } from './memory.ts'
import { SLOW_COMMIT_MS, timesAsLong, type PipelineRace } from './pipeline.ts'

export interface MeasuredLive {
  readonly changes?: readonly ChangeLane[]
  readonly memory?: Awaited<ReturnType<typeof compareMemory>>
  readonly pipelines?: readonly PipelineRace[]
}

export function liveGoalsOf({ changes, pipelines }: MeasuredLive): readonly Goal[] {
  const scope = changes?.find(({ peer }) => peer === 'tidemark/live')
  const slow = pipelines?.find(({ commitMs }) => commitMs === SLOW_COMMIT_MS)
  const changeUs = (kind: RowKind): number | undefined =>
    scope && medianOver(scope.rounds, (round) => allInUs(round[kind]))
  const figures = { 'stage to stage': 'stageMs', 'until all is committed': 'entityMs' } as const
  return [
    ...ROW_KINDS.map((kind) =>
      below(`change and read in a live scope, ${ROW_NAMES[kind]}, all in`, 'µs', 2, changeUs(kind)),
    ),
    ...Object.entries(figures).map(([name, figure]) =>
      atLeast(
        `${name}, ${SLOW_COMMIT_MS} ms a commit: awaiting each write takes so many times as long as a live scope`,
        20,
        slow && timesAsLong(slow, 'tidemark/each', figure),
        50,
      ),
    ),
  ]
}
