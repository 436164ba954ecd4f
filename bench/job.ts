/** What the benchmark tells a contender's process to do. Plain data: it crosses a process boundary. */

import type { PeerName } from './peers/index.ts'
import type { PeerSettings } from './peers/peer.ts'

export interface Job extends PeerSettings {
  readonly workload: WorkloadName
  readonly peer: PeerName
  readonly file: string
  readonly rowBytes: number
  readonly rows: number
  readonly warmRows: number
  /** How long one round takes, where a workload counts what fits into a time. */
  readonly roundMs: number
}

export type WorkloadName =
  | 'throughput'
  | 'statement-size'
  | 'insert-call'
  | 'lone-write'
  | 'awaiting-callers'
  | 'full-queue'
  | 'long-run'

/** A workload runs in the contender's process. `pause` lets the benchmark look at the file meanwhile. */
export type Workload<Result> = (job: Job, pause: (moment: string) => Promise<void>) => Promise<Result>
