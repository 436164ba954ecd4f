/** Callers side by side, each with its next insert as soon as the last is committed. */
import type { PostgresJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { POSTGRES_PEERS } from '../../peers/postgres/index.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'
import { rowsOf } from './rows.ts'

const WARM_UP_MS = 300

export interface Called {
  readonly usage: Usage
  readonly rowsPerSecond: number
  readonly waitsMs: Percentiles
  readonly written: number
}

export const callers: Workload<Called, PostgresJob> = async (job, pause) => {
  const open = await POSTGRES_PEERS[job.peer].load()
  const peer = await open(job.url, rowsOf(job.table), job)
  if (!peer.insertOne) throw new Error(`${job.peer} has no way to write a single row`)
  let written = 0
  const callFor = async (roundMs: number, waitsMs: number[]): Promise<void> => {
    const end = performance.now() + roundMs
    const caller = async (): Promise<void> => {
      for (let start = performance.now(); start < end;) {
        await peer.insertOne?.(written++)
        const now = performance.now()
        waitsMs.push(now - start)
        start = now
      }
    }
    await Promise.all(Array.from({ length: job.callers }, caller))
  }
  await callFor(WARM_UP_MS, [])
  const waitsMs: number[] = []
  await pause('warm')
  const stop = startMeter()
  await callFor(job.roundMs, waitsMs)
  const usage = stop()
  await pause('written')
  await peer.close()
  const rowsPerSecond = waitsMs.length / (usage.elapsedMs / 1_000)
  return { usage, rowsPerSecond, waitsMs: percentilesOf(waitsMs), written }
}
