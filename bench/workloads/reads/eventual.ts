/** Many callers side by side, each with its next read as soon as it has the last: single rows, then small ranges. */

import type { ReadJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { nextTurn } from '../../peers/peer.ts'
import { READ_PEERS } from '../../peers/reads/index.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'
import { createRowPool } from '../rows.ts'
import { keysUpTo, requireItem } from './items.ts'

export const RANGE_ROWS = 20
const WARM_UP_MS = 400
/** A contender that blocks lets the event loop turn after so many reads of one caller. */
const READS_PER_TURN = 16

export interface ReadRate {
  readonly perSecond: number
  readonly ms: Percentiles
  readonly usage: Usage
}

export interface Eventual {
  readonly point: ReadRate
  readonly range: ReadRate
}

export const eventual: Workload<Eventual, ReadJob> = async (job) => {
  const rows = createRowPool(job.rowBytes)
  const open = await READ_PEERS[job.peer].load()
  const peer = await open(job.file, rows, job)
  const nextKey = keysUpTo(job.rows - RANGE_ROWS)

  const readPoint = async (): Promise<void> => {
    const id = nextKey()
    const answer = peer.read?.(id)
    requireItem(rows, id, answer instanceof Promise ? await answer : answer)
  }
  const readRange = async (): Promise<void> => {
    const first = nextKey()
    const answer = peer.readRange?.(first, RANGE_ROWS)
    const items = (answer instanceof Promise ? await answer : answer) ?? []
    if (items.length !== RANGE_ROWS) throw new Error(`${items.length} rows from ${first} on`)
    requireItem(rows, first, items[0])
    requireItem(rows, first + RANGE_ROWS - 1, items.at(-1))
  }
  const measure = async (read: () => Promise<void>, roundMs: number): Promise<ReadRate> => {
    const waitsMs: number[] = []
    const stop = startMeter()
    const start = performance.now()
    const call = async (): Promise<void> => {
      for (let reads = 1; performance.now() - start < roundMs; reads++) {
        const calledMs = performance.now()
        await read()
        waitsMs.push(performance.now() - calledMs)
        if (job.isBlocking && reads % READS_PER_TURN === 0) await nextTurn()
      }
    }
    await Promise.all(Array.from({ length: job.callers }, call))
    const usage = stop()
    return { perSecond: waitsMs.length / (usage.elapsedMs / 1000), ms: percentilesOf(waitsMs), usage }
  }

  await measure(readPoint, WARM_UP_MS)
  await measure(readRange, WARM_UP_MS)
  const point = await measure(readPoint, job.roundMs)
  const range = await measure(readRange, job.roundMs)
  await peer.close()
  return { point, range }
}
