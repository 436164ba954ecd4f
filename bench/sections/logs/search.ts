/** Searches in a large table, alone and beside a writer at full rate. */
import { decimal, megabytes, times, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import type { Percentiles } from '../../statistics.ts'
import { SEARCHES } from '../../workloads/logs/sizes.ts'
import type { Searched } from '../../workloads/logs/search.ts'
import { runLogJob, verifyRowCount, type LogContext } from './job.ts'

export async function measureSearch(context: LogContext): Promise<Searched | undefined> {
  if (!context.isListed('tidemark')) return undefined
  const { rows } = context.options
  context.progress(`searches in ${whole(rows)} entries`)
  const searched = await runLogJob<Searched>(
    context,
    { workload: 'logs/search', peer: 'tidemark', rows },
    { check: (file, { written }) => verifyRowCount(file, written) },
  )
  print(context, searched)
  return searched
}

function print(context: LogContext, searched: Searched): void {
  const { rows } = context.options
  const { databaseBytes, buildRowsPerSecond, idleMs, busyMs, busy } = searched
  context.print(heading(`Searches in ${whole(rows)} entries, 100 at most, newest first`))
  context.print(
    `A database of ${megabytes(databaseBytes)} MB, made at ${whole(buildRowsPerSecond)} rows/s with 1,000 a batch.\n`,
  )
  const cells = (waits: Percentiles | undefined): string[] => [
    decimal(waits?.p50, 1),
    decimal(waits?.p99, 1),
    decimal(waits?.max, 1),
    whole(waits?.samples),
  ]
  context.print(
    table(
      ['milliseconds', 'idle p50', 'p99', 'max', 'samples', 'full rate p50', 'p99', 'max', 'samples'],
      SEARCHES.map((name) => [name, ...cells(idleMs[name]), ...cells(busyMs[name])]),
    ),
  )
  const { ingestAloneRowsPerSecond: alone, ingestRowsPerSecond: beside } = searched
  context.print(
    `\nThe writer took ${whole(alone)} rows/s alone and ${whole(beside)} beside the searches, ${times(beside / alone)};` +
      ` event-loop delay p99 ${decimal(busy.loopDelayP99Ms, 1)} ms, peak ${megabytes(busy.peakBytes)} MB.`,
  )
}
