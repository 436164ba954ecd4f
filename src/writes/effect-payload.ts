/**
 * Payloads of effects as they are queued: flat where they are objects of texts and numbers, JSON text where they are not.
 *
 * Keeps: law 1 (a snapshot: nothing that is left of the caller's can change).
 *
 * Flat only under the names of the payload before it: one whose names no other has would be a column for each.
 */
import type { FlatObject, Scalar } from '../columns.ts'
import { encodeJson } from './values.ts'

/** Of each kind, the names in its last payload: nearly always those of the next. */
const lastNames = new Map<string, readonly string[]>()
/** Those of the kind that was asked for last. */
let latest: { readonly kind: string; readonly names: readonly string[] } | undefined
const mostKinds = 1_000
const noNames: readonly string[] = []

/** @throws InvalidOperationError `UNBINDABLE_VALUE` */
export function encodePayload(kind: string, payload: unknown): string | FlatObject {
  return flatCopyOf(kind, payload) ?? textOf(kind, payload)
}

/** By itself: a function that makes another makes room for what that one sees whenever it is called. */
function textOf(kind: string, payload: unknown): string {
  return encodeJson(payload, () => `the payload of an effect of kind "${kind}"`)
}

function flatCopyOf(kind: string, payload: unknown): FlatObject | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined
  if (Object.getPrototypeOf(payload) !== Object.prototype) return undefined
  const names = latest?.kind === kind ? latest.names : namesOf(kind)
  const values = { ...payload } as Record<string, Scalar>
  let at = 0
  let length = 2
  for (const name in values) {
    if (name !== names[at++]) return void learnNames(kind, values)
    const value: unknown = values[name]
    if (typeof value === 'string') length += value.length + name.length + 6
    else if (typeof value === 'number' || typeof value === 'boolean' || value === null)
      length += name.length + 8
    else return undefined
  }
  if (at === names.length && at > 0) return { names, values, length }
  return void learnNames(kind, values)
}

function namesOf(kind: string): readonly string[] {
  latest = { kind, names: lastNames.get(kind) ?? noNames }
  return latest.names
}

function learnNames(kind: string, values: object): void {
  const names = Object.keys(values)
  if (lastNames.size >= mostKinds) lastNames.clear()
  // Where it is read, this one would not be set as the others are.
  lastNames.set(kind, names.includes('__proto__') ? noNames : names)
  latest = undefined
}
