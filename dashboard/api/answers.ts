/** What the server answers, as docs/server.md has it. */
import type { Level } from '../ui/route.ts'

export interface Stats {
  readonly version: string
  readonly startedAt: string | number
  readonly uptimeMs: number
  readonly writer: string
  readonly epoch: number
  readonly queue: {
    readonly operations: number
    readonly bytes: number
    readonly oldestMs: number | null
    readonly maxOperations: number
    readonly maxBytes: number
    readonly isFull: boolean
  }
  readonly committed: { readonly operations: number; readonly batches: number }
  readonly deadLetters: number
  readonly storage: { readonly databaseBytes: number; readonly freeBytes: number; readonly walBytes: number }
  /** Null where the server has no log store. */
  readonly logs: { readonly newestId: number | null; readonly unindexed: number } | null
  /** Null where the store keeps none. */
  readonly effects: { readonly kinds: number; readonly undelivered: number; readonly dead: number } | null
  readonly alerts: readonly { readonly kind: string; readonly message: string; readonly sinceMs: number }[]
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

export interface LogEntry {
  readonly id: number
  readonly ts: number
  readonly level: Level
  readonly service: string | null
  readonly message: string
  readonly attributes: Readonly<Record<string, Json>> | null
}

/** One entry as it came: its text is parsed only if it is shown. */
export interface RawEntry {
  readonly id: number
  readonly json: string
}

export interface SearchPage {
  readonly entries: readonly LogEntry[]
  readonly next?: string | null
  /** Rows that the index has not reached yet; they were not searched. */
  readonly unindexed: number
}

export interface DeadLetter {
  readonly id: number
  readonly table: string | null
  readonly code: string
  readonly message: string
  readonly attempts: number
  readonly rejectedAt: string | number
  readonly content: unknown
}

/** One kind of effects. */
export interface EffectKind {
  readonly kind: string
  readonly queued: number
  readonly waiting: number
  readonly dead: number
  readonly oldestMs: number
  readonly lagMs: number
  readonly isPaused: boolean
  readonly lanes: number
  readonly held: number
  /** The server knows how. */
  readonly canRecover: boolean
  /** Of the server's own process. */
  readonly handler?: { readonly running: number; readonly limit: number; readonly isDown: boolean }
}

/** Samples of each kind, in the order of `columns`. */
export interface EffectHistoryAnswer {
  readonly intervalMs: number
  readonly columns: readonly string[]
  readonly kinds: Readonly<Record<string, readonly (readonly number[])[]>>
}

export interface DeadEffect {
  readonly id: string
  readonly key: string | null
  readonly payload: Json
  readonly attempts: number
  readonly error: string
  readonly committedAt: string
  readonly failedAt: string
}

export interface DeadEffectPage {
  readonly effects: readonly DeadEffect[]
  readonly next: number | null
}

export interface EffectOutcome {
  readonly id: string
  readonly outcome: 'redriven' | 'discarded' | 'notDead'
}

/** What is done, or in a dry run would be. */
export interface Recovery {
  /** Keys of rows that lack their effect. */
  readonly missing: readonly string[]
  readonly underWay: number
  readonly dead: readonly string[]
  /** Ids of dead effects without a row. */
  readonly orphans: readonly string[]
  readonly isMore: boolean
}

export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[]
  readonly next?: number | string | null
}

export interface RedriveOutcome {
  readonly id: number
  readonly outcome: 'committed' | 'rejected'
  readonly message?: string
}
