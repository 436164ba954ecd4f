/**
 * A history: what the processes were told, and what the database held after each commit, in the order in which it
 * happened. One event follows the other, so whether something was before something else is a matter of their numbers.
 */
import type { Consistency, ErrorCode } from '../../index.ts'
import type { Certainty } from '../../errors.ts'
import type { FaultKind } from './faults.ts'
import type { Program, Write, WriteId } from './program.ts'

/** Names one open engine. An epoch could be given twice by a database that went back in time. */
export type EngineId = number

export interface Mark {
  readonly epoch: number
  readonly seq: number
}

/** What the database holds. */
export interface Contents {
  readonly cells: readonly (readonly [key: string, n: number])[]
  readonly results: readonly (readonly [key: string, of: WriteId])[]
  readonly links: readonly (readonly [write: WriteId, key: string])[]
  readonly tidemarks: readonly (readonly [epoch: number, watermark: number, isClosed: boolean])[]
  /** Rows that are new since the last look; after a restoration all. */
  readonly log: readonly (readonly [id: number, write: WriteId])[]
  readonly letters: readonly (readonly [id: number, epoch: number, seq: number, code: string])[]
  readonly logCount: number
  readonly letterIds: readonly number[]
  readonly checkpoint: number | undefined
}

/** How a receipt was settled, or a call ended. */
export interface Ending {
  readonly kind: 'committed' | 'rejected' | 'abandoned' | 'failed'
  readonly code?: ErrorCode
  readonly storeCode?: string
  readonly outcome?: Certainty
  readonly id?: number | undefined
  readonly changes?: number | undefined
  readonly rejected?: number | undefined
  readonly deadLetter?: number
  readonly seq?: number
}

/** What a query of all tables showed. */
export interface Rows {
  readonly cells: Readonly<Record<string, number>>
  readonly results: Readonly<Record<string, WriteId>>
  readonly log: readonly WriteId[]
}

export type HistoryEvent = { readonly atMs: number } & Happening
export type EventOf<K extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: K }>

export type Happening =
  | { readonly kind: 'opening'; readonly process: number; readonly writer: string }
  | {
      readonly kind: 'opened'
      readonly engine: EngineId
      readonly process: number
      readonly writer: string
      readonly epoch: number
      readonly subscribes: boolean
      /** The most operations that its queue may hold. */
      readonly limit: number
      readonly maxOperations: number
    }
  | { readonly kind: 'open-failed'; readonly process: number; readonly ending: Ending }
  | {
      readonly kind: 'accepted'
      readonly engine: EngineId
      readonly write: WriteId
      readonly what: Write | { readonly kind: 'result'; readonly key: string; readonly of: WriteId }
      readonly first: number
      readonly last: number
      readonly session: string | undefined
      readonly queued: number
    }
  | { readonly kind: 'refused'; readonly engine: EngineId; readonly write: WriteId; readonly ending: Ending }
  | { readonly kind: 'settled'; readonly engine: EngineId; readonly write: WriteId; readonly ending: Ending }
  | { readonly kind: 'redrive'; readonly engine: EngineId; readonly write: WriteId; readonly letter: number }
  | { readonly kind: 'redriven'; readonly engine: EngineId; readonly write: WriteId; readonly ending: Ending }
  /** A processor has work for the row that this write changes. */
  | { readonly kind: 'work'; readonly engine: EngineId; readonly key: string; readonly write: WriteId }
  | { readonly kind: 'room'; readonly engine: EngineId; readonly queued: number; readonly isFull: boolean }
  | { readonly kind: 'told-rejected'; readonly engine: EngineId; readonly seq: number; readonly code: string }
  | { readonly kind: 'told-change'; readonly engine: EngineId; readonly seq: number }
  | { readonly kind: 'told-stopped'; readonly engine: EngineId; readonly code: ErrorCode }
  | {
      readonly kind: 'read'
      readonly call: number
      readonly engine: EngineId
      readonly level: Consistency
      readonly session: string | undefined
      /** Bookmarks, by the number of the event that took them. */
      readonly after: readonly number[]
      readonly keys: readonly string[]
      readonly timeoutMs: number
    }
  | {
      readonly kind: 'read-ended'
      readonly call: number
      readonly rows: Rows | undefined
      readonly seen: readonly Mark[] | undefined
      readonly waitedMs: number | undefined
      readonly ending: Ending
    }
  | {
      readonly kind: 'get'
      readonly call: number
      readonly engine: EngineId
      readonly key: string
      readonly session: string | undefined
      readonly timeoutMs: number
      /** How many operations `pending` counted on the row, of an engine that is open. */
      readonly counted: number | undefined
    }
  | {
      readonly kind: 'get-ended'
      readonly call: number
      readonly n: number | undefined
      readonly pending: boolean
      readonly ending: Ending
    }
  /** A bookmark: of a session, or of one write. */
  | {
      readonly kind: 'took'
      readonly bookmark: number
      readonly session: string | undefined
      readonly write: WriteId | undefined
    }
  | {
      readonly kind: 'session'
      readonly session: string
      readonly engine: EngineId
      readonly from: number | undefined
    }
  | { readonly kind: 'catch-up'; readonly call: number; readonly engine: EngineId; readonly session: string }
  | { readonly kind: 'caught-up'; readonly call: number; readonly ending: Ending }
  | {
      readonly kind: 'flush'
      readonly call: number
      readonly engine: EngineId
      readonly durable: boolean
    }
  | { readonly kind: 'flushed'; readonly call: number; readonly ending: Ending }
  | { readonly kind: 'close'; readonly engine: EngineId; readonly timeoutMs: number }
  | { readonly kind: 'closed'; readonly engine: EngineId; readonly ending: Ending }
  | { readonly kind: 'died'; readonly process: number }
  | { readonly kind: 'committed'; readonly contents: Contents }
  /** The database is another one than a moment ago. */
  | { readonly kind: 'went-back'; readonly contents: Contents; readonly byPowerLoss: boolean }
  | { readonly kind: 'fault'; readonly fault: FaultKind }
  /** Nothing is left to run, and this still waits. */
  | { readonly kind: 'never-ended'; readonly what: string }
  | { readonly kind: 'crashed'; readonly error: string }

export interface History {
  readonly program: Program
  readonly events: readonly HistoryEvent[]
  /** Writes, reads and other calls that were made. */
  readonly operations: number
  readonly faults: ReadonlyMap<FaultKind, number>
}
