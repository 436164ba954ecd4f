/** One round of a contender of the read benchmark: its job, its file, and rounds in turn. */

import { createItems, verifyTables } from '../../database.ts'
import type { ReadJob } from '../../job.ts'
import type { Usage } from '../../measure.ts'
import type { CommonOptions } from '../../options/parse.ts'
import type { ReadBenchOptions } from '../../options/reads.ts'
import { medianOf } from '../../statistics.ts'
import { BYTES_PER_TICK, runInOwnFile, type Context } from '../context.ts'
import { noiseIn, othersProcessorsIn, runQuietly } from '../noise.ts'

export type ReadContext = Context<ReadBenchOptions>
export type ReadJobDetails = Pick<ReadJob, 'workload' | 'peer'> & Partial<ReadJob>

/** What blocking contenders commit at once. */
const ROWS_PER_COMMIT = 1_000
export const DEFAULT_QUEUE = 10_000
/** As many as Tidemark has by default. */
const READERS = 2

/** What a workload has written, beyond the rows that were there. */
export interface Written {
  readonly writtenRows?: number
  readonly writtenItems?: number
}

export function runRead<Result extends object>(
  context: ReadContext,
  details: ReadJobDetails,
  written: (result: Result) => Written,
  onPause?: (moment: string, file: string) => void,
): Promise<Result> {
  const { rows, rowBytes, roundMs } = context.options
  const isTidemark = details.peer === 'tidemark'
  const job: Omit<ReadJob, 'file'> = {
    rows,
    rowBytes,
    roundMs,
    maxOperations: DEFAULT_QUEUE,
    lingerMs: 5,
    readers: READERS,
    rowsPerChunk: isTidemark ? Math.floor(BYTES_PER_TICK / rowBytes) : ROWS_PER_COMMIT,
    isBlocking: !isTidemark && details.peer !== 'node:sqlite/pool',
    requestsPerSecond: 0,
    mix: [],
    callers: 1,
    ...details,
  }
  return runInOwnFile<Result>(context, job, {
    create: (file) => createItems(file, job.rows, rowBytes),
    ...(onPause && { onPause }),
    check: (file, result) => {
      const { writtenRows = 0, writtenItems = 0 } = written(result)
      verifyTables(file, { logs: writtenRows, items: job.rows + writtenItems })
    },
  })
}

export interface Lane<Result> {
  readonly title: string
  readonly run: () => Promise<Result>
}

/** Lanes in interleaved rounds, as in a race. @returns the rounds of each lane */
export async function takeTurns<Result>(
  context: Context<CommonOptions>,
  title: string,
  lanes: readonly Lane<Result>[],
  usageOf: (result: Result) => readonly Usage[],
): Promise<readonly (readonly Result[])[]> {
  const results = lanes.map(() => [] as Result[])
  for (let round = 0; round < context.options.rounds; round++) {
    for (const [index, lane] of lanes.entries()) {
      context.progress(`${title}: round ${round + 1} of ${context.options.rounds}, ${lane.title}`)
      const others = (result: Result): number => Math.max(...usageOf(result).map(othersProcessorsIn))
      results[index]?.push(await runQuietly(context.options, lane.run, others))
    }
  }
  return results
}

export function medianOver<Round>(
  rounds: readonly Round[],
  figure: (round: Round) => number | undefined,
): number {
  return medianOf(rounds.map((round) => figure(round) ?? NaN))
}

export function printNoise(context: Pick<ReadContext, 'print'>, usages: readonly Usage[]): void {
  const noise = noiseIn(usages.map((usage) => ({ othersProcessors: othersProcessorsIn(usage) })))
  if (noise) context.print(`\n${noise}`)
}
