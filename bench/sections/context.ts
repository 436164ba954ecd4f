/** What all sections of one run share: its options, a folder for databases, and one line of progress. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createDatabase } from '../database.ts'
import type { Job } from '../job.ts'
import type { WriteOptions } from '../options.ts'
import type { PeerName } from '../peers/index.ts'
import { runContender, type RunOptions } from '../processes.ts'

/** What a source hands over at once: a few reads from a socket or a file. */
const BYTES_PER_TICK = 256_000

export interface Context {
  readonly options: WriteOptions
  readonly folder: string
  readonly profileFolder: string | undefined
  readonly isListed: (peer: PeerName) => boolean
  readonly print: (text: string) => void
  readonly progress: (text: string) => void
}

export type JobDetails = Pick<Job, 'workload' | 'peer'> & Partial<Job>

/** Runs one job in a process and a file of its own; `check` looks at the file when the process is gone. */
export async function runJob<Result>(
  context: Context,
  details: JobDetails,
  steps: {
    readonly onPause?: (moment: string, file: string) => void
    readonly check: (file: string, result: Result) => void
    readonly nodeOptions?: readonly string[]
  },
): Promise<Result> {
  const file = join(context.folder, 'bench.db')
  const rowBytes = details.rowBytes ?? context.options.rowBytes
  const job: Job = {
    file,
    rowBytes,
    rows: context.options.rows,
    warmRows: 0,
    roundMs: 0,
    rowsPerCommit: 1_000,
    rowsPerStatement: 50,
    rowsPerTick: Math.max(1, Math.floor(BYTES_PER_TICK / rowBytes)),
    ...details,
  }
  createDatabase(file)
  const { onPause, check, nodeOptions = [] } = steps
  const options: RunOptions = { profileFolder: context.profileFolder, nodeOptions }
  try {
    const result = await runContender<Result>(job, {
      ...options,
      ...(onPause && { onPause: (moment: string) => onPause(moment, file) }),
    })
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
