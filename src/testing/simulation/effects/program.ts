/**
 * A program of the world of effects: what some processes write, who delivers the effects of it, and what goes wrong
 * meanwhile with them, the database, the target and the clocks.
 */
import type { HandleOptions, OpenOptions } from '../../../index.ts'
import type { PlannedFault } from '../faults.ts'
import type { ActionOf as PlainActionOf } from '../program.ts'

/** What is the matter with an effect: a target or a handler refuses it so often, or the handler's own write is refused. */
export type Ailment =
  'none' | 'fails-once' | 'fails-thrice' | 'poison' | 'hopeless' | 'ack-refused-once' | 'ack-refused'

export interface PlannedEffect {
  /** Undefined: the row's own. */
  readonly key: string | null | undefined
  readonly delayMs: number
  readonly isLatestOnly: boolean
  readonly ailment: Ailment
}

export interface PlannedRow {
  /** Refused by a constraint. */
  readonly isBad: boolean
  readonly effects: readonly PlannedEffect[]
}

export type EffectsWrite =
  | { readonly kind: 'row'; readonly row: PlannedRow }
  /** All rows or none, and effects of the group itself. */
  | {
      readonly kind: 'group'
      readonly rows: readonly PlannedRow[]
      readonly enqueued: readonly PlannedEffect[]
    }
  /** Each row stands alone. */
  | { readonly kind: 'load'; readonly rows: readonly PlannedRow[] }
  /** One row that several writers change; its effects have its key. */
  | { readonly kind: 'cell'; readonly cell: string; readonly effects: readonly PlannedEffect[] }
  | { readonly kind: 'enqueue'; readonly effects: readonly PlannedEffect[] }

export type TargetMode =
  | 'up'
  /** Nobody accepts a connection, or there is no way to it. */
  | 'down'
  /** 429, and 503. */
  | 'busy'
  /** It takes half of what it is sent, then fails. */
  | 'breaks-off'
  | 'slow'
  /** It takes requests and says nothing. */
  | 'hangs'

export interface EffectsOpening {
  readonly kind: 'open'
  readonly process: number
  readonly writer: string
  readonly options: OpenOptions
  /** Undefined: it only writes. */
  readonly handles: HandleOptions<never> | undefined
  /** Its handlers end when their signal aborts; others go on, and answer late. */
  readonly obeysSignal: boolean
}

export type EffectsAction =
  | EffectsOpening
  | PlainActionOf<'close' | 'kill' | 'stop' | 'jump-clock' | 'lose-power'>
  | { readonly kind: 'write'; readonly process: number; readonly write: EffectsWrite }
  /** Waits for the effects of the last write of a process. */
  | {
      readonly kind: 'reached'
      readonly process: number
      readonly of: number
      readonly key: string | undefined
      readonly timeoutMs: number
    }
  /** Of all dead effects. */
  | { readonly kind: 'redrive'; readonly process: number }
  | { readonly kind: 'pause' | 'resume'; readonly process: number }
  /** Stops handling, and begins again after a while: maybe just when somebody redrives what is dead. */
  | {
      readonly kind: 'rest'
      readonly process: number
      readonly forMs: number
      readonly timeoutMs: number
      readonly isRedriven: boolean
    }
  | { readonly kind: 'target'; readonly mode: Exclude<TargetMode, 'up'>; readonly forMs: number }

export type EffectsStep = { readonly afterMs: number } & EffectsAction
export type ActionOf<K extends EffectsAction['kind']> = Extract<EffectsAction, { kind: K }>

export interface EffectsProgram {
  readonly seed: number
  readonly processes: number
  /** By process: what a call does that finds no engine open. */
  readonly reopenings: readonly EffectsOpening[]
  /** How the one is opened that handles effects when nothing goes wrong any more. */
  readonly last: EffectsOpening
  readonly steps: readonly EffectsStep[]
  readonly faults: readonly PlannedFault[]
  /** How many of its requests and answers the network loses. */
  readonly lossShare: number
  /** Once nothing goes wrong any more, everything must be finished after this. */
  readonly patienceMs: number
}
