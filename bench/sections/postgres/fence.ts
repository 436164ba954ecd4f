/** What the fence costs: the store's statements with it and without it, by turns. */
import { decimal, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import { medianOf, spreadOf } from '../../statistics.ts'
import type { Fenced } from '../../workloads/postgres/fence.ts'
import { medianOver } from '../reads/round.ts'
import { ROWS_PER_COMMIT, runJob, type PostgresContext } from './job.ts'

/** Rows a batch, and rows between two turns. */
const SIZES = [
  { rowsPerCommit: ROWS_PER_COMMIT, rows: 15 * ROWS_PER_COMMIT },
  { rowsPerCommit: 100, rows: 4_000 },
  { rowsPerCommit: 1, rows: 100 },
]

export interface FenceLane {
  readonly rowsPerCommit: number
  readonly rounds: readonly Fenced[]
}

export async function measureFence(context: PostgresContext): Promise<readonly FenceLane[] | undefined> {
  if (!context.isListed('tidemark')) return undefined
  const lanes = SIZES.map(({ rowsPerCommit }) => ({ rowsPerCommit, rounds: [] as Fenced[] }))
  for (let round = 0; round < context.options.rounds; round++) {
    for (const [lane, size] of SIZES.entries()) {
      context.progress(`the fence: round ${round + 1}, ${size.rowsPerCommit} rows a batch`)
      const details = { workload: 'postgres/fence', peer: 'tidemark', ...size } as const
      const fenced = await runJob<Fenced>(context, details, { written: ({ written }) => written })
      lanes[lane]?.rounds.push(fenced)
    }
  }
  print(context, lanes)
  return lanes
}

/** In percent, the median over all pairs of turns. */
export function fenceCost({ rounds }: FenceLane): number {
  return 100 * medianOf(costsOf(rounds))
}

function costsOf(rounds: readonly Fenced[]): number[] {
  return rounds.flatMap(({ costs }) => costs)
}

function print(context: PostgresContext, lanes: readonly FenceLane[]): void {
  context.print(heading('The fence: the statements of the store with it and without it, by turns'))
  context.print(
    table(
      ['rows a batch', 'with, rows/s', 'without', 'pairs of turns', 'costs', 'of rounds, min – max'],
      lanes.map((lane) => {
        const { rowsPerCommit, rounds } = lane
        const ofRounds = spreadOf(rounds.map((round) => 100 * medianOf(round.costs)))
        return [
          whole(rowsPerCommit),
          whole(medianOver(rounds, ({ rowsPerSecond }) => rowsPerSecond.fenced)),
          whole(medianOver(rounds, ({ rowsPerSecond }) => rowsPerSecond.bare)),
          whole(costsOf(rounds).length),
          `${decimal(fenceCost(lane), 1)} %`,
          `${decimal(ofRounds.min, 1)} – ${decimal(ofRounds.max, 1)} %`,
        ]
      }),
    ),
  )
}
