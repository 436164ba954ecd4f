/** Callers side by side, each with its next item as soon as the last is committed. Nobody handles them. */
import type { EffectsJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { EFFECTS_PEERS } from '../../peers/effects/index.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'

const WARM_UP_MS = 500

export interface Called {
  readonly usage: Usage
  readonly waitsMs: Percentiles
}

export const callers: Workload<Called, EffectsJob> = async (job, pause) => {
  const open = await EFFECTS_PEERS[job.peer].load()
  const peer = await open(job.address)
  let enqueued = 0
  const callFor = async (roundMs: number): Promise<readonly number[]> => {
    const waitsMs: number[] = []
    const end = performance.now() + roundMs
    const caller = async (): Promise<void> => {
      for (let start = performance.now(); start < end;) {
        await peer.enqueueOne(enqueued++)
        const now = performance.now()
        waitsMs.push(now - start)
        start = now
      }
    }
    await Promise.all(Array.from({ length: job.callers }, caller))
    return waitsMs
  }
  await callFor(WARM_UP_MS)
  await pause('warm')
  const stop = startMeter()
  const waitsMs = await callFor(job.roundMs)
  const usage = stop()
  await pause('written')
  const held = await peer.unfinished()
  if (held !== enqueued) throw new Error(`${enqueued} items were enqueued, the queue holds ${held}`)
  await peer.close()
  return { usage, waitsMs: percentilesOf(waitsMs) }
}
