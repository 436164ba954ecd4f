/**
 * Reads by key from the call to the answer, with no other work of the main thread in between: on an idle
 * contender, then between the chunks of a writer at full rate, so that its operations are pending and commits land.
 */

import type { ReadJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { nextTurn } from '../../peers/peer.ts'
import { READ_PEERS } from '../../peers/reads/index.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'
import { createRowPool } from '../rows.ts'
import { FIRST_MISSING, keysUpTo, requireItem } from './items.ts'

export type KeyKind = 'committed' | 'pending' | 'missing'

export interface GetTimes {
  readonly us: Partial<Record<KeyKind, Percentiles>>
  readonly rowsPerSecond: number
  readonly usage: Usage
}

export interface Get {
  readonly idle: GetTimes
  readonly fullRate: GetTimes
  readonly clockUs: Percentiles
  readonly writtenItems: number
}

const READS_PER_TURN = 16
const WARM_UP_MS = 300
const CLOCK_READS = 100_000

export const get: Workload<Get, ReadJob> = async (job) => {
  const rows = createRowPool(job.rowBytes)
  const open = await READ_PEERS[job.peer].load()
  const peer = await open(job.file, rows, job)
  const nextKey = keysUpTo(job.rows)
  let writtenItems = 0

  const measure = async (roundMs: number, chunk: number): Promise<GetTimes> => {
    const timesUs: Record<KeyKind, number[]> = { committed: [], pending: [], missing: [] }
    const before = writtenItems
    const readOne = async (id: number, isThere: boolean): Promise<void> => {
      const start = performance.now()
      const answer = peer.get?.(id)
      const found = answer instanceof Promise ? await answer : answer
      const tookUs = (performance.now() - start) * 1000
      if (isThere) requireItem(rows, id, found?.row)
      else if (found?.row !== undefined) throw new Error(`row ${id} was never written`)
      timesUs[isThere ? (found?.pending ? 'pending' : 'committed') : 'missing'].push(tookUs)
    }
    const stop = startMeter()
    for (const start = performance.now(); performance.now() - start < roundMs; await nextTurn()) {
      if (chunk > 0) {
        await peer.writeItems?.(job.rows + 1 + writtenItems, chunk)
        writtenItems += chunk
      }
      for (let read = 0; read < READS_PER_TURN; read++) {
        await readOne(nextKey(), true)
        await readOne(FIRST_MISSING + nextKey(), false)
        // Among the newest: what of them is pending, the answer says.
        if (chunk > 0) await readOne(job.rows + writtenItems - (nextKey() % chunk), true)
      }
    }
    await peer.flush?.()
    const usage = stop()
    const us = Object.entries(timesUs).filter(([, times]) => times.length > 0)
    return {
      us: Object.fromEntries(us.map(([kind, times]) => [kind, percentilesOf(times)])),
      rowsPerSecond: (writtenItems - before) / (usage.elapsedMs / 1000),
      usage,
    }
  }

  await measure(WARM_UP_MS, 0)
  const idle = await measure(job.roundMs, 0)
  await measure(WARM_UP_MS, job.rowsPerChunk)
  const fullRate = await measure(job.roundMs, job.rowsPerChunk)
  await peer.close()
  return { idle, fullRate, clockUs: readClock(), writtenItems }
}

/** What is part of every figure. */
function readClock(): Percentiles {
  const timesUs = Array.from({ length: CLOCK_READS }, () => {
    const start = performance.now()
    return (performance.now() - start) * 1000
  })
  return percentilesOf(timesUs)
}
