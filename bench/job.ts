/** What the benchmark tells a contender's process to do. Plain data: it crosses a process boundary. */

import type { PeerName } from './peers/index.ts'
import type { LogPeerName } from './peers/logs/index.ts'
import type { LogPeerSettings } from './peers/logs/peer.ts'
import type { PeerSettings } from './peers/peer.ts'
import type { ReadPeerName } from './peers/reads/index.ts'
import type { ReadPeerSettings } from './peers/reads/peer.ts'

interface AnyJob {
  readonly workload: WorkloadName
  readonly peer: PeerName | ReadPeerName | LogPeerName
  readonly file: string
  readonly rowBytes: number
  readonly rows: number
  /** How long one round takes, where a workload counts what fits into a time. */
  readonly roundMs: number
}

/** Of `npm run bench -- writes`. */
export interface Job extends AnyJob, PeerSettings {
  readonly peer: PeerName
  readonly warmRows: number
}

/** Of `npm run bench -- reads`. */
export interface ReadJob extends AnyJob, ReadPeerSettings {
  readonly peer: ReadPeerName
  /** What a writer at full rate hands over before the event loop turns. */
  readonly rowsPerChunk: number
  /** Its reads return at once, so that somebody must let the event loop turn. */
  readonly isBlocking: boolean
  /** Requests that arrive in a second, and what they ask for, in turn. */
  readonly requestsPerSecond: number
  readonly mix: readonly RequestKind[]
  /** Side by side, each with its next read as soon as it has the last. */
  readonly callers: number
}

/** Of `npm run bench -- logs`. */
export interface LogJob extends AnyJob, LogPeerSettings {
  readonly peer: LogPeerName
  readonly warmRows: number
  /** Where a server listens that another process runs. */
  readonly url: string
}

export type BenchJob = Job | ReadJob | LogJob

/** `nothing`: it arrives, and that is all: what the arriving alone takes. */
export type RequestKind = 'write and read' | 'eventual' | 'get' | 'nothing'

export type WorkloadName =
  | 'throughput'
  | 'statement-size'
  | 'insert-call'
  | 'lone-write'
  | 'awaiting-callers'
  | 'full-queue'
  | 'long-run'
  | 'reads/lone-session'
  | 'reads/full-rate'
  | 'reads/get'
  | 'reads/eventual'
  | 'reads/pending'
  | 'logs/ingest'
  | 'logs/serve'
  | 'logs/post'
  | 'logs/search'
  | 'logs/tail'

/** A workload runs in the contender's process. `pause` lets the benchmark look at the file meanwhile. */
export type Workload<Result, J extends AnyJob = Job> = (
  job: J,
  pause: (moment: string) => Promise<void>,
) => Promise<Result>
