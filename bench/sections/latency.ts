/** What a caller waits: in the call itself, for a lone write, and beside fifteen others. */

import { verifyCount, verifyRows } from '../database.ts'
import { decimal, times, whole } from '../report/format.ts'
import { heading, table } from '../report/table.ts'
import type { PeerName } from '../peers/index.ts'
import type { Percentiles } from '../statistics.ts'
import type { AwaitingCallers } from '../workloads/awaiting-callers.ts'
import type { InsertCall } from '../workloads/insert-call.ts'
import { CALLERS, LONE_WARM_UP } from '../workloads/sizes.ts'
import { runJob, type Context } from './context.ts'

export interface Latencies {
  readonly insertCall: InsertCall | undefined
  readonly loneWriteMs: Partial<Record<PeerName, Percentiles>>
  readonly callers: AwaitingCallers | undefined
}

const LONE_WRITERS: readonly PeerName[] = ['tidemark', 'better-sqlite3/autocommit', 'kysely/single']
const CALLS = 2 ** 18
const LONE_WRITES = 500

export async function measureLatencies(context: Context): Promise<Latencies> {
  const share = context.options.quick ? 4 : 1
  const hasOurs = context.isListed('tidemark')
  const insertCall = hasOurs ? await measureCall(context, CALLS / share) : undefined
  const callers = hasOurs ? await measureCallers(context, 1_000 / share) : undefined
  const loneWriteMs: Partial<Record<PeerName, Percentiles>> = {}
  for (const peer of LONE_WRITERS.filter(context.isListed)) {
    context.progress(`lone writes: ${peer}`)
    loneWriteMs[peer] = await runJob<Percentiles>(
      context,
      { workload: 'lone-write', peer, rows: LONE_WRITES / share },
      { check: (file, waits) => verifyRows(file, waits.samples + LONE_WARM_UP, context.options.rowBytes) },
    )
  }
  const latencies = { insertCall, loneWriteMs, callers }
  printLatencies(context, latencies)
  return latencies
}

function measureCall(context: Context, calls: number): Promise<InsertCall> {
  context.progress('one call of insert')
  return runJob<InsertCall>(
    context,
    { workload: 'insert-call', peer: 'tidemark', rows: calls, warmRows: calls },
    { check: (file) => verifyRows(file, 3 * calls, context.options.rowBytes) },
  )
}

function measureCallers(context: Context, roundMs: number): Promise<AwaitingCallers> {
  context.progress(`one caller and ${CALLERS}`)
  return runJob<AwaitingCallers>(
    context,
    { workload: 'awaiting-callers', peer: 'tidemark', roundMs },
    { check: (file, { written }) => verifyCount(file, written) },
  )
}

function printLatencies(context: Context, { insertCall, loneWriteMs, callers }: Latencies): void {
  if (insertCall) {
    const line = (name: string, ns: Percentiles): string[] => [
      name,
      ...[ns.p50, ns.p99, ns.max].map((value) => decimal(value / 1000, 3)),
      whole(ns.samples),
    ]
    context.print(heading('One call of insert, without waiting'))
    context.print(
      table(
        ['microseconds', 'p50', 'p99', 'max', 'samples'],
        [
          line('each call timed (the clock included)', insertCall.singleNs),
          line('mean of 64 calls in a row', insertCall.blockNs),
          line('the clock alone', insertCall.clockNs),
        ],
      ),
    )
  }
  const lone = Object.entries(loneWriteMs)
  if (lone.length > 0) {
    const line = ([peer, ms]: [string, Percentiles]): string[] => [
      peer,
      ...[ms.p50, ms.p99, ms.max].map((value) => decimal(value, 3)),
      whole(ms.samples),
    ]
    context.print(heading('One write at a time on an idle contender, until it is committed'))
    context.print(table(['milliseconds', 'p50', 'p99', 'max', 'samples'], lone.map(line)))
  }
  if (callers) {
    context.print(heading('Callers that await each insert'))
    context.print(
      table(
        ['', 'rows/s'],
        [
          ['1 caller', whole(callers.onePerSecond)],
          [`${CALLERS} callers`, whole(callers.manyPerSecond)],
          ['ratio', times(callers.manyPerSecond / callers.onePerSecond)],
        ],
      ),
    )
  }
}
