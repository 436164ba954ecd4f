/** Contenders in interleaved rounds: A B C … A B C …, so that a slow minute of the machine hits all alike. */

import { setTimeout as sleep } from 'node:timers/promises'
import { readLogState, verifyRows, type LogState } from '../database.ts'
import { listed, type PeerName } from '../peers/index.ts'
import type { PeerSettings } from '../peers/peer.ts'
import { spreadOf, type Percentiles, type Spread } from '../statistics.ts'
import type { Throughput } from '../workloads/throughput.ts'
import { runJob, type Context } from './context.ts'

export interface Entrant extends Partial<PeerSettings> {
  readonly peer: PeerName
}

export interface Round {
  readonly rowsPerSecond: number
  readonly mainThreadUsPerRow: number
  readonly processUsPerRow: number
  /** Processors that were busy with something else. */
  readonly othersProcessors: number
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

/** Processors that others may use before a round counts as disturbed. */
const NOISE = 0.15
const PATIENT_TRIES = 20
const PAUSE_MS = 250

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
      const [sqliteVersion, measured] = await runQuietly(context, entrant, rowsOf(entrant.peer), rowBytes)
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

/** Whether a round is repeated depends on the other processes alone, never on its result. */
async function runQuietly(
  context: Context,
  entrant: Entrant,
  rows: number,
  rowBytes: number,
): Promise<[sqliteVersion: string, round: Round]> {
  const tries = context.options.patient ? PATIENT_TRIES : 1
  for (let attempt = 1; ; attempt++) {
    const [result, log] = await runOnce(context, entrant, rows, rowBytes)
    const round = toRound(result, rows, log)
    if (attempt >= tries || round.othersProcessors <= NOISE) return [result.sqliteVersion, round]
    await sleep(PAUSE_MS * attempt)
  }
}

async function runOnce(
  context: Context,
  entrant: Entrant,
  rows: number,
  rowBytes: number,
): Promise<[Throughput, log: LogState]> {
  const warmRows = Math.min(MOST_WARM_ROWS, Math.ceil(rows / 5))
  const logs: LogState[] = []
  const result = await runJob<Throughput>(
    context,
    { workload: 'throughput', ...entrant, rows, rowBytes, warmRows },
    {
      onPause: (_, file) => logs.push(readLogState(file)),
      check: (file) => verifyRows(file, warmRows + rows, rowBytes),
    },
  )
  const [warm, written] = logs
  if (!warm || !written) throw new Error(`${entrant.peer} did not pause for a look at its log`)
  return [result, { ...written, commits: written.commits - warm.commits }]
}

function toRound({ usage, acceptedToCommittedMs }: Throughput, rows: number, log: LogState): Round {
  return {
    rowsPerSecond: rows / (usage.elapsedMs / 1000),
    mainThreadUsPerRow: usage.mainThreadCpuUs / rows,
    processUsPerRow: usage.processCpuUs / rows,
    othersProcessors: usage.othersCpuUs / (usage.elapsedMs * 1000),
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

/** Undefined on a quiet machine; else a sentence about how far these rounds may be trusted. */
export function noiseIn(standings: readonly Standing[]): string | undefined {
  const rounds = standings.flatMap((standing) => standing.rounds)
  const noisy = rounds.filter(({ othersProcessors }) => othersProcessors > NOISE)
  if (noisy.length === 0) return undefined
  const share = spreadOf(noisy.map(({ othersProcessors }) => othersProcessors)).median.toFixed(2)
  return `The machine was not quiet: in ${noisy.length} of ${rounds.length} rounds others kept ${share} processors busy.`
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
