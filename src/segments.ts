/**
 * How the effects of a batch are written and read: a segment is one JSON text, so that a thousand of them are one row. It
 * holds whose they are, in short, and then their keys, their payloads, and what only some of them have.
 *
 * Keeps: law 8 (an operation that is rejected takes its effects with it; one that is sent again takes each of them once).
 *
 * Hot: an effect is made, and added, once a write on the main thread.
 */
import { GrowingColumn, GrowingPayloads, readColumn, readPayloads } from './columns.ts'
import type { Column, FlatObject, Stretch } from './columns.ts'
import type { Segment } from './contracts/effect.ts'
import type { Epoch, Seq } from './contracts/position.ts'
import type { Json } from './contracts/values.ts'

/** An effect before its operation has a position. */
export interface EncodedEffect {
  readonly kind: string
  readonly key: EncodedKey
  /** As JSON text, or flat. */
  readonly payload: string | FlatObject
  readonly delayMs: number
  readonly isLatestOnly: boolean
}

/** As a dead letter keeps it. */
export interface WrittenEffect extends EncodedEffect {
  /** JSON. */
  readonly payload: string
}

/** A number stands for its text, which is made where it is read: nobody waits there. */
export type EncodedKey = string | number | null

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

/**
 * So many items (`times`) are the `n`th effects of their operations, and each of these operations is `step` behind that of
 * the item before; the first counts from 0. Three numbers after three numbers.
 */
type Places = readonly number[]
/** What few of them have: three numbers for each, which it is, its delay in ms, and whether it is `latestOnly`. */
type Extras = readonly number[]
/** No keys at all: none of them has one. */
type Content = readonly [Places, keys: Column, payloads: readonly Stretch[], Extras]

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

/**
 * A segment longer than this is continued by another, in characters: a store ships them in messages. V8 keeps what is
 * longer than 128 kB by itself, in memory that is mapped for it alone: to join and to read such a text takes four times as
 * long. A character is two bytes where some are not of Latin 1.
 */
const maxSegmentLength = 60 * 1024

const maxKindLength = 100

/** For messages: what is no kind. */
export const kindRule: string = `must be a text of 1 to ${maxKindLength} characters, without NUL`

export function isKind(kind: unknown): kind is string {
  return typeof kind === 'string' && kind !== '' && kind.length <= maxKindLength && isStorable(kind)
}

/** PostgreSQL has no NUL in a text. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** A segment that is being written. */
export class GrowingSegment {
  readonly kind: string
  readonly #first: Seq
  #last = 0
  #lastN = 0
  /** Those before the last three numbers, which are `#step`, `#lastN` and `#times`. */
  readonly #places: number[] = []
  #step = 0
  #times = 0
  readonly #keys = new GrowingColumn()
  readonly #payloads = new GrowingPayloads()
  readonly #extras: number[] = []
  #hasKeys = false
  #length = 0

  /** @param first the operation that carries the first effect */
  constructor(kind: string, first: Seq) {
    this.kind = kind
    this.#first = first
  }

  get isFull(): boolean {
    return this.#payloads.count >= maxSegmentItems || this.#length >= maxSegmentLength
  }

  add(seq: Seq, n: number, { key, payload, delayMs, isLatestOnly }: EncodedEffect): void {
    const step = seq - this.#last
    if (step !== this.#step || n !== this.#lastN) {
      this.#endPlaces()
      this.#step = step
    }
    this.#times++
    if (delayMs > 0 || isLatestOnly) this.#extras.push(this.#payloads.count, delayMs, isLatestOnly ? 1 : 0)
    this.#keys.add(key)
    this.#hasKeys ||= key !== null
    this.#payloads.add(payload)
    this.#length += payload.length + lengthOfKey(key)
    this.#last = seq
    this.#lastN = n
  }

  #endPlaces(): void {
    if (this.#times > 0) this.#places.push(this.#step, this.#lastN, this.#times)
    this.#times = 0
  }

  /** @param goesOnWith an operation whose other effects are in the next segment */
  whole(goesOnWith?: Seq): Segment {
    this.#endPlaces()
    const keys = this.#hasKeys ? this.#keys.text() : '[]'
    return {
      kind: this.kind,
      first: this.#first,
      last: this.#last as Seq,
      lastN: goesOnWith === this.#last ? this.#lastN : endOfOperation,
      count: this.#payloads.count,
      content: `[[${this.#places.join()}],${keys},${this.#payloads.end()},[${this.#extras.join()}]]`,
    }
  }
}

/** About how long it is in a segment, in characters. */
export function lengthOfKey(key: EncodedKey): number {
  return typeof key === 'string' ? key.length + 3 : 8
}

export function decodeSegment(content: string): SegmentItem[] {
  const [places, keyColumn, stretches, extras] = JSON.parse(content) as Content
  const keys = readColumn(keyColumn) as readonly EncodedKey[]
  const payloads = readPayloads(stretches)
  let seq = 0
  let run = -3
  let left = 0
  let extra = 0
  return payloads.map((payload, index) => {
    if (left === 0) left = places[(run += 3) + 2] as number
    left--
    seq += places[run] as number
    const key = keys[index] ?? null
    const item = new DecodedItem(seq as Seq, places[run + 1] as number, key, payload)
    if (extras[extra] === index) {
      item.delayMs = extras[extra + 1] as number
      item.isLatestOnly = extras[extra + 2] === 1
      extra += 3
    }
    return item
  })
}

/** Made by a constructor: see `src/effects/item.ts`. */
class DecodedItem implements SegmentItem {
  readonly seq: Seq
  readonly n: number
  readonly key: string | null
  readonly payload: Json
  delayMs = 0
  isLatestOnly = false

  constructor(seq: Seq, n: number, key: EncodedKey, payload: Json) {
    this.seq = seq
    this.n = n
    this.key = typeof key === 'number' ? String(key) : key
    this.payload = payload
  }
}

/** What a dead letter keeps of its operation's effects, to be accepted again with it. */
export function effectsAt(segments: readonly Segment[], seq: Seq): WrittenEffect[] {
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
  const gone = new Set<number>(rejected.map(({ seq }) => seq))
  return segments.flatMap((segment) => {
    if (segment.last <= prev || segment.first > last) return []
    const items = decodeSegment(segment.content)
    const kept = items.filter(({ seq }) => seq > prev && seq <= last && !gone.has(seq))
    const [first] = kept
    if (first === undefined) return []
    if (kept.length === items.length) return [segment]
    const left = new GrowingSegment(segment.kind, first.seq)
    for (const item of kept) left.add(item.seq, item.n, reencode(segment.kind, item))
    return [left.whole(segment.lastN === endOfOperation ? undefined : segment.last)]
  })
}

function reencode(
  kind: string,
  { key, payload, delayMs = 0, isLatestOnly = false }: SegmentItem,
): WrittenEffect {
  return { kind, key, payload: JSON.stringify(payload), delayMs, isLatestOnly }
}
