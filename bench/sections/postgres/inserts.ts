/** The main comparison: committed rows a second beside the driver by hand, COPY, and what people use. */
import { loadCells } from '../load.ts'
import { listedPostgresPeer, POSTGRES_PEER_NAMES, type PostgresPeerName } from '../../peers/postgres/index.ts'
import { decimal, range, times, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import { spreadOf, type Spread } from '../../statistics.ts'
import type { TimedWrites } from '../../workloads/timed-writes.ts'
import type { TableName } from '../../workloads/postgres/rows.ts'
import { medianOver, printNoise, takeTurns } from '../reads/round.ts'
import { ROWS_PER_COMMIT, runMeasured, type PostgresContext } from './job.ts'

const MOST_WARM = 20_000
/** Whole transactions: of a few rows each only the slow ones are given few. */
const LEAST_WARM = 500
const WIDE: readonly PostgresPeerName[] = ['tidemark', 'pg/unnest', 'pg/copy']

type Round = TimedWrites & { readonly serverCpuUs: number | undefined }

export interface InsertLane {
  readonly peer: PostgresPeerName
  readonly rows: number
  readonly rounds: readonly Round[]
}

export async function compareInserts(context: PostgresContext): Promise<readonly InsertLane[]> {
  const lanes = await race(context, 'inserts', POSTGRES_PEER_NAMES, 'logs')
  print(context, 'Inserts, rows of about 100 bytes: bigint, text, text, double precision', lanes)
  return lanes
}

export async function compareWideRows(context: PostgresContext): Promise<readonly InsertLane[]> {
  const lanes = await race(context, 'wide rows', WIDE, 'events')
  print(
    context,
    'Inserts, rows of about 250 bytes: timestamptz, text, text, numeric, jsonb from objects',
    lanes,
  )
  return lanes
}

async function race(
  context: PostgresContext,
  title: string,
  peers: readonly PostgresPeerName[],
  tableName: TableName,
): Promise<readonly InsertLane[]> {
  const lanes = peers.filter(context.isListed).map((peer) => {
    const rows = Math.ceil(context.options.rows / (listedPostgresPeer(peer).share ?? 1))
    const warmRows = Math.min(MOST_WARM, Math.max(LEAST_WARM, Math.ceil(rows / 5)))
    const details = { workload: 'postgres/inserts', peer, table: tableName, rows, warmRows } as const
    return {
      peer,
      rows,
      title: peer,
      run: () => runMeasured<TimedWrites>(context, details, () => warmRows + rows),
    }
  })
  const results = await takeTurns(context, title, lanes, ({ usage }) => [usage])
  return lanes.map(({ peer, rows }, lane) => ({ peer, rows, rounds: results[lane] ?? [] }))
}

export function insertLaneOf(
  lanes: readonly InsertLane[] | undefined,
  peer: PostgresPeerName,
): InsertLane | undefined {
  return lanes?.find((lane) => lane.peer === peer)
}

function ratesOf({ rows, rounds }: InsertLane): number[] {
  return rounds.map(({ usage }) => rows / (usage.elapsedMs / 1_000))
}

/** Rate against rate within each round; a slow round of the machine slows both. */
export function insertRatio(ours: InsertLane, theirs: InsertLane): Spread {
  const rates = ratesOf(theirs)
  return spreadOf(ratesOf(ours).map((rate, round) => rate / (rates[round] ?? NaN)))
}

const HEADINGS = [
  'contender',
  'rows',
  'rows/s',
  'min – max',
  'ours is',
  'min – max',
  'µs/row main',
  'all threads',
  'server',
  'delay p99 ms',
  'max',
  'to disk p50 ms',
  'p99',
  'peak MB',
  'others',
]

function print(context: PostgresContext, title: string, lanes: readonly InsertLane[]): void {
  const rounds = context.options.rounds
  context.print(
    heading(`${title}; ${whole(ROWS_PER_COMMIT)} a commit where they are many; rounds: ${rounds}`),
  )
  const ours = insertLaneOf(lanes, 'tidemark')
  context.print(
    table(
      HEADINGS,
      lanes.map((lane) => cellsOf(lane, ours)),
    ),
  )
  printNoise(
    context,
    lanes.flatMap(({ rounds: all }) => all.map(({ usage }) => usage)),
  )
}

function cellsOf(lane: InsertLane, ours: InsertLane | undefined): string[] {
  const rate = spreadOf(ratesOf(lane))
  const ratio = ours && ours !== lane ? insertRatio(ours, lane) : undefined
  const median = (figure: (round: Round) => number | undefined): number => medianOver(lane.rounds, figure)
  const perRow = (us: number): string => decimal(us / lane.rows, 2)
  return [
    lane.peer,
    whole(lane.rows),
    whole(rate.median),
    range(rate),
    ratio ? times(ratio.median) : '',
    ratio ? `${decimal(ratio.min, 2)} – ${decimal(ratio.max, 2)}` : '',
    perRow(median(({ usage }) => usage.mainThreadCpuUs)),
    perRow(median(({ usage }) => usage.processCpuUs)),
    perRow(median(({ serverCpuUs }) => serverCpuUs)),
    ...loadCells(median, 2),
  ]
}
