/** What the target and its thread say to each other. */
import type { SqliteVecSettings } from './options.ts'

/** Without a vector it is deleted. */
export interface VectorChange {
  readonly kind: string
  readonly key: string
  readonly version: number
  readonly vector?: Float32Array
  /** JSON. */
  readonly metadata?: string
}

/** What became of one change. Undefined: it is as it should be. */
export type ChangeFailure = { readonly isFinal: boolean; readonly message: string } | undefined

export interface FoundRow {
  readonly kind: string
  readonly key: string
  readonly metadata: string
  readonly distance: number
}

export interface Requests {
  readonly apply: {
    readonly request: { readonly changes: readonly VectorChange[]; readonly nowMs: number }
    readonly answer: readonly ChangeFailure[]
  }
  readonly search: {
    readonly request: { readonly vector: Float32Array; readonly k: number }
    readonly answer: readonly FoundRow[]
  }
  readonly probe: { readonly request: object; readonly answer: undefined }
  readonly close: { readonly request: object; readonly answer: undefined }
}

export type Request = { [K in keyof Requests]: { readonly kind: K } & Requests[K]['request'] }[keyof Requests]

/** Answers come in the order of the requests. */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'failure'; readonly message: string; readonly isDown: boolean }

export type ThreadSettings = Pick<
  SqliteVecSettings,
  'path' | 'table' | 'dimensions' | 'distance' | 'tombstoneMs'
>
