/**
 * The effects of one lane that are loaded and not finished, in the order of the outbox, and which of them may be
 * delivered now.
 *
 * Keeps: law 8 (of one key only the oldest that is unfinished is given out, and none while an older one waits in a row of
 * its own), law 7 (it says when it is full, and whoever loads stops).
 *
 *                                                 ┌──────────failed, or not due, and soon again──────────┐
 *                                                 ▼                                                       │
 *   behind (an older one of its key) ──oldest──▶ parked ──due──▶ ready ──take──▶ running ──finish──▶ gone  │
 *                                      │                           ▲               │  └─────────────────────┘
 *                                      │                           └───put back────┘
 *                                      └──not due for long, or its key waits──▶ held ──finish (it has a row)──▶ gone
 *
 * Hot: each effect comes by here once. An item knows its slot, so that none is looked up.
 */
import type { Epoch } from '../contracts/position.ts'
import type { EffectPlace } from '../segments.ts'
import { Slot, slotOf, type Item } from './item.ts'
import { Line } from './line.ts'
import { Parked } from './parked.ts'
import { nothingYet, type Progress } from './progress.ts'

/** The unfinished effects of one key. */
interface KeyLine {
  first: Item
  last: Item
}

/**
 * Twice as many are loaded as are delivered at once, within these bounds: one half is delivered while what became of the
 * other is committed. The younger they are when they go, the less the collector has to do with them.
 */
const [fewest, most] = [1_024, 16_384] as const
/** In characters. */
const fullAtLength = 16 * 1024 * 1024

export class Window {
  readonly #fullAt: number
  readonly #isWaiting: (key: string) => boolean
  readonly #lines = new Map<Epoch, Line>()
  #unfinished = 0
  #length = 0
  #commits = 0
  readonly #byKey = new Map<string, KeyLine>()
  #ready: Item[] = []
  /** So many of them are taken. */
  #readyFrom = 0
  #held: Item[] = []
  readonly #parked = new Parked()

  /**
   * @param atOnce so many effects are delivered at once
   * @param isWaiting whether an effect of this key has a row of its own, so that a newer one must wait too
   */
  constructor(atOnce: number, isWaiting: (key: string) => boolean) {
    this.#fullAt = Math.min(most, Math.max(fewest, 2 * atOnce))
    this.#isWaiting = isWaiting
  }

  get isFull(): boolean {
    return this.#unfinished - this.#parked.count >= this.#fullAt || this.#length >= fullAtLength
  }

  get hasReady(): boolean {
    return this.#ready.length > this.#readyFrom
  }

  /** When the next of those that wait here is due. */
  get nextDueMs(): number | undefined {
    return this.#parked.nextDueMs
  }

  get hasHeld(): boolean {
    return this.#held.length > 0
  }

