/** Dependent stages, on a file beside the process and on a store that takes its time, in four ways. */
import { PIPELINE_NAMES, type PipelineName } from '../../peers/live/index.ts'
import { decimal, times } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import { medianOf, spreadOf } from '../../statistics.ts'
import type { Piped } from '../../workloads/live/pipeline.ts'
import { STAGES } from '../../workloads/live/sizes.ts'
import { pipelineRows } from '../../workloads/live/stages.ts'
import { othersProcessorsIn } from '../noise.ts'
import { medianOver, printNoise, takeTurns } from '../reads/round.ts'
import { hashOf } from './file.ts'
import { runLive, type LiveContext } from './job.ts'

/** What an answer of the slow store takes. */
export const SLOW_COMMIT_MS = 20

export interface PipelineLane {
  readonly peer: PipelineName
  readonly rounds: readonly Piped[]
}

export interface PipelineRace {
  readonly commitMs: number
  readonly entities: number
  /** Of the rows in every contender's file. */
  readonly rowsHash: string
  readonly lanes: readonly PipelineLane[]
}

export async function comparePipelines(context: LiveContext): Promise<readonly PipelineRace[]> {
  const { quick } = context.options
  return [
    await race(context, { commitMs: 0, entities: quick ? 10 : 30 }),
    await race(context, { commitMs: SLOW_COMMIT_MS, entities: quick ? 3 : 5 }),
  ]
}

async function race(
  context: LiveContext,
  { commitMs, entities }: Pick<PipelineRace, 'commitMs' | 'entities'>,
): Promise<PipelineRace> {
  const { rows } = context.options
  const expected = pipelineRows(entities, rows)
  const peers = PIPELINE_NAMES.filter(context.isListed)
  const jobLanes = peers.map((peer) => ({
    title: peer,
    run: () =>
      runLive<Piped>(
        context,
        { workload: 'live/pipeline', peer, rows, commitMs, entities },
        { before: { jobs: [], parts: [] }, after: () => expected },
      ),
  }))
  const store = commitMs === 0 ? 'SQLite' : `a store that answers each commit ${commitMs} ms later`
  const results = await takeTurns(context, `pipeline, ${store}`, jobLanes, ({ usage }) => [usage])
  const lanes = peers.map((peer, lane) => ({ peer, rounds: results[lane] ?? [] }))
  const found = { commitMs, entities, rowsHash: hashOf(expected), lanes }
  context.print(
    heading(`${STAGES} stages of ${rows} rows and a status each, one entity after another: on ${store}`),
  )
  context.print(
    table(
      HEADINGS,
      lanes.map((lane) => cellsOf(lane, found)),
    ),
  )
  context.print(
    'A stage: from its first change to the first change of the next, with what has to be waited for; stages compute nothing.',
  )
  context.print(
    'An entity: from before it was opened until all of it was committed. The files hold the same rows, or the run had failed:',
  )
  context.print(`sha256 ${found.rowsHash}`)
  printNoise(
    context,
    results.flat().map(({ usage }) => usage),
  )
  return found
}

/** How many times as long a contender takes as a live scope in the same round: the median over the rounds. */
export function timesAsLong(
  { lanes }: Pick<PipelineRace, 'lanes'>,
  peer: PipelineName,
  figure: 'stageMs' | 'entityMs',
): number | undefined {
  const roundsOf = (name: PipelineName) => lanes.find((lane) => lane.peer === name)?.rounds
  const [ours, theirs] = [roundsOf('tidemark/live'), roundsOf(peer)]
  return (
    ours && theirs && medianOf(theirs.map((round, at) => round[figure].p50 / (ours[at]?.[figure].p50 ?? NaN)))
  )
}

const HEADINGS = [
  'contender',
  'stage p50 ms',
  'min – max',
  'p99',
  'times live',
  'entity p50 ms',
  'times live',
  'commits/entity',
  'delay p99 ms',
  'others',
]

function cellsOf({ peer, rounds }: PipelineLane, found: PipelineRace): string[] {
  const median = (figure: (round: Piped) => number): number => medianOver(rounds, figure)
  const p50 = spreadOf(rounds.map(({ stageMs }) => stageMs.p50))
  return [
    peer,
    decimal(p50.median, 3),
    `${decimal(p50.min, 3)} – ${decimal(p50.max, 3)}`,
    decimal(
      median(({ stageMs }) => stageMs.p99),
      3,
    ),
    times(timesAsLong(found, peer, 'stageMs')),
    decimal(
      median(({ entityMs }) => entityMs.p50),
      2,
    ),
    times(timesAsLong(found, peer, 'entityMs')),
    decimal(
      median(({ commits }) => commits / found.entities),
      1,
    ),
    decimal(
      median(({ usage }) => usage.loopDelayP99Ms),
      2,
    ),
    decimal(
      median(({ usage }) => othersProcessorsIn(usage)),
      2,
    ),
  ]
}
