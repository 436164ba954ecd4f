/** One job of the log benchmark: its file, made by the log store itself, and what it must hold afterwards. */
import { indexedRows } from '../../workloads/logs/indexed.ts'
import { DatabaseSync } from 'node:sqlite'
import { openLogs } from '../../../src/logs/index.ts'
import { sqlite } from '../../../src/stores/sqlite/index.ts'
import type { LogJob } from '../../job.ts'
import type { LogBenchOptions } from '../../options/logs.ts'
import { FIRST_TS } from '../../workloads/rows.ts'
import { EntryPool, POOL_SIZE } from '../../workloads/logs/entries.ts'
import { BYTES_PER_TICK, runInOwnFile, type Context } from '../context.ts'

export type LogContext = Context<LogBenchOptions>

export const MOST_WARM = 20_000

interface Steps<Result> {
  readonly onPause?: (moment: string, file: string) => void | Promise<void>
  readonly check?: (file: string, result: Result) => void
}

export function runLogJob<Result>(
  context: LogContext,
  details: Pick<LogJob, 'workload' | 'peer'> & Partial<LogJob>,
  { onPause, check = () => undefined }: Steps<Result>,
): Promise<Result> {
  const { entries, rowBytes, roundMs } = context.options
  const job: Omit<LogJob, 'file'> = {
    rows: entries,
    warmRows: Math.min(MOST_WARM, entries),
    rowBytes,
    roundMs,
    rowsPerCommit: 100,
    rowsPerTick: Math.floor(BYTES_PER_TICK / rowBytes),
    url: '',
    ...details,
  }
  return runInOwnFile<Result>(context, job, { create, check, ...(onPause && { onPause }) })
}

async function create(file: string): Promise<void> {
  const logs = await openLogs(sqlite(file))
  await logs.close()
}

let pool: EntryPool | undefined

/** Throws unless the table holds entries 0 … `rows - 1` of the pool, once each, in order, whole, and the index too. */
export function verifyEntries(file: string, rows: number): void {
  pool ??= new EntryPool(POOL_SIZE)
  const sizes = Array.from({ length: POOL_SIZE }, (_, n) => {
    const { level, service, message, attributes } = (pool as EntryPool).at(n)
    return level.length + service.length + message.length + JSON.stringify(attributes).length
  })
  let bytes = Math.floor(rows / POOL_SIZE) * sizes.reduce((sum, size) => sum + size, 0)
  for (let n = 0; n < rows % POOL_SIZE; n++) bytes += sizes[n] ?? 0
  expectIn(file, { rows, ids: rows, misplaced: 0, bytes, indexed: rows })
}

/** Throws unless there are so many rows with the ids from 1 on, all in the index. */
export function verifyRowCount(file: string, rows: number): void {
  expectIn(file, { rows, ids: rows, indexed: rows })
}

function expectIn(file: string, expected: Readonly<Record<string, number>>): void {
  const db = new DatabaseSync(file)
  const found = db
    .prepare(
      `SELECT count(*) AS rows, max(id) AS ids,
              coalesce(sum(ts <> ${FIRST_TS} + (id - 1) % ${POOL_SIZE}), 0) AS misplaced,
              sum(length(level) + length(service) + length(message) + length(attributes)) AS bytes
       FROM logs`,
    )
    .get()
  const all = { ...found, indexed: indexedRows(db) } as Record<string, unknown>
  db.close()
  for (const [name, value] of Object.entries(expected)) {
    if (all[name] !== value) throw new Error(`${name} should be ${value}, the file says ${String(all[name])}`)
  }
}
