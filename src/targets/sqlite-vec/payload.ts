import type { Effect } from '../../contracts/effect.ts'
import type { Json } from '../../contracts/values.ts'
import { UnreadablePayload } from '../outcome.ts'
import { keyOf, membersOf, vectorIn } from '../payload.ts'
import type { VectorChange } from './messages.ts'
import type { SqliteVecSettings } from './options.ts'

/** What an effect asks for. `metadata` is kept beside the vector, and comes with it when it is found. */
export type SqliteVecPayload =
  | { readonly op: 'set'; readonly vector: readonly number[]; readonly metadata?: Json }
  | { readonly op: 'delete' }

/** @throws UnreadablePayload */
export function parseVectorPayload(
  effect: Effect,
  { dimensions, distance }: SqliteVecSettings,
): VectorChange {
  const { op } = membersOf(effect.payload, ['op', 'vector', 'metadata'])
  const { kind, version } = effect
  const key = keyOf(effect)
  if (op === 'delete') {
    membersOf(effect.payload, ['op'])
    return { kind, key, version }
  }
  if (op !== 'set') throw new UnreadablePayload("op must be 'set' or 'delete'")
  const members = membersOf(effect.payload, ['op', 'vector', 'metadata'])
  const vector = Float32Array.from(vectorIn(members, 'vector', dimensions))
  if (distance === 'cosine' && !hasDirection(vector))
    throw new UnreadablePayload('vector has no direction, which the cosine distance compares')
  return { kind, key, version, vector, metadata: JSON.stringify(members['metadata'] ?? null) }
}

/** The sum of squares is what it would be divided by: not zero, nor endless, in 32 bits. */
export function hasDirection(vector: Float32Array): boolean {
  const square = Math.fround(vector.reduce((sum, one) => sum + one * one, 0))
  return square > 0 && square < Infinity
}
