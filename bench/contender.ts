/**
 * The process of one contender: takes one job, runs it, reports, ends.
 *
 *   parent ──job──▶ child ──{ paused }──▶ parent looks at the file ──go──▶ child … ──{ result }──▶ ends
 *
 * One process a job, because two SQLite libraries must never have one file open in one process, and
 * because heap and JIT of one contender must not be those of another.
 */

import type { Job, Workload, WorkloadName } from './job.ts'

const WORKLOADS: Record<WorkloadName, () => Promise<Workload<unknown>>> = {
  throughput: async () => (await import('./workloads/throughput.ts')).throughput,
  'statement-size': async () => (await import('./workloads/statement-size.ts')).statementSize,
  'insert-call': async () => (await import('./workloads/insert-call.ts')).insertCall,
  'lone-write': async () => (await import('./workloads/lone-write.ts')).loneWrite,
  'awaiting-callers': async () => (await import('./workloads/awaiting-callers.ts')).awaitingCallers,
  'full-queue': async () => (await import('./workloads/full-queue.ts')).fullQueue,
  'long-run': async () => (await import('./workloads/long-run.ts')).longRun,
}

let isDone = false

process.once('message', (message) => void run(message as Job))
// A benchmark that was stopped takes its contender with it.
process.once('disconnect', () => {
  if (!isDone) process.exit(1)
})

async function run(job: Job): Promise<void> {
  const workload = await WORKLOADS[job.workload]()
  const result = await workload(job, pause)
  isDone = true
  process.send?.({ result }, () => process.disconnect())
}

function pause(moment: string): Promise<void> {
  return new Promise((resolve) => {
    process.once('message', () => resolve())
    process.send?.({ paused: moment })
  })
}
