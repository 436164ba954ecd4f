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
 * Hot: each effect comes by here once. An item knows its slot, so that none is looked up; and of the line only what
 * comes before the last that is finishing is walked along.
 */
import type { Item } from './item.ts'
import type { EffectPlace } from '../segments.ts'
import { Parked } from './parked.ts'
import { isFinished, progressAfter, type Progress } from './progress.ts'

/** One place in the line. Without an item: the end of a segment, or what is finished. */
export interface Slot extends EffectPlace {
  item: Item | undefined
  state: 'behind' | 'parked' | 'ready' | 'running' | 'held' | 'finished'
  /** Its index among all that ever stood in the line. */
  readonly at: number
  /** About how much room the item takes, in characters. */
  readonly length: number
  /** The last of the commits that would finish it. */
  commit: number
  /** Behind it in the line of its key. */
  next: Item | undefined
}

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
/** What is finished out of turn takes little room, but not none. */
const longestLine = 64 * 1024

export class Window {
  readonly #fullAt: number
  readonly #isWaiting: (key: string) => boolean
  readonly #line: Slot[] = []
  /** So many have left the line at its front. */
  #gone = 0
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
    return (
      this.#unfinished - this.#parked.count >= this.#fullAt ||
      this.#length >= fullAtLength ||
      this.#line.length >= longestLine
    )
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

  /** The committed progress does not tell of all that is finished. */
  get isAhead(): boolean {
    const [first] = this.#line
    return first !== undefined && first.item === undefined
  }

  /**
   * @param wasFinished by an earlier holder, out of turn
   * @param length about how much room it takes, in characters
   */
  load(item: Item, wasFinished: boolean, nowMs: number, length: number): void {
    if (wasFinished) return this.endSegment(item)
    item.slot = this.#push(item, item, length)
    this.#unfinished++
    this.#length += length
    const { key } = item.effect
    const line = key === undefined ? undefined : this.#byKey.get(key)
    if (line === undefined) {
      if (key !== undefined) this.#byKey.set(key, { first: item, last: item })
      this.#admit(item, nowMs)
    } else {
      slotOf(line.last).next = item
      line.last = item
    }
  }

  /** Nothing more comes of the segment that ends here. */
  endSegment(place: EffectPlace): void {
    this.#push(place, undefined, 0)
  }

  /**
   * The oldest that may be delivered, each of another key.
   * @returns also those that one of them makes superfluous, the oldest first; they are taken with it
   */
  take(max: number): { items: Item[]; superseded: Map<Item, readonly Item[]> } {
    const superseded = new Map<Item, readonly Item[]>()
    const items: Item[] = []
    for (const item of this.#takeReady(max)) {
      const older: Item[] = []
      let newest = item
      for (let next = this.#superseding(newest, item); next; next = this.#superseding(newest, item)) {
        older.push(newest)
        slotOf(newest).state = 'running'
        newest = next
      }
      slotOf(newest).state = 'running'
      if (older.length > 0) superseded.set(newest, older)
      items.push(newest)
    }
    return { items, superseded }
  }

  /** Older ones of its key may have been redriven since it was ready. */
  #takeReady(max: number): Item[] {
    const taken: Item[] = []
    while (this.hasReady && taken.length < max) {
      const item = this.#ready[this.#readyFrom++] as Item
      const { key } = item.effect
      if (key === undefined || !this.#isWaiting(key)) taken.push(item)
      else this.#hold(item)
    }
    if (2 * this.#readyFrom > this.#ready.length) {
      this.#ready.splice(0, this.#readyFrom)
      this.#readyFrom = 0
    }
    return taken
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
    let last = -1
    for (const { slot } of finishing) {
      if (slot === undefined) continue
      slot.commit = commit
      if (slot.at > last) last = slot.at
    }
    const isDone = (slot: Slot): boolean => slot.item === undefined || slot.commit === commit
    // Behind the last of them nothing changes, but for the ends of segments that directly follow.
    let behind = Math.max(0, last - this.#gone)
    while (behind < this.#line.length && isDone(this.#line[behind] as Slot)) behind++
    return progressAfter(progress, this.#line, behind, isDone)
  }

  /** These are committed as delivered, dead, or kept in rows: the next of their keys may come. */
  finish(items: Iterable<Item>, nowMs: number): void {
    for (const item of items) {
      const { slot } = item
      if (slot?.item !== item) continue
      slot.item = undefined
      slot.state = 'finished'
      this.#unfinished--
      this.#length -= slot.length
      if (item.effect.key !== undefined) this.#leaveKey(item.effect.key, slot.next, nowMs)
      slot.next = undefined
    }
  }

  /** The places at the beginning that the committed progress tells of need not be told again. */
  forget(progress: Progress): void {
    const { length } = this.#line
    let gone = 0
    while (gone < length) {
      const slot = this.#line[gone] as Slot
      if (slot.item !== undefined || !isFinished(progress, slot)) break
      gone++
    }
    this.#line.splice(0, gone)
    this.#gone += gone
  }

  #push({ epoch, seq, n }: EffectPlace, item: Item | undefined, length: number): Slot {
    const at = this.#gone + this.#line.length
    const state = item === undefined ? 'finished' : 'behind'
    const slot: Slot = { epoch, seq, n, item, state, at, length, commit: 0, next: undefined }
    this.#line.push(slot)
    return slot
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
    const line = this.#byKey.get(key)
    if (line === undefined) return
    if (next === undefined) this.#byKey.delete(key)
    else {
      line.first = next
      if (slotOf(next).state === 'behind') this.#admit(next, nowMs)
    }
  }
}

/** Of an item that was loaded. */
function slotOf(item: Item): Slot {
  return item.slot as Slot
}
