/** One job of the PostgreSQL benchmark: its process, its database, and what that must hold afterwards. */
import type { PostgresJob } from '../../job.ts'
import type { Usage } from '../../measure.ts'
import type { PostgresBenchOptions } from '../../options/postgres.ts'
import { listedPostgresPeer } from '../../peers/postgres/index.ts'
import { runContender } from '../../processes.ts'
import { createTableSql } from '../../workloads/postgres/rows.ts'
import { BYTES_PER_TICK, type Context } from '../context.ts'
import type { BenchServer } from './server.ts'
import { verifyRows } from './verify.ts'

export type PostgresContext = Context<PostgresBenchOptions> & { readonly server: BenchServer }

const ROW_BYTES = 100
export const ROWS_PER_COMMIT = 1_000

export type JobDetails = Pick<PostgresJob, 'workload' | 'peer'> & Partial<PostgresJob>

interface Steps<Result> {
  readonly onPause?: (moment: string) => void | Promise<void>
  /** How many rows it has written. Undefined: somebody else looks. */
  readonly written: (result: Result) => number | undefined
}

export function jobOf(context: PostgresContext, details: JobDetails): Omit<PostgresJob, 'url'> {
  const { rows, roundMs } = context.options
  return {
    rows,
    roundMs,
    warmRows: 0,
    table: 'logs',
    rowsPerCommit: ROWS_PER_COMMIT,
    rowsPerTick: Math.floor(BYTES_PER_TICK / ROW_BYTES),
    callers: 1,
    replica: undefined,
    readerPort: 0,
    ...details,
  }
}

/** In a process and a database of its own. */
export function runJob<Result>(
  context: PostgresContext,
  details: JobDetails,
  steps: Steps<Result>,
): Promise<Result> {
  const table = details.table ?? 'logs'
  return context.server.inDatabase([createTableSql(table)], (url) => runIn(context, url, details, steps))
}

export async function runIn<Result>(
  context: PostgresContext,
  url: string,
  details: JobDetails,
  { onPause, written }: Steps<Result>,
): Promise<Result> {
  const job: PostgresJob = { ...jobOf(context, details), url }
  const { profileFolder } = context
  const result = await runContender<Result>(job, { profileFolder, ...(onPause && { onPause }) })
  const rows = written(result)
  if (rows === undefined) return result
  const { peer, table } = job
  try {
    await verifyRows(url, { table, rows, isOrdered: !listedPostgresPeer(peer).isUnordered })
  } catch (error) {
    throw new Error(`${peer} wrote something else than it was given`, { cause: error })
  }
  return result
}

/** With what the server used meanwhile, which is not noise: between the pauses `warm` and `written`. */
export async function runMeasured<Result extends { readonly usage: Usage }>(
  context: PostgresContext,
  details: JobDetails,
  written: (result: Result) => number | undefined,
): Promise<Result & { readonly serverCpuUs: number | undefined }> {
  const looks: (number | undefined)[] = []
  const onPause = (): void => void looks.push(context.server.readCpuUs())
  const result = await runJob<Result>(context, details, { onPause, written })
  const [before, after] = looks
  const serverCpuUs = before === undefined || after === undefined ? undefined : after - before
  const { usage } = result
  // Who cannot tell the server from the others says nothing of them.
  const othersCpuUs = serverCpuUs === undefined ? NaN : Math.max(0, usage.othersCpuUs - serverCpuUs)
  return { ...result, usage: { ...usage, othersCpuUs }, serverCpuUs }
}
