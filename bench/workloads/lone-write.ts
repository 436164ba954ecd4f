/** One write at a time on an idle contender: the time until the caller knows that its row is committed. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Workload } from '../job.ts'
import { PEERS } from '../peers/index.ts'
import { percentilesOf, type Percentiles } from '../statistics.ts'
import { createRowPool } from './rows.ts'
import { LONE_WARM_UP } from './sizes.ts'

const IDLE_MS = 2

export const loneWrite: Workload<Percentiles> = async (job) => {
  const open = await PEERS[job.peer].load()
  const peer = await open(job.file, createRowPool(job.rowBytes), job)
  if (!peer.insertOne) throw new Error(`${job.peer} has no way to write a single row`)
  const waitsMs: number[] = []
  for (let index = 0; index < LONE_WARM_UP + job.rows; index++) {
    await sleep(IDLE_MS)
    const start = performance.now()
    await peer.insertOne(index)
    if (index >= LONE_WARM_UP) waitsMs.push(performance.now() - start)
  }
  await peer.close()
  return percentilesOf(waitsMs)
}
