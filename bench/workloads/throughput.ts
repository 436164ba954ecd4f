/** Writes so many rows as fast as the contender can, after a warm-up in the same file. */

import type { Workload } from '../job.ts'
import { CommitLatency, startMeter, type Usage } from '../measure.ts'
import { PEERS } from '../peers/index.ts'
import type { Percentiles } from '../statistics.ts'
import { createRowPool } from './rows.ts'

export interface Throughput {
  readonly sqliteVersion: string
  readonly usage: Usage
  readonly acceptedToCommittedMs: Percentiles | undefined
}

export const throughput: Workload<Throughput> = async (job, pause) => {
  const open = await PEERS[job.peer].load()
  const peer = await open(job.file, createRowPool(job.rowBytes), job)
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
