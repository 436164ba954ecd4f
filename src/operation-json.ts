/**
 * How operations are kept in dead letters: JSON that a person can read with SQL and that comes back exactly.
 * Binary values and bigints, which JSON lacks, are tagged: `{"$bytes":"base64"}`, `{"$bigint":"1"}`.
 */
import type { Segment } from './contracts/effect.ts'
import type { DeadLetterId, Run, Shape } from './contracts/operation.ts'
import type { Seq } from './contracts/position.ts'
import type { Value } from './contracts/values.ts'
import { effectsAt, type WrittenEffect } from './segments.ts'

/** A dead letter's content: the operation it kept, or the input that never became one. */
export type LetterContent = RejectedRuns | { readonly text: string }

interface RejectedRuns {
  readonly runs: readonly Run[]
  /** The letter of the row that one of them refers to. */
  readonly causedBy?: DeadLetterId
  /** What follows from them once they are committed. Absent: nothing. */
  readonly effects?: readonly WrittenEffect[]
}

type TaggedValue =
  | null
  | number
  | string
  | { readonly $bigint: string }
  | { readonly $bytes: string }
  | { readonly $number: string }

export function encodeLetter(content: LetterContent): string {
  if ('text' in content) return JSON.stringify(content)
  return JSON.stringify({
    causedBy: content.causedBy,
    effects: content.effects,
    runs: content.runs.map(({ shape, values, count }) => ({ shape, count, values: values.map(encode) })),
  })
}

export function decodeLetter(json: string): LetterContent {
  const content = JSON.parse(json) as
    | { text: string }
    | {
        causedBy?: DeadLetterId
        effects?: WrittenEffect[]
        runs: { shape: Shape; count: number; values: TaggedValue[] }[]
      }
  if ('text' in content) return content
  return {
    ...(content.causedBy === undefined ? {} : { causedBy: content.causedBy }),
    ...(content.effects === undefined ? {} : { effects: content.effects }),
    runs: content.runs.map(({ shape, count, values }) => ({
      kind: 'run',
      shape,
      count,
      bytes: 0,
      values: values.map(decode),
    })),
  }
}

/** What the operation at `seq` leaves in its letter, with the effects that it carried. */
export function withEffects(content: LetterContent, segments: readonly Segment[], seq: Seq): LetterContent {
  if ('text' in content) return content
  const effects = effectsAt(segments, seq)
  return effects.length === 0 ? content : { ...content, effects }
}

function encode(value: Value): TaggedValue {
  if (typeof value === 'bigint') return { $bigint: value.toString() }
  if (value instanceof Uint8Array)
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
  // Infinity and -0 are numbers that JSON would change.
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return { $number: Object.is(value, -0) ? '-0' : String(value) }
  return value
}

function decode(value: TaggedValue): Value {
  if (typeof value !== 'object' || value === null) return value
  if ('$bigint' in value) return BigInt(value.$bigint)
  if ('$number' in value) return Number(value.$number)
  return new Uint8Array(Buffer.from(value.$bytes, 'base64'))
}
