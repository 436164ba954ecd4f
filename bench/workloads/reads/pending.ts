/**
 * What the index of pending operations costs: so many operations accepted and not committed, because another process
 * holds the write lock. Once into a table with a key, which the index knows, and before that into one without, which
 * it does not: the difference is the index.
 */

import type { ReadJob, Workload } from '../../job.ts'
import { openEngine } from '../../peers/tidemark.ts'
import { nextTurn } from '../../peers/peer.ts'
import type { Item } from '../../peers/reads/peer.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'
import { createRowPool } from '../rows.ts'
import { FIRST_MISSING, keysUpTo, requireItem } from './items.ts'

const BLOCK = 64
const BLOCKS_PER_TURN = 16
const FEW = 1_000
const WARM_UP = 50_000
const LOOK_UPS = 50_000
/** The lock is held for longer than anyone would wait by default. */
const PATIENCE_MS = 120_000

interface Tables {
  items: Item
  keyless: Item
}

export interface LookUps {
  readonly pendingUs: Percentiles
  readonly missingUs: Percentiles
  readonly getUs: Percentiles
}

export interface Accepting {
  /** Of the call: mean of 64 calls in a row, with `insert` as a whole. */
  readonly acceptUs: Percentiles
  /** CPU of the main thread for one operation, from the call until it is settled. */
  readonly mainThreadUs: number
  readonly heapBytes: number
}

export interface Pending {
  readonly keyed: Accepting
  readonly keyless: Accepting
  readonly few: LookUps
  readonly many: LookUps
  readonly written: { readonly items: number; readonly keyless: number }
}

export const pending: Workload<Pending, ReadJob> = async (job, pause) => {
  const rows = createRowPool(job.rowBytes)
  const db = await openEngine<Tables>(job.file, {
    maxOperations: 2 * job.maxOperations,
    maxBytes: 2 ** 40,
    busyTimeoutMs: PATIENCE_MS,
  })
  const next = { items: job.rows + 1, keyless: 1 }

  const fill = async (table: keyof Tables, count: number): Promise<number[]> => {
    const perCallUs: number[] = []
    for (let done = 0; done < count; done += BLOCK) {
      if (done % (BLOCK * BLOCKS_PER_TURN) === 0) await nextTurn()
      const first = next[table]
      // Made before the clock starts: a caller has its rows already.
      const made = Array.from({ length: BLOCK }, (_, offset) => ({
        id: first + offset,
        ...rows.at(first + offset),
      }))
      const start = performance.now()
      for (const row of made) db.insert(table, row)
      perCallUs.push(((performance.now() - start) * 1000) / BLOCK)
      next[table] += BLOCK
    }
    return perCallUs
  }
  const holdBack = async (table: keyof Tables, look: () => Promise<void>): Promise<Accepting> => {
    await db.flush()
    await pause('take the write lock')
    const heapBefore = readHeapBytes()
    const cpuBefore = readCpuUs()
    const acceptUs = await fill(table, job.maxOperations)
    const cpuFilled = readCpuUs() - cpuBefore
    const heapBytes = readHeapBytes() - heapBefore
    await look()
    await pause('release the write lock')
    const cpuReleased = readCpuUs()
    await db.flush()
    const mainThreadUs = (cpuFilled + readCpuUs() - cpuReleased) / job.maxOperations
    return { acceptUs: percentilesOf(acceptUs), mainThreadUs, heapBytes }
  }
  const lookUp = async (): Promise<LookUps> => {
    const pendingCount = db.stats().queued.operations
    const nextPending = keysUpTo(pendingCount)
    const [pendingUs, missingUs, getUs]: number[][] = [[], [], []]
    const timed = (times: number[] | undefined, work: () => unknown): void => {
      const start = performance.now()
      work()
      times?.push((performance.now() - start) * 1000)
    }
    for (let look = 0; look < LOOK_UPS; look++) {
      const id = next.items - nextPending()
      timed(pendingUs, () => {
        if (db.pending('items', { id })?.operations !== 1) throw new Error(`${id} should be pending`)
      })
      timed(missingUs, () => {
        if (db.pending('items', { id: FIRST_MISSING + id })) throw new Error(`${id} should not be pending`)
      })
      const start = performance.now()
      const found = await db.get('items', { id })
      getUs?.push((performance.now() - start) * 1000)
      requireItem(rows, id, found.row)
      if (!found.pending) throw new Error(`${id} should be pending`)
    }
    return {
      pendingUs: percentilesOf(pendingUs ?? []),
      missingUs: percentilesOf(missingUs ?? []),
      getUs: percentilesOf(getUs ?? []),
    }
  }

  await fill('keyless', WARM_UP)
  await fill('items', WARM_UP)
  await db.flush()
  let few: LookUps | undefined
  let many: LookUps | undefined
  const keyless = await holdBack('keyless', async () => undefined)
  await pause('take the write lock')
  await fill('items', FEW)
  few = await lookUp()
  await pause('release the write lock')
  const keyed = await holdBack('items', async () => void (many = await lookUp()))
  await db.close({ timeoutMs: PATIENCE_MS })
  if (!many) throw new Error('nothing was looked up')
  return { keyed, keyless, few, many, written: { items: next.items - 1, keyless: next.keyless - 1 } }
}

function readHeapBytes(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function readCpuUs(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}
