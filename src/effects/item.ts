/** An effect in the hands of a lane. */
import type { Effect } from '../contracts/effect.ts'
import type { Epoch, Seq, WriterName } from '../contracts/position.ts'
import type { Json } from '../contracts/values.ts'
import { effectId, type EffectPlace, type SegmentItem } from '../segments.ts'

/**
 * What lives as long as its effect is in a lane, here and in `segments.ts` and `settlement.ts`, is made by constructors:
 * V8 may give what a literal makes a place among the old, where it keeps alive what it holds (ADR 18).
 */
export class Item implements EffectPlace {
  readonly epoch: Epoch
  readonly seq: Seq
  readonly n: number
  effect: Effect
  /** Not before this time, in ms since 1970. */
  dueAtMs: number
  readonly isLatestOnly: boolean
  /** How often its delivery failed. */
  failures: number
  /** Where it stands in its lane's window. Undefined: it has a row of its own, since it had to wait. */
  slot: Slot | undefined = undefined

  constructor(place: EffectPlace, effect: Effect, dueAtMs: number, isLatestOnly: boolean, failures: number) {
    this.epoch = place.epoch
    this.seq = place.seq
    this.n = place.n
    this.effect = effect
    this.dueAtMs = dueAtMs
    this.isLatestOnly = isLatestOnly
    this.failures = failures
  }
}

/** Its place in a window, as long as it is not finished. */
export class Slot {
  state: 'behind' | 'parked' | 'ready' | 'running' | 'held' | 'finished' = 'behind'
  /** Its number among all of its epoch that were loaded. */
  readonly at: number
  /** About how much room it takes, in characters. */
  readonly length: number
  /** The last of the commits that would finish it. */
  commit = 0
  /** Behind it in the line of its key. */
  next: Item | undefined = undefined
  /** Those that are not finished, of its epoch. */
  before: Item | undefined = undefined
  after: Item | undefined = undefined

  constructor(at: number, length: number) {
    this.at = at
    this.length = length
  }
}

/** Of an item that was loaded. */
export function slotOf(item: Item): Slot {
  return item.slot as Slot
}

/** As its handler is given it. */
export class LaneEffect implements Effect {
  readonly id: string
  readonly kind: string
  readonly key: string | undefined
  readonly payload: Json
  readonly version: number
  readonly position: Effect['position']
  readonly attempt: number
  readonly committedAt: Date

  constructor(
    { epoch, seq, n }: EffectPlace,
    writer: WriterName,
    { kind, key, payload }: Pick<Effect, 'kind' | 'key' | 'payload'>,
    version: number,
    attempt: number,
    committedAt: Date,
  ) {
    this.id = effectId({ epoch, seq, n })
    this.kind = kind
    this.key = key
    this.payload = payload
    this.version = version
    this.position = { writer, epoch, seq }
    this.attempt = attempt
    this.committedAt = committedAt
  }
}

/** One row of the outbox. */
export interface SegmentRow {
  readonly id: number
  readonly writer: WriterName
  readonly epoch: Epoch
  /** Where it ends: what is finished up to here is all that it holds. */
  readonly end: EffectPlace
  readonly committedAtMs: number
  /** It survives a power loss since it can be seen. False: nobody knows. */
  readonly isDurable: boolean
  readonly content: string
}

/** Of a row of one of our tables. */
export function placeIn({ epoch, seq, n }: Record<string, unknown>): EffectPlace {
  return { epoch: Number(epoch) as Epoch, seq: Number(seq) as Seq, n: Number(n) }
}

/** Of a row of the outbox. */
export function endOf({ epoch, last_seq: seq, last_n: n }: Record<string, unknown>): EffectPlace {
  return placeIn({ epoch, seq, n })
}

/** Of an epoch that is forgotten nobody knows the writer any more. */
export function writerOf({ writer }: Record<string, unknown>): WriterName {
  return (typeof writer === 'string' ? writer : '') as WriterName
}

/** So many versions a segment has: one for each of its items. */
const versionsOfSegment = 2 ** 16

/**
 * Segments are numbered as they are committed, as far as they can have a key in common: a row that two writers change
 * is locked until the first of them has committed, and the segment is numbered behind the rows.
 */
export function itemMaker(
  kind: string,
  { id, writer, epoch, committedAtMs }: Pick<SegmentRow, 'id' | 'writer' | 'epoch' | 'committedAtMs'>,
): (index: number, content: SegmentItem) => Item {
  // Effects of one commit share it.
  const committedAt = new Date(committedAtMs)
  return (index, { seq, n, key, payload, delayMs = 0, isLatestOnly = false }) => {
    const place = { epoch, seq, n }
    const content = { kind, key: key ?? undefined, payload }
    const effect = new LaneEffect(place, writer, content, id * versionsOfSegment + index, 1, committedAt)
    return new Item(place, effect, delayMs === 0 ? 0 : committedAtMs + delayMs, isLatestOnly, 0)
  }
}

/** Which of `lanes` an effect goes to: all of one key to the same, those without a key in turn. */
export function laneOf({ key, seq, n }: Pick<SegmentItem, 'key' | 'seq' | 'n'>, lanes: number): number {
  if (lanes === 1) return 0
  return key === null ? (seq + n) % lanes : hashOf(key) % lanes
}

/** FNV-1a over UTF-16 units: it must stay what it is, since processes of several versions may share a kind. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
