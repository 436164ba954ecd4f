/** One job of the live benchmark: its process, its file, and the comparison of that file. */
import type { LiveJob } from '../../job.ts'
import type { LiveBenchOptions } from '../../options/live.ts'
import { runInOwnFile, type Context } from '../context.ts'
import { createJobs, verifyRows, type Rows } from './file.ts'

export type LiveContext = Context<LiveBenchOptions>

interface Files<Result> {
  readonly before: Rows
  /** What must be in the file afterwards; undefined: it is not written to. */
  readonly after: (result: Result) => Rows | undefined
}

export function runLive<Result>(
  context: LiveContext,
  details: Pick<LiveJob, 'workload' | 'peer'> & Partial<LiveJob>,
  { before, after }: Files<Result>,
): Promise<Result> {
  const job = { rows: 0, roundMs: context.options.roundMs, commitMs: 0, entities: 0, ...details }
  return runInOwnFile<Result>(context, job, {
    create: (file) => createJobs(file, before),
    check(file, result) {
      const expected = after(result)
      if (expected) verifyRows(file, expected)
    },
  })
}
