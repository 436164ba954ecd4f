/** The thread on which the SQL of clients runs: one read-only connection, and one answer to each question. */
import { parentPort, workerData } from 'node:worker_threads'
import { packFailure } from './messages.ts'
import { toReadError } from './classify.ts'
import { ClientQueries } from './client-queries.ts'
import type { QueryLimits, QueryReply, QueryRequest } from './query-messages.ts'

const { path, limits } = workerData as { readonly path: string; readonly limits: QueryLimits }
const queries = new ClientQueries(path, limits)

parentPort?.on('message', ({ id, ...question }: QueryRequest) => {
  let reply: QueryReply
  try {
    reply = { kind: 'answer', id, answer: queries.run(question) }
  } catch (error) {
    reply = { kind: 'failure', id, failure: packFailure(toReadError(error)) }
  }
  parentPort?.postMessage(reply)
})
parentPort?.postMessage({ kind: 'ready' } satisfies QueryReply)
