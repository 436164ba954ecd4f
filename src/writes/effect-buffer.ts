/**
 * The effects that the operations of one batch carry, by kind, until the batch is settled.
 *
 * Keeps: law 8 (each effect is sent with its operation and with no other; what is known to be committed is forgotten
 * here as it is in the batch).
 *
 * Hot: `add` runs once an operation.
 */
import type { Segment } from '../contracts/effect.ts'
import type { Seq } from '../contracts/position.ts'
import { segmentsOf, GrowingSegment, type EncodedEffect } from '../segments.ts'

export class EffectBuffer {
  #whole: Segment[] = []
  readonly #growing = new Map<string, GrowingSegment>()
  /** What was added to last: nearly always the next too. */
  #latest: GrowingSegment | undefined

  /** All effects of one operation. */
  add(seq: Seq, effects: readonly EncodedEffect[]): void {
    for (let n = 0; n < effects.length; n++) {
      const effect = effects[n] as EncodedEffect
      this.#growingFor(effect.kind, seq).add(seq, n, effect)
    }
  }

  /** What there is now; more may be added afterwards. */
  get segments(): readonly Segment[] {
    for (const growing of this.#growing.values()) this.#whole.push(growing.whole())
    this.#growing.clear()
    this.#latest = undefined
    return this.#whole
  }

  /** The operations up to here are committed. */
  forget(upTo: Seq): void {
    this.#whole = [...segmentsOf(this.segments, upTo, Number.POSITIVE_INFINITY as Seq, [])]
  }

  #growingFor(kind: string, seq: Seq): GrowingSegment {
    const latest = this.#latest
    const known = latest?.kind === kind ? latest : this.#growing.get(kind)
    if (known !== undefined && !known.isFull) return (this.#latest = known)
    if (known !== undefined) this.#whole.push(known.whole(seq))
    const made = new GrowingSegment(kind, seq)
    this.#growing.set(kind, made)
    return (this.#latest = made)
  }
}
