/**
 * The process of one contender: takes one job, runs it, reports, ends.
 *
 *   parent ──job──▶ child ──{ paused }──▶ parent looks at what it wrote ──go──▶ child … ──{ result }──▶ ends
 *
 * One process a job, because two SQLite libraries must never have one file open in one process, and
 * because heap and JIT of one contender must not be those of another.
 */

import type { BenchJob, Workload, WorkloadName } from './job.ts'

/** Each takes the job of its own command; which one that is, the job's sender has seen to. */
const WORKLOADS: Record<WorkloadName, () => Promise<Workload<unknown, never>>> = {
  throughput: async () => (await import('./workloads/throughput.ts')).throughput,
  'statement-size': async () => (await import('./workloads/statement-size.ts')).statementSize,
  'insert-call': async () => (await import('./workloads/insert-call.ts')).insertCall,
  'lone-write': async () => (await import('./workloads/lone-write.ts')).loneWrite,
  'awaiting-callers': async () => (await import('./workloads/awaiting-callers.ts')).awaitingCallers,
  'full-queue': async () => (await import('./workloads/full-queue.ts')).fullQueue,
  'long-run': async () => (await import('./workloads/long-run.ts')).longRun,
  'reads/lone-session': async () => (await import('./workloads/reads/lone-session.ts')).loneSession,
  'reads/full-rate': async () => (await import('./workloads/reads/full-rate.ts')).fullRate,
  'reads/get': async () => (await import('./workloads/reads/get.ts')).get,
  'reads/eventual': async () => (await import('./workloads/reads/eventual.ts')).eventual,
  'reads/pending': async () => (await import('./workloads/reads/pending.ts')).pending,
  'logs/ingest': async () => (await import('./workloads/logs/ingest.ts')).ingest,
  'logs/serve': async () => (await import('./workloads/logs/serve.ts')).serveLogs,
  'logs/post': async () => (await import('./workloads/logs/post.ts')).post,
  'logs/search': async () => (await import('./workloads/logs/search.ts')).searchLogs,
  'logs/tail': async () => (await import('./workloads/logs/tail.ts')).tailLogs,
  'postgres/inserts': async () => (await import('./workloads/postgres/inserts.ts')).inserts,
  'postgres/fence': async () => (await import('./workloads/postgres/fence.ts')).fenced,
  'postgres/one-caller': async () => (await import('./workloads/postgres/one-caller.ts')).oneCaller,
  'postgres/callers': async () => (await import('./workloads/postgres/callers.ts')).callers,
  'postgres/reader': async () => (await import('./workloads/postgres/reader.ts')).reader,
  'postgres/read-back': async () => (await import('./workloads/postgres/read-back.ts')).readBack,
  'effects/drain': async () => (await import('./workloads/effects/drain.ts')).enqueueAndDrain,
  'effects/callers': async () => (await import('./workloads/effects/callers.ts')).callers,
  'effects/idle': async () => (await import('./workloads/effects/idle.ts')).idle,
  'effects/sender': async () => (await import('./workloads/effects/idle.ts')).sender,
  'effects/handler': async () => (await import('./workloads/effects/idle.ts')).handler,
  'effects/writes': async () => (await import('./workloads/effects/writes.ts')).writes,
  'live/change': async () => (await import('./workloads/live/change.ts')).change,
  'live/memory': async () => (await import('./workloads/live/memory.ts')).hold,
  'live/pipeline': async () => (await import('./workloads/live/pipeline.ts')).pipeline,
}

let isDone = false

process.once('message', (message) => void run(message as BenchJob))
// A benchmark that was stopped takes its contender with it.
process.once('disconnect', () => {
  if (!isDone) process.exit(1)
})

async function run(job: BenchJob): Promise<void> {
  const workload = await WORKLOADS[job.workload]()
  const result = await workload(job as never, pause)
  isDone = true
  process.send?.({ result }, () => process.disconnect())
}

function pause(moment: string): Promise<void> {
  return new Promise((resolve) => {
    process.once('message', () => resolve())
    process.send?.({ paused: moment })
  })
}
