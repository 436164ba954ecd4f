/** How late a subscriber has an entry. */
import { decimal, megabytes, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import { TAIL_RATE } from '../../workloads/logs/sizes.ts'
import type { Tailed } from '../../workloads/logs/tail.ts'
import { runLogJob, verifyRowCount, type LogContext } from './job.ts'

export async function measureTail(context: LogContext): Promise<Tailed | undefined> {
  if (!context.isListed('tidemark')) return undefined
  context.progress('tails')
  const tailed = await runLogJob<Tailed>(
    context,
    { workload: 'logs/tail', peer: 'tidemark' },
    { check: (file, { written }) => verifyRowCount(file, written) },
  )
  const { committedMs, acceptedMs, usage } = tailed
  context.print(heading(`Accepted to subscriber, at ${whole(TAIL_RATE)} entries a second`))
  context.print(
    table(
      ['milliseconds', 'p50', 'p99', 'p99.9', 'max', 'samples'],
      Object.entries({ committed: committedMs, accepted: acceptedMs }).map(([when, waits]) => [
        `when: '${when}'`,
        ...[waits.p50, waits.p99, waits.p999, waits.max].map((value) => decimal(value, 2)),
        whole(waits.samples),
      ]),
    ),
  )
  context.print(
    `\nEvent-loop delay p99 ${decimal(usage.loopDelayP99Ms, 2)} ms, peak ${megabytes(usage.peakBytes)} MB.`,
  )
  return tailed
}
