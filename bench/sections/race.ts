/** Contenders in interleaved rounds: A B C … A B C …, so that a slow minute of the machine hits all alike. */

import { readLogState, verifyRows, type LogState } from '../database.ts'
import { listed, type PeerName } from '../peers/index.ts'
import type { PeerSettings } from '../peers/peer.ts'
import { spreadOf, type Percentiles, type Spread } from '../statistics.ts'
import type { Throughput } from '../workloads/throughput.ts'
import { runJob, type Context } from './context.ts'
import { othersProcessorsIn, runQuietly, type Disturbed } from './noise.ts'

export interface Entrant extends Partial<PeerSettings> {
  readonly peer: PeerName
}

export interface Round extends Disturbed {
  readonly rowsPerSecond: number
  readonly mainThreadUsPerRow: number
  readonly processUsPerRow: number
  readonly loopDelayP99Ms: number
  readonly loopDelayMaxMs: number
  readonly peakBytes: number
  readonly growthBytes: number
  readonly commits: number
  readonly logBytes: number
  readonly logPagesLeft: number
  readonly acceptedToCommittedMs: Percentiles | undefined
}

export interface Standing extends Entrant {
  readonly rows: number
  readonly sqliteVersion: string
  readonly rounds: readonly Round[]
}

const SLOW_SHARE = 20
const MOST_WARM_ROWS = 50_000

export async function race(
  context: Context,
  entrants: readonly Entrant[],
  { rows, rowBytes, rounds, title }: { rows: number; rowBytes: number; rounds: number; title: string },
): Promise<readonly Standing[]> {
  const results = entrants.map(() => [] as Round[])
  const versions: string[] = []
  const rowsOf = (peer: PeerName): number => (listed(peer).isSlow ? Math.ceil(rows / SLOW_SHARE) : rows)
  for (let round = 0; round < rounds; round++) {
    for (const [lane, entrant] of entrants.entries()) {
      context.progress(`${title}: round ${round + 1} of ${rounds}, ${entrant.peer}`)
      const [sqliteVersion, measured] = await runQuietly(
        context.options,
        () => runOnce(context, entrant, rowsOf(entrant.peer), rowBytes),
        ([, { othersProcessors }]) => othersProcessors,
      )
      versions[lane] = sqliteVersion
      results[lane]?.push(measured)
    }
  }
  return entrants.map((entrant, lane) => ({
    ...entrant,
    rows: rowsOf(entrant.peer),
    sqliteVersion: versions[lane] ?? '',
    rounds: results[lane] ?? [],
  }))
}

async function runOnce(
  context: Context,
  entrant: Entrant,
  rows: number,
  rowBytes: number,
): Promise<[sqliteVersion: string, round: Round]> {
  const warmRows = Math.min(MOST_WARM_ROWS, Math.ceil(rows / 5))
  const logs: LogState[] = []
  const result = await runJob<Throughput>(
    context,
    { workload: 'throughput', ...entrant, rows, rowBytes, warmRows },
    {
      onPause: (_, file) => void logs.push(readLogState(file)),
      check: (file) => verifyRows(file, warmRows + rows, rowBytes),
    },
  )
  const [warm, written] = logs
  if (!warm || !written) throw new Error(`${entrant.peer} did not pause for a look at its log`)
  const log = { ...written, commits: written.commits - warm.commits }
  return [result.sqliteVersion, toRound(result, rows, log)]
}

function toRound({ usage, acceptedToCommittedMs }: Throughput, rows: number, log: LogState): Round {
  return {
    rowsPerSecond: rows / (usage.elapsedMs / 1000),
    mainThreadUsPerRow: usage.mainThreadCpuUs / rows,
    processUsPerRow: usage.processCpuUs / rows,
    othersProcessors: othersProcessorsIn(usage),
    loopDelayP99Ms: usage.loopDelayP99Ms,
    loopDelayMaxMs: usage.loopDelayMaxMs,
    peakBytes: usage.peakBytes,
    growthBytes: usage.peakBytes - usage.baselineBytes,
    commits: log.commits,
    logBytes: log.bytes,
    logPagesLeft: log.pagesLeft,
    acceptedToCommittedMs,
  }
}

/** How one figure of a standing spread over its rounds. */
export function spreadOver(standing: Standing, figure: (round: Round) => number | undefined): Spread {
  return spreadOf(standing.rounds.map((round) => figure(round) ?? NaN))
}

/** Rate against rate within each round; a slow round of the machine slows both. */
export function ratioOver(ours: Standing, theirs: Standing): Spread {
  return spreadOf(
    ours.rounds.map((round, index) => round.rowsPerSecond / (theirs.rounds[index]?.rowsPerSecond ?? NaN)),
  )
}
