/**
 * What one call of `insert` costs its caller. Measured twice, because a clock is as slow as the call:
 * singly (`process.hrtime.bigint` before and after, its own cost included and shown beside it), which
 * sees the tail; and in blocks of 64, whose mean per call is free of the clock.
 */

import type { Workload } from '../job.ts'
import { nextTurn } from '../peers/peer.ts'
import { openEngine } from '../peers/tidemark.ts'
import { percentilesOf, type Percentiles } from '../statistics.ts'
import { createRowPool } from './rows.ts'

const BLOCK = 64
const CALLS_PER_TICK = 512
const MOST_QUEUED = 10_000

export interface InsertCall {
  readonly singleNs: Percentiles
  readonly blockNs: Percentiles
  readonly clockNs: Percentiles
}

export const insertCall: Workload<InsertCall> = async (job) => {
  const rows = createRowPool(job.rowBytes)
  const db = await openEngine(job.file, { maxOperations: 2 * MOST_QUEUED })
  let next = 0
  const insert = (): void => void db.insert('logs', rows.at(next++))
  const nothing = (): void => {}
  // Calls come in ticks with pauses between them, so that the queue never is full.
  const measure = async (call: () => void, calls: number, block: number): Promise<Float64Array> => {
    const perCallNs = new Float64Array(calls / block)
    for (let sample = 0; sample < perCallNs.length; sample++) {
      if ((sample * block) % CALLS_PER_TICK === 0) {
        await nextTurn()
        if (db.stats().queued.operations > MOST_QUEUED) await db.flush()
      }
      const start = process.hrtime.bigint()
      for (let repeat = 0; repeat < block; repeat++) call()
      perCallNs[sample] = Number(process.hrtime.bigint() - start) / block
    }
    return perCallNs
  }
  await measure(insert, job.warmRows, 1)
  const singleNs = await measure(insert, job.rows, 1)
  const blockNs = await measure(insert, job.rows, BLOCK)
  const clockNs = await measure(nothing, job.rows, 1)
  await db.close()
  return {
    singleNs: percentilesOf(singleNs),
    blockNs: percentilesOf(blockNs),
    clockNs: percentilesOf(clockNs),
  }
}
