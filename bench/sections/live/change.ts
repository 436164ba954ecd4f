/** A change of one row and a read of it: in a live scope, and beside that. */
import type { Usage } from '../../measure.ts'
import { CHANGE_PEER_NAMES, type ChangePeerName } from '../../peers/live/index.ts'
import { decimal, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import { spreadOf } from '../../statistics.ts'
import type { Changed, Stretch } from '../../workloads/live/change.ts'
import { stateAt } from '../../workloads/live/rows.ts'
import { CHANGED_PARTS } from '../../workloads/live/sizes.ts'
import { othersProcessorsIn } from '../noise.ts'
import { medianOver, printNoise, takeTurns } from '../reads/round.ts'
import { rowsAtFirst, type Rows } from './file.ts'
import { runLive, type LiveContext } from './job.ts'

export const ROW_KINDS = ['job', 'part'] as const
export type RowKind = (typeof ROW_KINDS)[number]
export const ROW_NAMES = { job: 'the row', part: `one of ${CHANGED_PARTS} children` } as const

export interface ChangeLane {
  readonly peer: ChangePeerName
  readonly rounds: readonly Changed[]
}

export async function compareChanges(context: LiveContext): Promise<readonly ChangeLane[]> {
  const peers = CHANGE_PEER_NAMES.filter(context.isListed)
  const lanes = peers.map((peer) => ({
    title: peer,
    run: () =>
      runLive<Changed>(
        context,
        { workload: 'live/change', peer },
        { before: rowsAtFirst(1, CHANGED_PARTS), after: peer === 'map' ? () => undefined : rowsAfter },
      ),
  }))
  const results = await takeTurns(context, 'change', lanes, usagesOf)
  const found = peers.map((peer, lane) => ({ peer, rounds: results[lane] ?? [] }))
  context.print(heading('A change and a read of one row: microseconds for both'))
  context.print(
    table(
      HEADINGS,
      ROW_KINDS.flatMap((kind) => found.map((lane) => cellsOf(lane, kind))),
    ),
  )
  printNoise(context, results.flat().flatMap(usagesOf))
  return found
}

/** The whole time by the number of changes, in µs. */
export function allInUs({ usage, changes }: Pick<Stretch, 'usage' | 'changes'>): number {
  return (usage.elapsedMs * 1_000) / changes
}

/** Each row as the last change of it has left it. */
export function rowsAfter({ jobChanges, partChanges }: Pick<Changed, 'jobChanges' | 'partChanges'>): Rows {
  const { jobs, parts } = rowsAtFirst(1, CHANGED_PARTS)
  const last = jobChanges - 1
  return {
    jobs: jobs.map((job) => ({ ...job, stage: stateAt(last), progress: last })),
    parts: parts.map((part) => {
      const rounds = Math.floor((partChanges - 1 - part.n) / CHANGED_PARTS)
      const number = rounds * CHANGED_PARTS + part.n
      return rounds < 0 ? part : { ...part, state: stateAt(number), progress: number }
    }),
  }
}

const HEADINGS = [
  'contender',
  'row',
  'all in',
  'min – max',
  'from the call p50',
  'p99',
  'CPU',
  'changes/s',
  'changes/write',
  'delay p99 ms',
  'max',
  'others',
]

function cellsOf({ peer, rounds }: ChangeLane, kind: RowKind): string[] {
  const stretches = rounds.map((round) => round[kind])
  const median = (figure: (stretch: Stretch) => number | undefined): number => medianOver(stretches, figure)
  const allIn = spreadOf(stretches.map(allInUs))
  return [
    peer,
    ROW_NAMES[kind],
    decimal(allIn.median, 2),
    `${decimal(allIn.min, 2)} – ${decimal(allIn.max, 2)}`,
    ...(['p50', 'p99'] as const).map((which) =>
      decimal(
        median(({ callUs }) => callUs[which]),
        2,
      ),
    ),
    decimal(
      median(({ usage, changes }) => usage.mainThreadCpuUs / changes),
      2,
    ),
    whole(1e6 / allIn.median),
    decimal(
      median(({ changes, written }) => (written === undefined ? undefined : changes / written)),
      1,
    ),
    decimal(
      median(({ usage }) => usage.loopDelayP99Ms),
      2,
    ),
    decimal(
      median(({ usage }) => usage.loopDelayMaxMs),
      1,
    ),
    decimal(
      median(({ usage }) => othersProcessorsIn(usage)),
      2,
    ),
  ]
}

function usagesOf({ job, part }: Changed): Usage[] {
  return [job.usage, part.usage]
}
