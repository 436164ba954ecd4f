/**
 * What a full queue costs: 10,000 rows of unshared strings, accepted and not committed, with nobody
 * holding their receipts.
 *
 * Twice: in one tick, so that everything is still in the main thread's heap; and while another process
 * holds the write lock, so that what was sent to the worker counts too. The heap is compared with the same
 * engine idle; resident memory, which includes the worker's, with the engine before its first row.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Workload } from '../job.ts'
import { openEngine, tryInsert } from '../peers/tidemark.ts'
import { copyRow, createRowPool } from './rows.ts'

const SETTLE_MS = 300

export interface FullQueue {
  readonly inOneTickHeapBytes: number
  readonly heldBackHeapBytes: number
  readonly heldBackResidentBytes: number
  readonly written: number
}

export const fullQueue: Workload<FullQueue> = async (job, pause) => {
  const rows = createRowPool(job.rowBytes)
  const db = await openEngine(job.file, { maxOperations: job.rows })
  let written = 0
  const fill = (): void => {
    while (!db.isFull && tryInsert(db, copyRow(rows.at(written)))) written++
  }
  readHeapBytes()
  const residentBefore = process.memoryUsage.rss()
  // The warm-up fills the queue as well: code, buffers and the worker's heap have their size then.
  for (let round = 0; round < 3; round++) {
    fill()
    await db.flush()
    await sleep(SETTLE_MS)
  }

  const heapBefore = readHeapBytes()
  fill()
  const inOneTickHeapBytes = readHeapBytes() - heapBefore
  await db.flush()
  await sleep(SETTLE_MS)

  await pause('take the write lock')
  const heldBefore = readHeapBytes()
  fill()
  await sleep(SETTLE_MS)
  const heldBackHeapBytes = readHeapBytes() - heldBefore
  const heldBackResidentBytes = process.memoryUsage.rss() - residentBefore
  await pause('release the write lock')
  await db.close()
  return { inOneTickHeapBytes, heldBackHeapBytes, heldBackResidentBytes, written }
}

/** Collects twice: the first pass may only queue what finalizers free. */
function readHeapBytes(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
