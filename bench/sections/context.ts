/** What all sections of one run share: its options, a folder for databases, and one line of progress. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createDatabase } from '../database.ts'
import type { Job, LiveJob, LogJob, ReadJob } from '../job.ts'
import type { CommonOptions } from '../options/parse.ts'
import type { WriteOptions } from '../options/writes.ts'
import { runContender } from '../processes.ts'

/** What a source hands over at once: a few reads from a socket or a file. */
export const BYTES_PER_TICK = 256_000

export interface Context<Options extends CommonOptions = WriteOptions> {
  readonly options: Options
  readonly folder: string
  readonly profileFolder: string | undefined
  readonly isListed: (peer: string) => boolean
  readonly print: (text: string) => void
  readonly progress: (text: string) => void
}

export type JobDetails = Pick<Job, 'workload' | 'peer'> & Partial<Job>

/** What the benchmark does to the file of a job, before, during and after it. */
interface Steps<Result> {
  readonly create?: (file: string) => void | Promise<void>
  readonly onPause?: (moment: string, file: string) => void | Promise<void>
  readonly check: (file: string, result: Result) => void
  readonly nodeOptions?: readonly string[]
}

export function runJob<Result>(context: Context, details: JobDetails, steps: Steps<Result>): Promise<Result> {
  const rowBytes = details.rowBytes ?? context.options.rowBytes
  const job: Omit<Job, 'file'> = {
    rowBytes,
    rows: context.options.rows,
    warmRows: 0,
    roundMs: 0,
    rowsPerCommit: 1_000,
    rowsPerStatement: 50,
    rowsPerTick: Math.max(1, Math.floor(BYTES_PER_TICK / rowBytes)),
    ...details,
  }
  return runInOwnFile(context, job, steps)
}

/** Runs one job in a process and a file of its own; `check` looks at the file when the process is gone. */
export async function runInOwnFile<Result>(
  { folder, profileFolder }: Pick<Context, 'folder' | 'profileFolder'>,
  job: Omit<Job, 'file'> | Omit<ReadJob, 'file'> | Omit<LogJob, 'file'> | Omit<LiveJob, 'file'>,
  { create = createDatabase, onPause, check, nodeOptions = [] }: Steps<Result>,
): Promise<Result> {
  const file = join(folder, 'bench.db')
  await create(file)
  try {
    const result = await runContender<Result>(
      { ...job, file },
      {
        profileFolder,
        nodeOptions,
        ...(onPause && { onPause: (moment: string) => onPause(moment, file) }),
      },
    )
    try {
      check(file, result)
    } catch (error) {
      throw new Error(`${job.peer} wrote something else than it was given`, { cause: error })
    }
    return result
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
  }
}
