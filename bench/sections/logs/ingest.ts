/** Entries into the log table and its full-text index: beside blocking better-sqlite3 into the same tables. */
import { loadCells } from '../load.ts'
import type { LogPeerName } from '../../peers/logs/index.ts'
import { decimal, range, times, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import { spreadOf } from '../../statistics.ts'
import type { Throughput } from '../../workloads/throughput.ts'
import { medianOver, printNoise, takeTurns } from '../reads/round.ts'
import { MOST_WARM, runLogJob, verifyEntries, type LogContext } from './job.ts'

export const BATCHES = [100, 1_000] as const
const PEERS: readonly LogPeerName[] = ['tidemark', 'better-sqlite3/rows', 'better-sqlite3/set-based']

export interface IngestLane {
  readonly peer: LogPeerName
  readonly rowsPerCommit: number
  readonly rows: number
  readonly rounds: readonly Throughput[]
}

export async function compareIngest(context: LogContext): Promise<readonly IngestLane[]> {
  const entrants = BATCHES.flatMap((rowsPerCommit) =>
    PEERS.filter(context.isListed).map((peer) => ({ peer, rowsPerCommit })),
  )
  const lanes = await runIngest(context, 'ingest', entrants)
  print(context, lanes)
  return lanes
}

/** In turns, round by round. */
export async function runIngest(
  context: LogContext,
  title: string,
  entrants: readonly Pick<IngestLane, 'peer' | 'rowsPerCommit'>[],
): Promise<readonly IngestLane[]> {
  const { entries } = context.options
  const results = await takeTurns(
    context,
    title,
    entrants.map((entrant) => ({
      title: `${entrant.peer}, ${entrant.rowsPerCommit} a batch`,
      run: () =>
        runLogJob<Throughput>(
          context,
          { workload: 'logs/ingest', ...entrant },
          { check: (file) => verifyEntries(file, Math.min(MOST_WARM, entries) + entries) },
        ),
    })),
    ({ usage }) => [usage],
  )
  return entrants.map((entrant, lane) => ({ ...entrant, rows: entries, rounds: results[lane] ?? [] }))
}

export function ratesOf({ rows, rounds }: IngestLane): number[] {
  return rounds.map(({ usage }) => rows / (usage.elapsedMs / 1_000))
}

/** Rate against rate within each round. */
export function ratioOf(ours: IngestLane, theirs: IngestLane): number {
  const rates = ratesOf(theirs)
  return spreadOf(ratesOf(ours).map((rate, round) => rate / (rates[round] ?? NaN))).median
}

export function laneOf(
  lanes: readonly IngestLane[] | undefined,
  peer: LogPeerName,
  rowsPerCommit: number,
): IngestLane | undefined {
  return lanes?.find((lane) => lane.peer === peer && lane.rowsPerCommit === rowsPerCommit)
}

function print(context: LogContext, lanes: readonly IngestLane[]): void {
  const { entries, rounds } = context.options
  context.print(heading(`Ingest with full-text index: ${whole(entries)} entries, rounds: ${rounds}`))
  context.print(
    table(
      [
        'contender',
        'a batch',
        'SQLite',
        'rows/s',
        'min – max',
        'ours is',
        'µs/row main',
        'all threads',
        'delay p99 ms',
        'max',
        'to disk p50 ms',
        'p99',
        'peak MB',
        'others',
      ],
      lanes.map((lane) => cellsOf(lane, laneOf(lanes, 'tidemark', lane.rowsPerCommit))),
    ),
  )
  printNoise(
    context,
    lanes.flatMap(({ rounds: all }) => all.map(({ usage }) => usage)),
  )
}

function cellsOf(lane: IngestLane, ours: IngestLane | undefined): string[] {
  const rate = spreadOf(ratesOf(lane))
  const median = (figure: (round: Throughput) => number | undefined): number =>
    medianOver(lane.rounds, figure)
  const perRow = (us: number): string => decimal(us / lane.rows, 2)
  return [
    lane.peer,
    whole(lane.rowsPerCommit),
    lane.rounds[0]?.sqliteVersion ?? '',
    whole(rate.median),
    range(rate),
    ours && ours !== lane ? times(ratioOf(ours, lane)) : '',
    perRow(median(({ usage }) => usage.mainThreadCpuUs)),
    perRow(median(({ usage }) => usage.processCpuUs)),
    ...loadCells(median, 1),
  ]
}
