/** Takes so many entries as fast as the contender can, after a warm-up in the same file. */
import type { LogJob, Workload } from '../../job.ts'
import { LOG_PEERS } from '../../peers/logs/index.ts'
import type { Throughput } from '../throughput.ts'
import { timedWrites } from '../timed-writes.ts'
import { EntryPool, POOL_SIZE } from './entries.ts'

export const ingest: Workload<Throughput, LogJob> = async (job, pause) => {
  const open = await LOG_PEERS[job.peer].load()
  const peer = await open(job.file, new EntryPool(POOL_SIZE), job)
  return { ...(await timedWrites(peer, job, pause)), sqliteVersion: peer.sqliteVersion }
}
