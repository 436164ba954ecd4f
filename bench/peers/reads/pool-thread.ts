/** A thread of the pool: one connection, statements prepared once, rows as the driver gives them. */

import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { CACHE_BYTES } from '../peer.ts'

export interface PoolRequest {
  readonly kind: 'query'
  readonly sql: string
  readonly parameters: readonly unknown[]
}

export type PoolReply =
  | { readonly kind: 'answer'; readonly answer: { readonly rows: unknown[]; readonly changes: number } }
  | { readonly kind: 'failure'; readonly message: string }

const database = new DatabaseSync(String(workerData), { readOnly: true })
database.exec(`PRAGMA cache_size = ${-CACHE_BYTES / 4 / 1024}`)
const prepared = new Map<string, StatementSync>()

parentPort?.on('message', ({ sql, parameters }: PoolRequest) =>
  parentPort?.postMessage(answer(sql, parameters)),
)

function answer(sql: string, parameters: readonly unknown[]): PoolReply {
  try {
    let statement = prepared.get(sql)
    if (!statement) prepared.set(sql, (statement = database.prepare(sql)))
    const rows = statement.all(...(parameters as SQLInputValue[]))
    return { kind: 'answer', answer: { rows, changes: 0 } }
  } catch (error) {
    return { kind: 'failure', message: String(error) }
  }
}
