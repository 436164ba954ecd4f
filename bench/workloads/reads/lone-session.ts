/** One session at a time on an idle contender: it writes one row, and reads it back. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { ReadJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { READ_PEERS } from '../../peers/reads/index.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'
import { createRowPool } from '../rows.ts'
import { FIRST_WRITTEN, requireItem } from './items.ts'

const IDLE_MS = 2
const WARM_UP = 100

export interface LoneSession {
  readonly usage: Usage
  readonly fromCallMs: Percentiles
  readonly writtenItems: number
}

export const loneSession: Workload<LoneSession, ReadJob> = async (job) => {
  const rows = createRowPool(job.rowBytes)
  const open = await READ_PEERS[job.peer].load()
  const peer = await open(job.file, rows, job)
  let next = FIRST_WRITTEN
  const once = async (): Promise<number> => {
    await sleep(IDLE_MS)
    const id = next++
    const start = performance.now()
    const item = await peer.writeAndRead?.(id)
    const tookMs = performance.now() - start
    requireItem(rows, id, item)
    return tookMs
  }
  for (let warm = 0; warm < WARM_UP; warm++) await once()
  const waitsMs: number[] = []
  const stop = startMeter()
  for (const start = performance.now(); performance.now() - start < job.roundMs;) waitsMs.push(await once())
  const usage = stop()
  await peer.close()
  return { usage, fromCallMs: percentilesOf(waitsMs), writtenItems: next - FIRST_WRITTEN }
}
