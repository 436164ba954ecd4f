/** The cells that tell what timed writes were to their process: how late its event loop was, their way to disk, memory. */
import { othersProcessorsIn } from './noise.ts'
import type { TimedWrites } from '../workloads/timed-writes.ts'
import { decimal, megabytes } from '../report/format.ts'

type Median = (figure: (round: TimedWrites) => number | undefined) => number

/** @param latencyDigits of the way to disk, in ms */
export function loadCells(median: Median, latencyDigits: number): string[] {
  const delayP99Ms = median(({ usage }) => usage.loopDelayP99Ms)
  const delayMaxMs = median(({ usage }) => usage.loopDelayMaxMs)
  const toDiskP50Ms = median(({ acceptedToCommittedMs }) => acceptedToCommittedMs?.p50)
  const toDiskP99Ms = median(({ acceptedToCommittedMs }) => acceptedToCommittedMs?.p99)
  return [
    decimal(delayP99Ms, 2),
    decimal(delayMaxMs, 1),
    decimal(toDiskP50Ms, latencyDigits),
    decimal(toDiskP99Ms, latencyDigits),
    megabytes(median(({ usage }) => usage.peakBytes)),
    decimal(
      median(({ usage }) => othersProcessorsIn(usage)),
      2,
    ),
  ]
}
