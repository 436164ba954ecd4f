/**
 * How the effects of a batch are written and read: a segment is the JSON text of an array with one item an effect, so
 * that a thousand of them are one row.
 *
 * Keeps: law 8 (an operation that is rejected takes its effects with it; one that is sent again takes each of them once).
 *
 * Hot: `encodeEffect` and `SegmentText.add` run once an effect on the main thread. They add to texts, since that is the
 * cheapest that was found: `npm run bench -- effects`.
 */
import type { Segment } from './contracts/effect.ts'
import type { Epoch, Seq } from './contracts/position.ts'
import type { Json } from './contracts/values.ts'

/** An effect before its operation has a position. */
export interface EncodedEffect {
  readonly kind: string
  /** What stands in the item behind its position, to its end. */
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

/** `step`: how far its operation is behind that of the item before; of the first item, its position. */
type ItemTuple = readonly [step: number, n: number, key: string | null, payload: Json, ...ItemFlags]
type ItemFlags = [] | [delayMs: number] | [delayMs: number, isLatestOnly: 1]

/** Where an effect stands: which of the effects of which operation. */
export interface EffectPlace {
  readonly epoch: Epoch
  readonly seq: Seq
  readonly n: number
}

/** Behind every effect of an operation. */
export const endOfOperation: number = 2 ** 31 - 1

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
const maxSegmentItems = 2 ** 16

/** A segment longer than this is continued by another, in characters: a store ships them in messages. */
const maxSegmentLength = 128 * 1024

/** @param payload its JSON text */
export function encodeEffect(
  kind: string,
  key: string | null,
  payload: string,
  delayMs: number,
  isLatestOnly: boolean,
): EncodedEffect {
  const flags = isLatestOnly ? `,${delayMs},1` : delayMs > 0 ? `,${delayMs}` : ''
  return { kind, tail: `${key === null ? 'null' : quote(key)},${payload}${flags}]` }
}

/** What JSON writes without a backslash. */
const plain = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/

/** As `JSON.stringify`, which takes longer for a short text. */
function quote(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** A segment that is being written. */
export class SegmentText {
  readonly kind: string
  readonly #first: Seq
  #last = 0
  #lastN = 0
  #count = 0
  #items = ''

  /** @param first the operation that carries the first effect */
  constructor(kind: string, first: Seq) {
    this.kind = kind
    this.#first = first
  }

  get isFull(): boolean {
    return this.#count >= maxSegmentItems || this.#items.length >= maxSegmentLength
  }

  add(seq: Seq, n: number, tail: string): void {
    this.#items += `${this.#count === 0 ? '' : ','}[${seq - this.#last},${n},` + tail
    this.#last = seq
    this.#lastN = n
    this.#count++
  }

  /** @param goesOnWith an operation whose other effects are in the next segment */
  whole(goesOnWith?: Seq): Segment {
    return {
      kind: this.kind,
      first: this.#first,
      last: this.#last as Seq,
      lastN: goesOnWith === this.#last ? this.#lastN : endOfOperation,
      count: this.#count,
      content: `[${this.#items}]`,
    }
  }
}

export function decodeSegment(content: string): SegmentItem[] {
  const items = JSON.parse(content) as ItemTuple[]
  let seq = 0
  return items.map(([step, n, key, payload, delayMs = 0, isLatestOnly]) => {
    seq += step
    return { seq: seq as Seq, n, key, payload, delayMs, isLatestOnly: isLatestOnly === 1 }
  })
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
    const text = new SegmentText(segment.kind, first.seq)
    for (const item of kept) text.add(item.seq, item.n, reencode(segment.kind, item).tail)
    return [text.whole(segment.lastN === endOfOperation ? undefined : segment.last)]
  })
}

function reencode(
  kind: string,
  { key, payload, delayMs = 0, isLatestOnly = false }: SegmentItem,
): EncodedEffect {
  return encodeEffect(kind, key, JSON.stringify(payload), delayMs, isLatestOnly)
}
