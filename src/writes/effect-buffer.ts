/**
 * The effects that the operations of one batch carry, by kind, until the batch is settled.
 *
 * Keeps: law 8 (each effect is sent with its operation and with no other; what is known to be committed is forgotten
 * here as it is in the batch).
 *
 * Hot: `add` runs once an effect: it puts a text together and remembers it.
 */
import type { Segment } from '../contracts/effect.ts'
import type { Seq } from '../contracts/position.ts'
import { encodeItem, maxSegmentItems, maxSegmentLength, segmentsOf, type EncodedEffect } from '../segments.ts'

/** A segment that still takes items. */
interface Growing {
  readonly kind: string
  readonly first: Seq
  last: Seq
  length: number
  readonly items: string[]
}

export class EffectBuffer {
  #whole: Segment[] = []
  readonly #growing = new Map<string, Growing>()

  /** All effects of one operation. */
  add(seq: Seq, effects: readonly EncodedEffect[]): void {
    for (const [n, { kind, tail }] of effects.entries()) {
      const item = encodeItem(seq, n, tail)
      const growing = this.#growingFor(kind, seq)
      growing.items.push(item)
      growing.length += item.length
      growing.last = seq
    }
  }

  /** What there is now; more may be added afterwards. */
  get segments(): readonly Segment[] {
    for (const growing of this.#growing.values()) this.#whole.push(segmentFrom(growing))
    this.#growing.clear()
    return this.#whole
  }

  /** The operations up to here are committed. */
  forget(upTo: Seq): void {
    this.#whole = [...segmentsOf(this.segments, upTo, Number.POSITIVE_INFINITY as Seq, [])]
  }

  #growingFor(kind: string, seq: Seq): Growing {
    const known = this.#growing.get(kind)
    if (known !== undefined && known.items.length < maxSegmentItems && known.length < maxSegmentLength)
      return known
    if (known !== undefined) this.#whole.push(segmentFrom(known))
    const made = { kind, first: seq, last: seq, length: 0, items: [] }
    this.#growing.set(kind, made)
    return made
  }
}

function segmentFrom({ kind, first, last, items }: Growing): Segment {
  return { kind, first, last, count: items.length, content: `[${items.join(',')}]` }
}
