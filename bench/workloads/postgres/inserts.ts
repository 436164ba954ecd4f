/** Writes so many rows as fast as the contender can, after a warm-up in the same table. */
import type { PostgresJob, Workload } from '../../job.ts'
import { CommitLatency, startMeter, type Usage } from '../../measure.ts'
import { POSTGRES_PEERS } from '../../peers/postgres/index.ts'
import type { Percentiles } from '../../statistics.ts'
import { rowsOf } from './rows.ts'

export interface Inserted {
  readonly usage: Usage
  readonly acceptedToCommittedMs: Percentiles | undefined
}

export const inserts: Workload<Inserted, PostgresJob> = async (job, pause) => {
  const open = await POSTGRES_PEERS[job.peer].load()
  const peer = await open(job.url, rowsOf(job.table), job)
  const latency = new CommitLatency()
  await peer.write(0, job.warmRows, latency)
  latency.reset()
  await pause('warm')
  const stop = startMeter()
  await peer.write(job.warmRows, job.rows, latency)
  const usage = stop()
  await pause('written')
  await peer.close()
  return { usage, acceptedToCommittedMs: latency.summary() }
}
