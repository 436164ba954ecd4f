/** What the main thread and the threads that read files tell each other. */
import type { Song } from '../audio/read-song.ts'

export interface WorkerOptions {
  readonly folder: string
  /** The database that the worker writes itself: in the baseline alone. */
  readonly ownConnection: string | undefined
}

/** One file to read, or that there is no more. */
export interface Task {
  readonly path: string
  /** The hash with which the file was imported before, where the main thread knows. */
  readonly knownHash: string | undefined
}
export type ToWorker = Task | 'end'

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'read'; readonly song: Song }
  | { readonly kind: 'ended'; readonly tally: WorkerTally }
  | Done

/** A file with which nobody has anything to do any more. */
export type Done =
  | { readonly kind: 'imported' | 'changed' | 'unchanged'; readonly path: string }
  | { readonly kind: 'skipped' | 'rejected'; readonly path: string; readonly reason: string }

/** How a worker's time went by. */
export interface WorkerTally {
  readonly totalMs: number
  /** For something to do, while there was something left. */
  readonly waitedMs: number
  readonly connection: ConnectionTally | undefined
}

export interface ConnectionTally {
  /** Inside calls of the database, and between tries of one that was busy. */
  readonly waitedMs: number
  readonly reads: number
  readonly writes: number
  readonly busyErrors: number
  /** How long each write took from its first try to its end. */
  readonly writesMs: Float64Array
}
