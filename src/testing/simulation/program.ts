/**
 * A program: what some processes do to one database, and what goes wrong meanwhile. It is data, made from a seed, so
 * that it can be printed, repeated, and cut down to the steps that matter.
 */
import type { Consistency, OpenOptions } from '../../index.ts'
import type { PlannedFault } from './faults.ts'

/** Names a write in its whole history; it is in the row that it wrote. */
export type WriteId = number

/** A change of one cell or of the log, alone or as a part of something larger. */
export type Part =
  /** A row of the log. A bad one is refused by a constraint. */
  | { readonly kind: 'append'; readonly isBad: boolean }
  | { readonly kind: 'insert' | 'upsert'; readonly key: string; readonly n: number }
  | {
      readonly kind: 'update'
      readonly key: string
      readonly n: number
      /** Only if the cell holds this. */
      readonly was: number | undefined
      readonly expect: number | undefined
    }
  | { readonly kind: 'delete'; readonly key: string; readonly expect: number | undefined }
  /** A statement of the user's own: adds to every cell below a limit. */
  | { readonly kind: 'add'; readonly n: number; readonly below: number; readonly orRollback: boolean }
  /** A row that refers to a cell; checked at COMMIT. */
  | { readonly kind: 'link'; readonly key: string }

/** What is accepted as one. */
export type Write =
  | Part
  | { readonly kind: 'group'; readonly parts: readonly Part[] }
  /** Rows of the log that stand alone; `bad` says which are refused. */
  | { readonly kind: 'load'; readonly bad: readonly boolean[]; readonly letters: number }
  | {
      readonly kind: 'transaction'
      readonly parts: readonly Part[]
      /** What its callback does when a part is refused, and at its end. */
      readonly onRefusal: 'throw' | 'go-on'
      readonly ending: 'return' | 'throw' | 'hang'
    }

export type Step = { readonly afterMs: number } & Action

/** Opens an engine in the process, which is started anew if it was killed. */
export interface Opening {
  readonly kind: 'open'
  readonly process: number
  readonly writer: string
  readonly options: OpenOptions
  readonly subscribes: boolean
}

export type Action =
  | Opening
  | { readonly kind: 'close'; readonly process: number; readonly timeoutMs: number }
  | {
      readonly kind: 'write'
      readonly process: number
      readonly write: Write
      readonly session: string | undefined
      /** Somebody awaits the receipt. */
      readonly awaits: boolean
      /** A processor has work for the cell that is written. */
      readonly worksMs: number | undefined
    }
  | {
      readonly kind: 'read'
      readonly process: number
      readonly level: Consistency
      readonly session: string | undefined
      /** Bookmarks to be included: of sessions, or of the last receipt of a process. */
      readonly after: readonly (string | number)[]
      /** Cells whose processors are waited for. */
      readonly keys: readonly string[]
      readonly timeoutMs: number
      /** By `db.query`, which tells what was seen, or by `db.read`. */
      readonly tells: boolean
    }
  | {
      readonly kind: 'get'
      readonly process: number
      readonly key: string
      readonly session: string | undefined
      readonly timeoutMs: number
    }
  /** Goes on with a session in this process. */
  | { readonly kind: 'move'; readonly process: number; readonly session: string }
  | { readonly kind: 'catch-up'; readonly process: number; readonly session: string }
  | { readonly kind: 'flush'; readonly process: number; readonly durable: boolean }
  | { readonly kind: 'redrive'; readonly process: number }
  | { readonly kind: 'kill'; readonly process: number }
  | { readonly kind: 'stop'; readonly process: number; readonly forMs: number }
  | { readonly kind: 'jump-clock'; readonly process: number; readonly byMs: number }
  | { readonly kind: 'back-up' }
  | { readonly kind: 'restore' }
  /** All processes die, and of the newest commits those that no sync has made durable. */
  | { readonly kind: 'lose-power' }

export type ActionOf<K extends Action['kind']> = Extract<Action, { kind: K }>

export interface Program {
  readonly seed: number
  /** Tables with a constraint that is checked at COMMIT. */
  readonly hasLinks: boolean
  readonly processes: number
  /** By process: what a call does that finds no engine open. */
  readonly reopenings: readonly Opening[]
  readonly steps: readonly Step[]
  readonly faults: readonly PlannedFault[]
}
