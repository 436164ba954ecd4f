/**
 * Ten million rows, and the memory after each million, with garbage collected before each look: it must
 * stop growing.
 */

import type { Workload } from '../job.ts'
import { CommitLatency } from '../measure.ts'
import { PEERS } from '../peers/index.ts'
import { createRowPool } from './rows.ts'
import { LONG_RUN_STEP } from './sizes.ts'

export interface LongRun {
  readonly residentBytes: readonly number[]
  /** Of the main thread. */
  readonly heapBytes: readonly number[]
  readonly rowsPerSecond: number
}

export const longRun: Workload<LongRun> = async (job) => {
  const open = await PEERS[job.peer].load()
  const peer = await open(job.file, createRowPool(job.rowBytes), job)
  const latency = new CommitLatency()
  const residentBytes: number[] = []
  const heapBytes: number[] = []
  const start = performance.now()
  for (let written = 0; written < job.rows; written += LONG_RUN_STEP) {
    await peer.write(written, Math.min(LONG_RUN_STEP, job.rows - written), latency)
    latency.reset()
    globalThis.gc?.()
    const { rss, heapUsed, external } = process.memoryUsage()
    residentBytes.push(rss)
    heapBytes.push(heapUsed + external)
  }
  const elapsedMs = performance.now() - start
  await peer.close()
  return { residentBytes, heapBytes, rowsPerSecond: (job.rows / elapsedMs) * 1000 }
}
