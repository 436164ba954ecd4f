/** Many jobs with their parts in memory: what they take, and how long it takes to get them there and to let them go. */
import type { LiveJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { HOLDERS, type HolderName } from '../../peers/live/index.ts'

const WARM_UP = 500

export interface Held {
  readonly opening: Usage
  readonly closing: Usage
  readonly heapBytes: number
  readonly residentBytes: number
  /** What the engine counts against its limit. */
  readonly countedBytes: number | undefined
  /** Of the heap, what is still taken when all were let go. */
  readonly leftBytes: number
}

export const hold: Workload<Held, LiveJob> = async (job) => {
  const openHolder = await HOLDERS[job.peer as HolderName].load()
  const holder = await openHolder(job.file)
  await holder.open(0, WARM_UP)
  await holder.letGo()
  const before = readMemory()
  const stopOpening = startMeter()
  await holder.open(0, job.rows)
  const opening = stopOpening()
  const held = readMemory()
  const countedBytes = holder.countedBytes?.()
  const stopClosing = startMeter()
  await holder.letGo()
  const closing = stopClosing()
  const after = readMemory()
  await holder.close()
  return {
    opening,
    closing,
    heapBytes: held.heapBytes - before.heapBytes,
    residentBytes: held.residentBytes - before.residentBytes,
    countedBytes,
    leftBytes: after.heapBytes - before.heapBytes,
  }
}

function readMemory(): { readonly heapBytes: number; readonly residentBytes: number } {
  // What a first pass finds, finalizers let go of in the second.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heapBytes: heapUsed + external, residentBytes: rss }
}
