/** Writes so many rows as fast as the contender can, after a warm-up in the same file. */

import type { Workload } from '../job.ts'
import { PEERS } from '../peers/index.ts'
import { createRowPool } from './rows.ts'
import { timedWrites, type TimedWrites } from './timed-writes.ts'

export interface Throughput extends TimedWrites {
  readonly sqliteVersion: string
}

export const throughput: Workload<Throughput> = async (job, pause) => {
  const open = await PEERS[job.peer].load()
  const peer = await open(job.file, createRowPool(job.rowBytes), job)
  return { ...(await timedWrites(peer, job, pause)), sqliteVersion: peer.sqliteVersion }
}
