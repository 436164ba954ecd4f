/** What the benchmark tells a contender's process to do. Plain data: it crosses a process boundary. */

import type { EffectsPeerName } from './peers/effects/index.ts'
import type { PeerName } from './peers/index.ts'
import type { LivePeerName } from './peers/live/index.ts'
import type { LogPeerName } from './peers/logs/index.ts'
import type { LogPeerSettings } from './peers/logs/peer.ts'
import type { PeerSettings } from './peers/peer.ts'
import type { PostgresPeerName } from './peers/postgres/index.ts'
import type { PostgresPeerSettings } from './peers/postgres/peer.ts'
import type { ReadPeerName } from './peers/reads/index.ts'
import type { ReadPeerSettings } from './peers/reads/peer.ts'
import type { TableName } from './workloads/postgres/rows.ts'

interface AnyJob {
  readonly workload: WorkloadName
  readonly peer: PeerName | ReadPeerName | LogPeerName | PostgresPeerName | EffectsPeerName | LivePeerName
  readonly rows: number
  /** How long one round takes, where a workload counts what fits into a time. */
  readonly roundMs: number
}

interface FileJob extends AnyJob {
  readonly file: string
  readonly rowBytes: number
}

/** Of `npm run bench -- writes`. */
export interface Job extends FileJob, PeerSettings {
  readonly peer: PeerName
  readonly warmRows: number
}

/** Of `npm run bench -- reads`. */
export interface ReadJob extends FileJob, ReadPeerSettings {
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
export interface LogJob extends FileJob, LogPeerSettings {
  readonly peer: LogPeerName
  readonly warmRows: number
  /** Where a server listens that another process runs. */
  readonly url: string
}

/** Of `npm run bench -- postgres`. */
export interface PostgresJob extends AnyJob, PostgresPeerSettings {
  readonly peer: PostgresPeerName
  /** The database. */
  readonly url: string
  /** A standby of it, where reads are to go there. */
  readonly replica: string | undefined
  readonly table: TableName
  readonly warmRows: number
  /** Side by side, each with its next insert as soon as the last is committed. */
  readonly callers: number
  /** Where another process listens that reads what this one writes. */
  readonly readerPort: number
}

/** Of `npm run bench -- effects`. */
export interface EffectsJob extends AnyJob {
  readonly peer: EffectsPeerName
  /** A file, or the URL of a server. */
  readonly address: string
  readonly warmRows: number
  /** Some items have to wait, and some fail once. */
  readonly isUneven: boolean
  /** Side by side, each with its next item as soon as the last is committed. */
  readonly callers: number
  /** Where another process listens that handles what this one enqueues. */
  readonly handlerPort: number
}

/** Of `npm run bench -- live`. */
export interface LiveJob extends AnyJob {
  readonly peer: LivePeerName
  readonly file: string
  /** So much later a commit is answered. */
  readonly commitMs: number
  /** That go through a pipeline, one after another. */
  readonly entities: number
}

export type BenchJob = Job | ReadJob | LogJob | PostgresJob | EffectsJob | LiveJob

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
  | 'postgres/inserts'
  | 'postgres/fence'
  | 'postgres/one-caller'
  | 'postgres/callers'
  | 'postgres/reader'
  | 'postgres/read-back'
  | 'effects/drain'
  | 'effects/callers'
  | 'effects/idle'
  | 'effects/sender'
  | 'effects/handler'
  | 'effects/writes'
  | 'live/change'
  | 'live/memory'
  | 'live/pipeline'

/** A workload runs in the contender's process. `pause` lets the benchmark look at the file meanwhile. */
export type Workload<Result, J extends AnyJob = Job> = (
  job: J,
  pause: (moment: string) => Promise<void>,
) => Promise<Result>
