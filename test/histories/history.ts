/**
 * A history: what some processes did to one database and what it told them, and how the database was afterwards.
 * Each process writes its events to a file of its own, a JSON line each, so that a kill takes none that it had told.
 *
 * Times are nanoseconds since the history began, by the machine's monotonic clock, which its processes share:
 * `process.hrtime` counts from the start of the machine on Linux (CLOCK_MONOTONIC), macOS and Windows alike. What
 * began at `from` and ended at `to` was certainly before what began later than `to`, in whichever process; all
 * judgements rest on that order alone.
 */
import { readFileSync } from 'node:fs'
import type { Consistency, ErrorCode } from '../../src/index.ts'

/** Names a write in its whole history, and is in each row that it wrote. */
export type WriteId = number

export interface Mark {
  readonly epoch: number
  readonly seq: number
}

interface When {
  readonly process: number
  readonly from: number
  readonly to: number
}

interface InSession extends When {
  /** `name/stay`: each process that a session goes on in is another stay. Undefined: a call on the engine itself. */
  readonly session?: string | undefined
}

/** The session that a stay is one of. */
export function sessionOf(stay: string | undefined): string | undefined {
  return stay?.split('/')[0]
}

/** A process had opened its engine. One engine a process: its epoch names both. */
export interface Opened extends When {
  readonly kind: 'open'
  readonly writer: string
  readonly epoch: number
}

/** The engine had closed in peace. A process that was killed says nothing. */
export interface Closed extends When {
  readonly kind: 'close'
}

export interface SessionBegun extends InSession {
  readonly kind: 'session'
  readonly ignoresRejections: boolean
}

/** A write was accepted, or refused at the call. */
export interface Written extends InSession {
  readonly kind: 'write'
  readonly write: WriteId
  /** The register that it sets. Undefined: it adds to the log only. */
  readonly key?: string | undefined
  readonly isPoison: boolean
  readonly position?: Mark
  readonly error?: ErrorCode
}

/** The engine told, by its events: all of its positions up to this one are settled; this one was rejected. */
export interface Settled extends When {
  readonly kind: 'committed' | 'rejected'
  readonly position: Mark
}

/** Somebody awaited a receipt. */
export interface Awaited extends InSession {
  readonly kind: 'awaited'
  readonly write: WriteId
  readonly outcome: 'committed' | 'rejected' | 'abandoned'
}

/** A query of the whole log and all registers, in one snapshot. */
export interface Read extends InSession {
  readonly kind: 'read'
  readonly level: Consistency
  /** The bookmarks that it was given. */
  readonly after: readonly string[]
  readonly timeoutMs: number
  /** The writes in the order of the log's rows. */
  readonly log?: readonly WriteId[]
  readonly registers?: Readonly<Record<string, WriteId>>
  readonly seen?: readonly Mark[]
  readonly waitedMs?: number
  readonly error?: ErrorCode
}

/** A register, by its key, with what is pending laid over it. */
export interface Got extends InSession {
  readonly kind: 'get'
  readonly key: string
  /** The write that the row shows. Undefined without `error`: there was no row. */
  readonly write?: WriteId | undefined
  readonly pending?: boolean
  readonly error?: ErrorCode
}

export interface CaughtUp extends InSession {
  readonly kind: 'caught-up'
  readonly error?: ErrorCode
}

/** A bookmark was taken: of a session, or of one write's receipt. */
export interface Took extends InSession {
  readonly kind: 'took'
  readonly bookmark: string
  readonly write?: WriteId
}

/** A session was given a bookmark. */
export interface Included extends InSession {
  readonly kind: 'included'
  readonly bookmark: string
}

export interface Listed extends InSession {
  readonly kind: 'rejections'
  readonly listed: readonly Mark[]
}

export type HistoryEvent =
  | Opened
  | Closed
  | SessionBegun
  | Written
  | Settled
  | Awaited
  | Read
  | Got
  | CaughtUp
  | Took
  | Included
  | Listed

/** The database when all processes had ended. */
export interface FinalState {
  /** By row id: the order in which the writes were committed. Each row says who wrote it. */
  readonly log: readonly { readonly write: WriteId; readonly epoch: number }[]
  readonly registers: Readonly<Record<string, WriteId>>
  readonly deadLetters: readonly Mark[]
}

export interface History {
  readonly events: readonly HistoryEvent[]
  readonly final: FinalState
}

/** The events of a process, as far as it came: a kill may have cut the last line. */
export function readEvents(file: string): HistoryEvent[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as HistoryEvent)
}

/** An event in words. */
export function tell(event: HistoryEvent): string {
  const { kind, process, from, to, ...rest } = event
  const details = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${shorten(JSON.stringify(value))}`)
  return `${ms(from)}–${ms(to)} ms, process ${process}: ${kind} ${details.join(', ')}`
}

function ms(ns: number): string {
  return (ns / 1e6).toFixed(3)
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 40)} … ${text.slice(-35)}`
}
