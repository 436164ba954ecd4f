/** A history of the world of effects: what processes were told, what their target got, what the database held. */
import type { FaultKind } from '../faults.ts'
import type { Ending, EngineId } from '../history.ts'
import type { EffectsOpening, EffectsProgram, PlannedEffect } from './program.ts'

/** Names an effect in its whole history; it is in its payload. */
export type EffectNumber = number

/** An effect with its place, as whoever wrote it knows it. */
export interface WrittenEffect {
  readonly number: EffectNumber
  readonly id: string
  readonly key: string | undefined
  readonly planned: PlannedEffect
}

/** What is committed or refused as one. */
export interface WrittenOperation {
  readonly seq: number
  readonly isBad: boolean
  readonly effects: readonly WrittenEffect[]
}

export interface KeptEffect {
  readonly id: string
  readonly state: string
  readonly attempts: number
  readonly number: EffectNumber
  readonly key: string | undefined
  readonly version: number
  readonly hasError: boolean
}

export interface LaneState {
  readonly lane: number
  readonly owner: number
  readonly token: number
  readonly beat: number
  readonly leaseMs: number
}

export type AckKind = 'delivered' | 'dead'

/** What the database holds. */
export interface EffectsContents {
  readonly tidemarks: readonly (readonly [epoch: number, watermark: number, isClosed: boolean])[]
  /** What handlers wrote: those that are new since the last look; after a power loss all. */
  readonly acks: readonly (readonly [id: number, effect: EffectNumber, kind: AckKind])[]
  readonly ackCount: number
  readonly kept: readonly KeptEffect[]
  readonly lanes: readonly LaneState[]
  readonly segments: number
  /** Ids of effects with a result. */
  readonly results: readonly string[]
}

/** An effect as a handler or a target sees it. */
export interface SeenEffect {
  readonly number: EffectNumber
  readonly id: string
  readonly key: string | undefined
  readonly version: number
  readonly attempt: number
}

export type EffectsEvent = { readonly atMs: number } & EffectsHappening
export type EventOf<K extends EffectsEvent['kind']> = Extract<EffectsEvent, { kind: K }>

export type EffectsHappening =
  | {
      readonly kind: 'opened'
      readonly engine: EngineId
      readonly process: number
      readonly epoch: number
      readonly opening: EffectsOpening
    }
  | { readonly kind: 'written'; readonly engine: EngineId; readonly operations: readonly WrittenOperation[] }
  | { readonly kind: 'refused'; readonly engine: EngineId; readonly ending: Ending }
  /** A handler is called. */
  | {
      readonly kind: 'call'
      readonly engine: EngineId
      readonly call: number
      readonly effects: readonly SeenEffect[]
    }
  /** Its signal aborts. */
  | { readonly kind: 'aborted'; readonly call: number }
  /** What it says of each effect; undefined: it failed as a whole. */
  | {
      readonly kind: 'answered'
      readonly call: number
      readonly outcomes: readonly string[] | undefined
      readonly error: string | undefined
    }
  /** The target has got it. */
  | { readonly kind: 'delivered'; readonly call: number; readonly effect: SeenEffect }
  | {
      readonly kind: 'reached'
      readonly call: number
      readonly engine: EngineId
      /** The operation whose effects are waited for, and all before it. */
      readonly epoch: number
      readonly seq: number
      readonly key: string | undefined
      readonly timeoutMs: number
    }
  | { readonly kind: 'reached-ended'; readonly call: number; readonly ending: Ending }
  | { readonly kind: 'redriven'; readonly ids: readonly string[]; readonly ending: Ending }
  | { readonly kind: 'close' | 'closed'; readonly engine: EngineId }
  | { readonly kind: 'told'; readonly engine: EngineId; readonly alert: string }
  | { readonly kind: 'died'; readonly process: number }
  | { readonly kind: 'committed'; readonly contents: EffectsContents }
  /** What is committed now survives a power loss. */
  | { readonly kind: 'synced' }
  | { readonly kind: 'went-back'; readonly contents: EffectsContents }
  | { readonly kind: 'fault'; readonly fault: FaultKind }
  /** Nothing goes wrong from here on. */
  | { readonly kind: 'peace' }
  /** All that was called has ended. */
  | { readonly kind: 'end'; readonly contents: EffectsContents }
  | { readonly kind: 'never-ended'; readonly what: string }
  | { readonly kind: 'crashed'; readonly error: string }

export interface EffectsHistory {
  readonly program: EffectsProgram
  readonly events: readonly EffectsEvent[]
  readonly operations: number
  readonly faults: ReadonlyMap<FaultKind, number>
}
