/**
 * A process that runs the SQL of clients, on a thread of its own.
 *
 * The thread may be deep inside SQLite for as long as it likes. This one only passes messages on, so that it notices
 * when the process that asks is gone, however it went, and ends with it.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { QueryLimits, QueryReply, QueryRequest } from './query-messages.ts'

const [path = '', limits = '{}'] = process.argv.slice(2)
const { maxHeapMb } = JSON.parse(limits) as QueryLimits

const worker = new Worker(new URL(`./worker-query${extname(import.meta.url)}`, import.meta.url), {
  workerData: { path, limits: JSON.parse(limits) as QueryLimits },
  resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
  env: {},
})

process.on('message', (request: QueryRequest) => worker.postMessage(request))
worker.on('message', (reply: QueryReply) => process.send?.(reply))
worker.on('error', (error) => {
  process.send?.({ kind: 'dead', message: error instanceof Error ? error.message : String(error) })
})

// A signal to the whole group, as Ctrl-C is one, is for the process that asks: it drains, and needs this one till then.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
