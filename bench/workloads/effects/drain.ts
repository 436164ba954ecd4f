/** Items are taken many a call, without anybody who does them; then they are done, as fast as the contender can. */
import type { EffectsJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { EFFECTS_PEERS } from '../../peers/effects/index.ts'
import { drain, type Drained } from './drained.ts'
import { isDelayed } from './items.ts'

/** What waits may be handled so long after the draining has begun, or a little later. */
const DUE_AFTER_MS = 1_000

export interface EnqueuedAndDrained {
  readonly enqueued: Usage
  readonly drained: Drained
}

export const enqueueAndDrain: Workload<EnqueuedAndDrained, EffectsJob> = async (job, pause) => {
  const open = await EFFECTS_PEERS[job.peer].load()
  const peer = await open(job.address)
  const warmUp = { first: 0, count: job.warmRows }
  const warmMs = performance.now()
  await peer.enqueue(warmUp.first, warmUp.count)
  const msPerItem = (performance.now() - warmMs) / job.warmRows
  await drain(peer, warmUp)

  await pause('warm')
  const due = Date.now() + job.rows * msPerItem + DUE_AFTER_MS
  const dueAt = job.isUneven ? (id: number) => (isDelayed(id) ? due : undefined) : undefined
  const queued = { first: job.warmRows, count: job.rows, ...(dueAt && { dueAt }) }
  const stop = startMeter()
  await peer.enqueue(queued.first, queued.count, dueAt)
  const enqueued = stop()
  await pause('enqueued')
  const drained = await drain(peer, queued)
  await pause('drained')
  await peer.close()
  return { enqueued, drained }
}
