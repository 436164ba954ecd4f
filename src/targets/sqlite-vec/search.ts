import type { Json } from '../../contracts/values.ts'
import { TidemarkError } from '../../errors.ts'
import type { FoundRow } from './messages.ts'
import type { SqliteVecSettings } from './options.ts'
import { hasDirection } from './payload.ts'

export interface VectorHit {
  /** Of the effect that set it. */
  readonly kind: string
  readonly key: string
  /** 0 for the same direction or place. */
  readonly distance: number
  readonly metadata: Json
}

export interface VectorSearch {
  /**
   * The nearest vectors, the nearest first: what was delivered before the call, and no more.
   *
   * @param k how many, from 1 to 4,096, the limit of sqlite-vec
   * @throws TidemarkError `INVALID_CALL`; `TARGET_FAILED` when the file cannot be read in time
   */
  search(vector: readonly number[] | Float32Array, k: number): Promise<readonly VectorHit[]>
}

/** @throws TidemarkError `INVALID_CALL` */
export function parseQuery(
  vector: readonly number[] | Float32Array,
  k: number,
  { dimensions, distance }: SqliteVecSettings,
): Float32Array {
  const query = Float32Array.from(vector)
  const problem =
    query.length !== dimensions
      ? `the vector must have ${dimensions} numbers, not ${query.length}`
      : !query.every(Number.isFinite)
        ? 'the vector must be of numbers of 32 bits'
        : distance === 'cosine' && !hasDirection(query)
          ? 'the vector has no direction'
          : Number.isInteger(k) && k >= 1 && k <= 4_096
            ? undefined
            : 'k must be a whole number from 1 to 4096'
  if (problem !== undefined) throw new TidemarkError('INVALID_CALL', `search() cannot search: ${problem}.`)
  return query
}

export function hitOf({ kind, key, distance, metadata }: FoundRow): VectorHit {
  return { kind, key, distance, metadata: JSON.parse(metadata) as Json }
}
