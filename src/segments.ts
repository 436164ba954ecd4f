/**
 * How the effects of a batch are written and read: a segment is the JSON text of an array with one item an effect, so
 * that a thousand of them are one row. Items are put together as texts, since one is made for every effect.
 *
 * Keeps: law 8 (an operation that is rejected takes its effects with it; one that is sent again takes each of them once).
 */
import type { Segment } from './contracts/effect.ts'
import type { Epoch, Seq } from './contracts/position.ts'
import type { Json } from './contracts/values.ts'

/** An effect before its operation has a position. */
export interface EncodedEffect {
  readonly kind: string
  /** JSON: what stands in the item behind its position. */
  readonly tail: string
}

/** What a person gave for it. */
export interface EffectContent {
  readonly key: string | null
  readonly payload: Json
  /** Not before so long after its commit, in ms. */
  readonly delayMs?: number
  /** A later one of the same key makes it superfluous, as long as it is not under way. */
  readonly isLatestOnly?: boolean
}

export interface SegmentItem extends EffectContent {
  readonly seq: Seq
  /** Which of its operation's effects. */
  readonly n: number
}

type ItemTuple = readonly [seq: number, n: number, key: string | null, payload: Json, ...ItemFlags]
type ItemFlags = [] | [delayMs: number] | [delayMs: number, isLatestOnly: 1]

/** Where an effect stands: which of the effects of which operation. */
export interface EffectPlace {
  readonly epoch: Epoch
  readonly seq: Seq
  readonly n: number
}

export function effectId({ epoch, seq, n }: EffectPlace): string {
  return `${epoch}-${seq}-${n}`
}

/** @returns undefined when it is no id of an effect */
export function placeOf(id: string): EffectPlace | undefined {
  const found = /^(\d{1,16})-(\d{1,16})-(\d{1,10})$/.exec(id)
  if (!found) return undefined
  return { epoch: Number(found[1]) as Epoch, seq: Number(found[2]) as Seq, n: Number(found[3]) }
}

/** A version counts items within a segment, so a segment has no more. See `versionOf`. */
export const maxSegmentItems: number = 2 ** 16

/** A segment longer than this is continued by another, in characters: a store ships them in messages. */
export const maxSegmentLength: number = 128 * 1024

/** @param payload its JSON text */
export function encodeEffect(
  kind: string,
  key: string | null,
  payload: string,
  { delayMs = 0, isLatestOnly = false }: Pick<EffectContent, 'delayMs' | 'isLatestOnly'>,
): EncodedEffect {
  const flags = isLatestOnly ? `,${delayMs},1` : delayMs > 0 ? `,${delayMs}` : ''
  return { kind, tail: `${key === null ? 'null' : JSON.stringify(key)},${payload}${flags}` }
}

export function encodeItem(seq: Seq, n: number, tail: string): string {
  return `[${seq},${n},${tail}]`
}

export function decodeSegment(content: string): SegmentItem[] {
  const items = JSON.parse(content) as ItemTuple[]
  return items.map(([seq, n, key, payload, delayMs = 0, isLatestOnly]) => ({
    seq: seq as Seq,
    n,
    key,
    payload,
    delayMs,
    isLatestOnly: isLatestOnly === 1,
  }))
}

/** What a dead letter keeps of its operation's effects, to be accepted again with it. */
export function effectsAt(segments: readonly Segment[], seq: Seq): EncodedEffect[] {
  return segments
    .filter(({ first, last }) => first <= seq && seq <= last)
    .flatMap(({ kind, content }) =>
      decodeSegment(content)
        .filter((item) => item.seq === seq)
        .map((item) => [item.n, reencode(kind, item)] as const),
    )
    .toSorted(([some], [other]) => some - other)
    .map(([, effect]) => effect)
}

/** The segments of the operations after `prev` and up to `last`, without those that were rejected. */
export function segmentsOf(
  segments: readonly Segment[],
  prev: Seq,
  last: Seq,
  rejected: readonly { readonly seq: Seq }[],
): readonly Segment[] {
  const isWhole = segments.every((segment) => segment.first > prev && segment.last <= last)
  if (isWhole && rejected.length === 0) return segments
  const left = new Set<number>(rejected.map(({ seq }) => seq))
  return segments.flatMap((segment) => {
    if (segment.last <= prev || segment.first > last) return []
    const items = decodeSegment(segment.content)
    const kept = items.filter(({ seq }) => seq > prev && seq <= last && !left.has(seq))
    const [first] = kept
    if (first === undefined) return []
    if (kept.length === items.length) return [segment]
    const content = `[${kept.map((item) => encodeItem(item.seq, item.n, reencode(segment.kind, item).tail)).join(',')}]`
    return [
      { kind: segment.kind, first: first.seq, last: kept.at(-1)?.seq as Seq, count: kept.length, content },
    ]
  })
}

function reencode(kind: string, item: SegmentItem): EncodedEffect {
  return encodeEffect(kind, item.key, JSON.stringify(item.payload), item)
}
