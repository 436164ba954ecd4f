import { createHash } from 'node:crypto'
import type { Schemas } from '@qdrant/js-client-rest'
import type { Effect } from '../../contracts/effect.ts'
import type { Json } from '../../contracts/values.ts'
import { UnreadablePayload } from '../outcome.ts'
import { keyOf, membersOf, vectorIn, type Members } from '../payload.ts'

/**
 * What an effect asks for. `vector` is one vector, or several by their names. `payload` is kept with the point, beside
 * `tidemark`, which is this target's: kind, key and version.
 */
export type QdrantPayload =
  | {
      readonly op: 'set'
      readonly vector: readonly number[] | { readonly [name: string]: readonly number[] }
      readonly payload?: { readonly [name: string]: Json }
    }
  | { readonly op: 'delete' }

/** Of this target's points: any UUID, and always the same. */
const namespace = Buffer.from('8f3f5e0a2c6b4d0b9a6e64c1d7a2b953', 'hex')

/** The id of the point that effects of this kind and key are about: a UUID, version 5 (RFC 9562). */
export function qdrantPointId(kind: string, key: string): string {
  const bytes = createHash('sha1')
    .update(namespace)
    .update(JSON.stringify([kind, key]))
    .digest()
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  )
}

/** One effect as an operation that changes nothing but an older point. @throws UnreadablePayload */
export function parsePointChange(effect: Effect): Schemas['UpdateOperation'] {
  const { op } = membersOf(effect.payload, ['op', 'vector', 'payload'])
  const { kind, version } = effect
  const key = keyOf(effect)
  const id = qdrantPointId(kind, key)
  // Qdrant compares doubles, which hold versions exactly.
  const isOlder = { key: 'tidemark.version', range: { lt: version } }
  if (op === 'delete') {
    membersOf(effect.payload, ['op'])
    return { delete: { filter: { must: [{ has_id: [id] }, isOlder] } } }
  }
  if (op !== 'set') throw new UnreadablePayload("op must be 'set' or 'delete'")
  const members = membersOf(effect.payload, ['op', 'vector', 'payload'])
  const payload = { ...payloadIn(members), tidemark: { kind, key, version } }
  return {
    upsert: { points: [{ id, vector: vectorsIn(members), payload }], update_filter: { must: [isOlder] } },
  }
}

function vectorsIn(members: Members): number[] | Record<string, number[]> {
  const { vector } = members
  if (typeof vector !== 'object' || vector === null || Array.isArray(vector))
    return [...vectorIn(members, 'vector')]
  const named = vector as Members
  return Object.fromEntries(Object.keys(named).map((name) => [name, [...vectorIn(named, name)]]))
}

function payloadIn({ payload = {} }: Members): Members {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    throw new UnreadablePayload('payload must be an object')
  if ('tidemark' in payload) throw new UnreadablePayload('payload must not hold "tidemark"')
  return payload as Members
}
