/** What every race of writers times: so many rows, after a warm-up in the same place. */
import { CommitLatency, startMeter, type Usage } from '../measure.ts'
import type { Peer } from '../peers/peer.ts'
import type { Percentiles } from '../statistics.ts'

export interface TimedWrites {
  readonly usage: Usage
  readonly acceptedToCommittedMs: Percentiles | undefined
}

/** @param pause called when the warm-up is done, and when all is written; the time stands still meanwhile */
export async function timedWrites(
  peer: Pick<Peer, 'write' | 'close'>,
  { warmRows, rows }: { readonly warmRows: number; readonly rows: number },
  pause: (moment: string) => Promise<void>,
): Promise<TimedWrites> {
  const latency = new CommitLatency()
  await peer.write(0, warmRows, latency)
  latency.reset()
  await pause('warm')
  const stop = startMeter()
  await peer.write(warmRows, rows, latency)
  const usage = stop()
  await pause('written')
  await peer.close()
  return { usage, acceptedToCommittedMs: latency.summary() }
}
