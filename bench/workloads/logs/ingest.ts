/** Takes so many entries as fast as the contender can, after a warm-up in the same file. */
import type { LogJob, Workload } from '../../job.ts'
import { CommitLatency, startMeter } from '../../measure.ts'
import { LOG_PEERS } from '../../peers/logs/index.ts'
import type { Throughput } from '../throughput.ts'
import { EntryPool, POOL_SIZE } from './entries.ts'

export const ingest: Workload<Throughput, LogJob> = async (job, pause) => {
  const open = await LOG_PEERS[job.peer].load()
  const peer = await open(job.file, new EntryPool(POOL_SIZE), job)
  const latency = new CommitLatency()
  await peer.write(0, job.warmRows, latency)
  latency.reset()
  await pause('warm')
  const stop = startMeter()
  await peer.write(job.warmRows, job.rows, latency)
  const usage = stop()
  await pause('written')
  await peer.close()
  return { sqliteVersion: peer.sqliteVersion, usage, acceptedToCommittedMs: latency.summary() }
}
