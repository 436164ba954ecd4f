/** An effect in the hands of a lane. */
import type { Effect } from '../contracts/effect.ts'
import type { Epoch, Seq, WriterName } from '../contracts/position.ts'
import { effectId, type EffectPlace, type SegmentItem } from '../segments.ts'
import type { Slot } from './window.ts'

export interface Item extends EffectPlace {
  effect: Effect
  /** Not before this time, in ms since 1970. */
  dueAtMs: number
  readonly isLatestOnly: boolean
  /** Where it stands in its lane's window. Undefined: it has a row of its own, since it had to wait. */
  slot: Slot | undefined
  /** How often its delivery failed. */
  failures: number
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
  return (index, { seq, n, key, payload, delayMs = 0, isLatestOnly = false }) => ({
    epoch,
    seq,
    n,
    effect: {
      id: effectId({ epoch, seq, n }),
      kind,
      key: key ?? undefined,
      payload,
      version: id * versionsOfSegment + index,
      position: { writer, epoch, seq },
      attempt: 1,
      committedAt,
    },
    dueAtMs: delayMs === 0 ? 0 : committedAtMs + delayMs,
    isLatestOnly,
    failures: 0,
    slot: undefined,
  })
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
