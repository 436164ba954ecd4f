/** The port to the vector store: sqlite-vec in a process of its own, or Qdrant where QDRANT_URL is set. */
import type { Effect, EffectOutcome } from './tidemark.ts'

/** One change: the effect says which vector and how new it is. */
export interface VectorChange {
  readonly effect: Effect
  readonly project: number
  /** Undefined: there is to be none. */
  readonly vector: Float32Array | undefined
}

export interface VectorHit {
  readonly id: string
  /** 0 for the same direction. */
  readonly distance: number
}

export interface KeptVector {
  readonly id: string
  readonly project: number
}

export interface VectorPage {
  readonly vectors: readonly KeptVector[]
  /** Undefined: it is the last. */
  readonly next: string | undefined
}

/** Without writes of its own. */
export type VectorOutcome = EffectOutcome<unknown>

export interface Vectors {
  /** What a row calls the vector of this extraction. */
  embeddingId(extraction: string): string
  /** What comes late or again changes nothing. @returns one outcome a change, in their order */
  deliver(changes: readonly VectorChange[], signal: AbortSignal): Promise<readonly VectorOutcome[]>
  /** The nearest first. @throws when it cannot be reached */
  search(vector: Float32Array, project: number, most: number): Promise<readonly VectorHit[]>
  /** A page of all that is there, in whatever order. @param after `next` of the page before it */
  list(after: string | undefined, most: number): Promise<VectorPage>
  /** Which of these are there. */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>
  probe(): Promise<void>
  close(): Promise<void>
}

/** The kind of the effects that make vectors: it is part of a vector's name. */
export const embedKind = 'embed'
