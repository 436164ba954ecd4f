/** What the process `vectors` is told and answers, as JSON over the loopback. */
import type { Effect } from '../tidemark.ts'
import type { VectorPage } from '../vectors.ts'

export interface ChangeMessage {
  readonly effect: Effect
  readonly project: number
  /** Null: there is to be none. */
  readonly vector: readonly number[] | null
}

export type OutcomeMessage =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly error: string; readonly isOverload: boolean }
  | { readonly kind: 'dead'; readonly error: string }

export interface Calls {
  readonly deliver: {
    request: { readonly changes: readonly ChangeMessage[] }
    answer: { readonly outcomes: readonly OutcomeMessage[] }
  }
  readonly search: {
    request: { readonly vector: readonly number[]; readonly project: number; readonly most: number }
    answer: { readonly hits: readonly { readonly id: string; readonly distance: number }[] }
  }
  readonly list: {
    request: { readonly after?: string; readonly most: number }
    answer: Partial<VectorPage> & Pick<VectorPage, 'vectors'>
  }
  readonly known: {
    request: { readonly ids: readonly string[] }
    answer: { readonly ids: readonly string[] }
  }
  readonly probe: { request: Record<string, never>; answer: Record<string, never> }
}
