/** Reads the payloads of effects, which anybody may have written. */
import type { Effect } from '../contracts/effect.ts'
import type { Json } from '../contracts/values.ts'
import { UnreadablePayload } from './outcome.ts'

export type Members = Readonly<Record<string, Json>>

/** @throws UnreadablePayload when it is no object, or has other members than these */
export function membersOf(payload: Json, allowed: readonly string[]): Members {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    throw new UnreadablePayload('its payload is no object')
  const unknown = Object.keys(payload).find((name) => !allowed.includes(name))
  if (unknown !== undefined)
    throw new UnreadablePayload(`its payload has ${JSON.stringify(unknown)}, not only ${allowed.join(', ')}`)
  return payload as Members
}

/** @throws UnreadablePayload when it is no text, or an empty one */
export function textIn(members: Members, name: string): string {
  const value = members[name]
  if (typeof value !== 'string' || value === '') throw new UnreadablePayload(`${name} must be a text`)
  return value
}

/** @throws UnreadablePayload when it is there, and no whole number above 0 */
export function optionalWholeIn(members: Members, name: string): number | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (!Number.isSafeInteger(value) || (value as number) <= 0)
    throw new UnreadablePayload(`${name} must be a whole number above 0`)
  return value as number
}

/** @throws UnreadablePayload when it is not there: JSON has no other way of saying that */
export function valueIn(members: Members, name: string): Json {
  const value = members[name]
  if (value === undefined) throw new UnreadablePayload(`${name} is missing`)
  return value
}

/** @throws UnreadablePayload when it is no list of numbers that 32 bits can hold, or not of this length */
export function vectorIn(members: Members, name: string, dimensions?: number): readonly number[] {
  const value = members[name]
  if (!Array.isArray(value) || value.length === 0 || !value.every(isFloat))
    throw new UnreadablePayload(`${name} must be a list of numbers of 32 bits`)
  if (dimensions !== undefined && value.length !== dimensions)
    throw new UnreadablePayload(`${name} must have ${dimensions} numbers, not ${value.length}`)
  return value
}

function isFloat(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(Math.fround(value))
}

/** @throws UnreadablePayload when it has none: the target keeps things by their keys */
export function keyOf(effect: Effect): string {
  if (effect.key === undefined) throw new UnreadablePayload('it has no key')
  return effect.key
}
