/** Which measured figure answers which goal of the log store. */
import { atLeast, below, reaching, type Goal } from '../../report/goals.ts'
import { medianOf } from '../../statistics.ts'
import type { Searched } from '../../workloads/logs/search.ts'
import type { Tailed } from '../../workloads/logs/tail.ts'
import { httpRates, httpShare, type Http } from './http.ts'
import { BATCHES, laneOf, ratioOf, type IngestLane } from './ingest.ts'

export interface MeasuredLogs {
  readonly ingest?: readonly IngestLane[]
  readonly http?: Http | undefined
  readonly search?: Searched | undefined
  readonly tail?: Tailed | undefined
}

export function logGoalsOf({ ingest, http, search, tail }: MeasuredLogs): readonly Goal[] {
  const number = 'a number, found once in a million entries'
  return [
    ...BATCHES.map((batch) => {
      const [ours, theirs] = [laneOf(ingest, 'tidemark', batch), laneOf(ingest, 'better-sqlite3/rows', batch)]
      const ratio = ours && theirs && ratioOf(ours, theirs)
      return atLeast(`rows/s, ${batch} a batch, against better-sqlite3 row by row`, 1.1, ratio, 1.5)
    }),
    atLeast('rows/s over HTTP, against storeRows in process', 0.4, http && httpShare(http)),
    reaching('rows/s over HTTP', 'rows/s', 100_000, http && medianOf(httpRates(http))),
    below('search for a number, idle, p50', 'ms', 50, search?.idleMs[number]?.p50),
    below('search for a number, full rate, p50', 'ms', 50, search?.busyMs[number]?.p50),
    below("accepted to subscriber, when: 'committed', p50", 'ms', 5, tail?.committedMs.p50),
    below("accepted to subscriber, when: 'accepted', p50", 'ms', 5, tail?.acceptedMs.p50),
  ]
}