  /** It has passed more than is committed, such as segments without an effect for it. */
  isAhead(progress: Progress): boolean {
    return [...this.#lines].some(([epoch, line]) => line.isAhead(progress.get(epoch) ?? nothingYet))
  }

  /**
   * @param wasFinished by an earlier holder, out of turn
   * @param length about how much room it takes, in characters
   */
  load(item: Item, wasFinished: boolean, nowMs: number, length: number): void {
    const line = this.#lineOf(item.epoch)
    if (wasFinished) return line.passOver(item)
    item.slot = new Slot(line.nextAt, length)
    line.push(item)
    this.#unfinished++
    this.#length += length
    const { key } = item.effect
    const others = key === undefined ? undefined : this.#byKey.get(key)
    if (others === undefined) {
      if (key !== undefined) this.#byKey.set(key, { first: item, last: item })
      this.#admit(item, nowMs)
    } else {
      slotOf(others.last).next = item
      others.last = item
    }
  }

  /** Nothing more comes of the segment that ends here. */
  endSegment(place: EffectPlace): void {
    this.#lineOf(place.epoch).end(place)
  }

  /**
   * The oldest that may be delivered, each of another key.
   * @returns also those that one of them makes superfluous, the oldest first; they are taken with it
   */
  take(max: number): { items: Item[]; superseded: Map<Item, readonly Item[]> } {
    const superseded = new Map<Item, readonly Item[]>()
    const items = this.#takeReady(max).map((item) => {
      const older: Item[] = []
      let newest = item
      for (let next = this.#superseding(newest, item); next; next = this.#superseding(newest, item)) {
        older.push(newest)
        slotOf(newest).state = 'running'
        newest = next
      }
      slotOf(newest).state = 'running'
      if (older.length > 0) superseded.set(newest, older)
      return newest
    })
    return { items, superseded }
  }

  /** Some are held instead: older ones of their keys may have been redriven since they were ready. */
  #takeReady(max: number): Item[] {
    let taken: Item[] = []
    while (taken.length === 0 && this.hasReady) {
      const next = this.#ready.slice(this.#readyFrom, this.#readyFrom + max)
      this.#readyFrom += next.length
      taken = next.filter((item) => this.#mayGo(item))
    }
    if (2 * this.#readyFrom > this.#ready.length) {
      this.#ready.splice(0, this.#readyFrom)
      this.#readyFrom = 0
    }
    return taken
  }

  #mayGo(item: Item): boolean {
    const { key } = item.effect
    if (key === undefined || !this.#isWaiting(key)) return true
    this.#hold(item)
    return false
  }

  /** One of this key is being delivered. */
  isUnderWay(key: string): boolean {
    for (let item = this.#byKey.get(key)?.first; item; item = slotOf(item).next)
      if (slotOf(item).state === 'running') return true
    return false
  }

  /** They were taken with an older one that is put back. */
  fallBehind(items: readonly Item[]): void {
    for (const item of items) slotOf(item).state = 'behind'
  }

  /** Taken, and not delivered after all. */
  putBack(items: readonly Item[]): void {
    for (const item of items) {
      // At the end: what its target refuses must not keep it from being tried with others.
      if (slotOf(item).state === 'running') this.#makeReady(item)
    }
  }

  /** It has to wait. @returns whether it does so here; else it needs a row */
  park(item: Item, nowMs: number): boolean {
    if (!this.#parked.add(item, nowMs)) return false
    slotOf(item).state = 'parked'
    return true
  }

  /** Those whose time has come may be taken. */
  letDueOn(nowMs: number): void {
    for (const item of this.#parked.takeDue(nowMs)) this.#makeReady(item)
  }

  /** What needs a row of its own, because it has to wait. It stays here until that is committed. */
  takeHeld(): Item[] {
    const held = this.#held
    this.#held = []
    return held
  }

  /** The progress as it is once `finishing` are finished too. */
  progressWith(progress: Progress, finishing: Iterable<Item>): Progress {
    const commit = ++this.#commits
    for (const { slot } of finishing) if (slot) slot.commit = commit
    const reached = new Map(progress)
    for (const [epoch, line] of this.#lines)
      reached.set(epoch, line.progressWith(progress.get(epoch) ?? nothingYet, commit))
    return reached
  }

  /** These are committed as delivered, dead, or kept in rows: the next of their keys may come. */
  finish(items: Iterable<Item>, nowMs: number): void {
    for (const item of items) {
      const { slot } = item
      if (slot === undefined || slot.state === 'finished') continue
      slot.state = 'finished'
      this.#lineOf(item.epoch).remove(item)
      this.#unfinished--
      this.#length -= slot.length
      if (item.effect.key !== undefined) this.#leaveKey(item.effect.key, slot.next, nowMs)
      slot.next = undefined
    }
  }

  /** What is over of it, and committed, need not be told again. */
  forget(progress: Progress): void {
    for (const [epoch, line] of this.#lines)
      if (line.isOver(progress.get(epoch) ?? nothingYet)) this.#lines.delete(epoch)
  }

  #lineOf(epoch: Epoch): Line {
    const known = this.#lines.get(epoch)
    if (known !== undefined) return known
    const line = new Line()
    this.#lines.set(epoch, line)
    return line
  }

  #admit(item: Item, nowMs: number): void {
    const { key } = item.effect
    if (key !== undefined && this.#isWaiting(key)) return this.#hold(item)
    if (item.dueAtMs <= nowMs) return this.#makeReady(item)
    if (!this.park(item, nowMs)) this.#hold(item)
  }

  #makeReady(item: Item): void {
    slotOf(item).state = 'ready'
    this.#ready.push(item)
  }

  #hold(item: Item): void {
    slotOf(item).state = 'held'
    this.#held.push(item)
  }

  /** What follows `newest`, if for its sake those from `oldest` on need not be delivered. */
  #superseding(newest: Item, oldest: Item): Item | undefined {
    if (!newest.isLatestOnly) return undefined
    const { next } = slotOf(newest)
    return next?.isLatestOnly === true && next.dueAtMs <= oldest.dueAtMs ? next : undefined
  }

  /** The first of a key is finished: all that are finished at once are, in their order. */
  #leaveKey(key: string, next: Item | undefined, nowMs: number): void {
    const others = this.#byKey.get(key)
    if (others === undefined) return
    if (next === undefined) this.#byKey.delete(key)
    else {
      others.first = next
      if (slotOf(next).state === 'behind') this.#admit(next, nowMs)
    }
  }
}
