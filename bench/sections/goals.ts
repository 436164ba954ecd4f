/** Which measured figure answers which goal of the write path. */

import type { PeerName } from '../peers/index.ts'
import { atLeast, atMost, below, type Goal } from '../report/goals.ts'
import type { Latencies } from './latency.ts'
import type { FullQueue } from '../workloads/full-queue.ts'
import type { Memory } from './memory.ts'
import { ratioOver, spreadOver, type Standing } from './race.ts'

export interface Measured {
  readonly standings?: readonly Standing[]
  readonly largeRows?: readonly Standing[]
  readonly latencies?: Latencies
  readonly memory?: Memory | undefined
}

export function goalsOf({ standings, largeRows, latencies, memory }: Measured): readonly Goal[] {
  const ratio = (peer: PeerName): number | undefined => {
    const [ours, theirs] = [find(standings, 'tidemark'), find(standings, peer)]
    return ours && theirs && ratioOver(ours, theirs).median
  }
  const small = find(standings, 'tidemark')
  const large = find(largeRows, 'tidemark')
  const mainThreadUs = small && spreadOver(small, (round) => round.mainThreadUsPerRow).median
  const loopDelayMs = small && spreadOver(small, (round) => round.loopDelayP99Ms).median
  const largeLoopDelayMs = large && spreadOver(large, (round) => round.loopDelayP99Ms).median
  const toDiskMs = small && spreadOver(small, (round) => round.acceptedToCommittedMs?.p99).median
  const call = latencies?.insertCall?.singleNs
  const loneMs = latencies?.loneWriteMs.tidemark?.p50
  const callers = latencies?.callers
  const sixteen = callers && callers.manyPerSecond / callers.onePerSecond
  const queue = memory?.fullQueue
  const resident = memory?.longRun?.residentBytes
  return [
    atLeast('rows/s, against better-sqlite3 row by row', 1.4, ratio('better-sqlite3/rows'), 2),
    atLeast('rows/s, against better-sqlite3 multi-row', 0.95, ratio('better-sqlite3/multi-row'), 1.05),
    atLeast('rows/s, against better-sqlite3 autocommit', 4, ratio('better-sqlite3/autocommit'), 5),
    atMost('main thread, a row', 'µs', 0.8, mainThreadUs, 0.5),
    atMost('event-loop delay p99', 'ms', 6, loopDelayMs, 3),
    atMost('event-loop delay p99, rows of 4 KB', 'ms', 6, largeLoopDelayMs, 3),
    below('one insert call p50', 'µs', 1, call && call.p50 / 1e3),
    below('one insert call p99', 'µs', 10, call && call.p99 / 1e3),
    below('accepted to committed p99', 'ms', 100, toDiskMs),
    below('one awaited insert, idle engine, p50', 'ms', 0.5, loneMs),
    atLeast('16 awaiting callers, against one', 5, sixteen),
    below('a full queue of 10,000 operations', 'MB', 20, queue && heapBytes(queue) / 1e6, 8),
    below('growth from 2 to 10 million rows', 'MB', 10, resident && growthBytes(resident) / 1e6),
  ]
}

function find(standings: readonly Standing[] | undefined, peer: PeerName): Standing | undefined {
  return standings?.find((standing) => standing.peer === peer)
}

/** The larger of the two ways to look at it. */
function heapBytes(queue: FullQueue): number {
  return Math.max(queue.inOneTickHeapBytes, queue.heldBackHeapBytes)
}

/** From the second million on: the first one sizes buffers and caches. The highest counts, not the last. */
function growthBytes(residentBytes: readonly number[]): number {
  return Math.max(...residentBytes.slice(2)) - (residentBytes[1] ?? NaN)
}
