/** What memory a full queue takes, and whether memory stays flat over ten million rows. */

import { DatabaseSync } from 'node:sqlite'
import { verifyRows } from '../database.ts'
import { megabytes, whole } from '../report/format.ts'
import { heading, table } from '../report/table.ts'
import type { FullQueue } from '../workloads/full-queue.ts'
import type { LongRun } from '../workloads/long-run.ts'
import { LONG_RUN_STEP } from '../workloads/sizes.ts'
import { runJob, type Context } from './context.ts'

export const QUEUED_OPERATIONS = 10_000
const LONG_RUN_ROWS = 10_000_000
/** V8 doubles a thread's nursery when it sees fit, by 33 MB a step, which would hide what the engine keeps. */
const FIXED_NURSERIES = ['--max-semi-space-size=16']

export interface Memory {
  readonly fullQueue: FullQueue
  readonly longRun: LongRun | undefined
}

export async function measureMemory(context: Context): Promise<Memory | undefined> {
  if (!context.isListed('tidemark')) return undefined
  const fullQueue = await measureFullQueue(context)
  context.print(
    heading(`A queue full of ${whole(QUEUED_OPERATIONS)} operations of ${context.options.rowBytes} bytes`),
  )
  context.print(
    table(
      ['', 'MB'],
      [
        ['heap and external, filled in one tick', megabytes(fullQueue.inOneTickHeapBytes)],
        ['heap and external, commits held back', megabytes(fullQueue.heldBackHeapBytes)],
        ['resident, against before the first row', megabytes(fullQueue.heldBackResidentBytes)],
      ],
    ),
  )
  const longRun = context.options.long ? await measureLongRun(context) : undefined
  return { fullQueue, longRun }
}

async function measureFullQueue(context: Context): Promise<FullQueue> {
  context.progress('a full queue')
  let lock: DatabaseSync | undefined
  return runJob<FullQueue>(
    context,
    { workload: 'full-queue', peer: 'tidemark', rows: QUEUED_OPERATIONS },
    {
      onPause: (moment, file) => {
        if (moment === 'take the write lock') {
          lock = new DatabaseSync(file)
          lock.exec('BEGIN IMMEDIATE')
        } else {
          lock?.exec('ROLLBACK')
          lock?.close()
        }
      },
      check: (file, { written }) => verifyRows(file, written, context.options.rowBytes),
    },
  )
}

async function measureLongRun(context: Context): Promise<LongRun> {
  context.progress(`${whole(LONG_RUN_ROWS)} rows`)
  const result = await runJob<LongRun>(
    context,
    { workload: 'long-run', peer: 'tidemark', rows: LONG_RUN_ROWS },
    {
      check: (file) => verifyRows(file, LONG_RUN_ROWS, context.options.rowBytes),
      nodeOptions: FIXED_NURSERIES,
    },
  )
  context.print(heading(`${whole(LONG_RUN_ROWS)} rows at ${whole(result.rowsPerSecond)} rows/s`))
  context.print('After each million, garbage collected, nurseries held at 16 MB; heap: of the main thread.')
  const lines = result.residentBytes.map((bytes, step) => [
    whole((step + 1) * LONG_RUN_STEP),
    megabytes(bytes),
    megabytes(result.heapBytes[step]),
  ])
  context.print(table(['rows', 'resident MB', 'heap MB'], lines))
  return result
}
