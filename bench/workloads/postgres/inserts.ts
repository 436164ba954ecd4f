/** Writes so many rows as fast as the contender can, after a warm-up in the same table. */
import type { PostgresJob, Workload } from '../../job.ts'
import { POSTGRES_PEERS } from '../../peers/postgres/index.ts'
import { timedWrites, type TimedWrites } from '../timed-writes.ts'
import { rowsOf } from './rows.ts'

export const inserts: Workload<TimedWrites, PostgresJob> = async (job, pause) => {
  const open = await POSTGRES_PEERS[job.peer].load()
  return await timedWrites(await open(job.url, rowsOf(job.table), job), job, pause)
}
