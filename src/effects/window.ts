/**
 * The effects of one lane that are loaded and not finished, in the order of the outbox, and which of them may be
 * delivered now.
 *
 * Keeps: law 8 (of one key only the oldest that is unfinished is given out, and none while an older one waits in a row of
 * its own), law 7 (it says when it is full, and whoever loads stops).
 *
 *   behind (an older one of its key) ──oldest now──▶ ready ──take──▶ running ──finish──▶ gone
 *                                      │               ▲               │
 *                                      │               └───put back────┘
 *                                      └──not due, or its key waits──▶ held ──finish (it has a row now)──▶ gone
 */
import type { Item } from './item.ts'
import type { EffectPlace } from '../segments.ts'
import { isFinished, progressAfter, type Progress } from './progress.ts'

/** One place in the line. Without an item: the end of a segment, or what is finished. */
interface Entry extends EffectPlace {
  item: Item | undefined
  state: 'behind' | 'ready' | 'running' | 'held' | 'finished'
}

/** So many loaded effects are enough: a target that takes more at once is a batch of batches. */
const fullAt = 16_384
/** What is finished out of turn takes little room, but not none. */
const longestLine = 4 * fullAt

export class Window {
  readonly #isWaiting: (key: string) => boolean
  readonly #line: Entry[] = []
  readonly #entries = new Map<Item, Entry>()
  readonly #byKey = new Map<string, Item[]>()
  #ready: Item[] = []
  /** So many of them are taken. */
  #readyFrom = 0
  #held: Item[] = []

  /** @param isWaiting whether an effect of this key has a row of its own, so that a newer one must wait too */
  constructor(isWaiting: (key: string) => boolean) {
    this.#isWaiting = isWaiting
  }

  get isFull(): boolean {
    return this.unfinished >= fullAt || this.#line.length >= longestLine
  }

  get hasReady(): boolean {
    return this.#ready.length > this.#readyFrom
  }

  get hasHeld(): boolean {
    return this.#held.length > 0
  }

  /** The committed progress does not tell of all that is finished. */
  get isAhead(): boolean {
    const [first] = this.#line
    return first !== undefined && first.item === undefined
  }

  get unfinished(): number {
    return this.#entries.size
  }

  /** @param wasFinished by an earlier holder, out of turn */
  load(item: Item, wasFinished: boolean, nowMs: number): void {
    if (wasFinished) return this.#pushFinished(item)
    const { epoch, seq, n } = item
    const entry: Entry = { epoch, seq, n, item, state: 'behind' }
    this.#line.push(entry)
    this.#entries.set(item, entry)
    const { key } = item.effect
    const older = key === undefined ? undefined : this.#byKey.get(key)
    if (older !== undefined) older.push(item)
    else {
      if (key !== undefined) this.#byKey.set(key, [item])
      this.#admit(item, nowMs)
    }
  }

  /** Nothing more comes of the segment that ends here. */
  endSegment(place: EffectPlace): void {
    this.#pushFinished(place)
  }

  /**
   * The oldest that may be delivered, each of another key.
   * @returns also those that one of them makes superfluous, the oldest first; they are taken with it
   */
  take(max: number): { items: Item[]; superseded: Map<Item, readonly Item[]> } {
    const taken = this.#takeReady(max)
    const superseded = new Map<Item, readonly Item[]>()
    const items = taken.map((item) => {
      const followed = this.#newestOf(item)
      const newest = followed.pop() ?? item
      if (followed.length > 0) superseded.set(newest, followed)
      for (const one of [...followed, newest]) this.#entryOf(one).state = 'running'
      return newest
    })
    return { items, superseded }
  }

  /** Older ones of its key may have been redriven since it was ready. */
  #takeReady(max: number): Item[] {
    const taken: Item[] = []
    while (this.hasReady && taken.length < max) {
      const item = this.#ready[this.#readyFrom++] as Item
      const { key } = item.effect
      if (key === undefined || !this.#isWaiting(key)) taken.push(item)
      else {
        this.#entryOf(item).state = 'held'
        this.#held.push(item)
      }
    }
    if (2 * this.#readyFrom > this.#ready.length) {
      this.#ready.splice(0, this.#readyFrom)
      this.#readyFrom = 0
    }
    return taken
  }

  /** One of this key is being delivered. */
  isUnderWay(key: string): boolean {
    return (this.#byKey.get(key) ?? []).some((item) => this.#entryOf(item).state === 'running')
  }

  /** They were taken with an older one that is put back. */
  fallBehind(items: readonly Item[]): void {
    for (const item of items) this.#entryOf(item).state = 'behind'
  }

  /** Taken, and not delivered after all. */
  putBack(items: readonly Item[]): void {
    const back = items.filter((item) => this.#entries.get(item)?.state === 'running')
    for (const item of back) this.#entryOf(item).state = 'ready'
    // At the end: what its target refuses must not keep it from being tried with others.
    this.#ready.push(...back)
  }

  /** What needs a row of its own, because it has to wait. It stays here until that is committed. */
  takeHeld(): Item[] {
    const held = this.#held
    this.#held = []
    return held
  }

  /** These are committed as delivered, dead, or kept in rows: the next of their keys may come. */
  finish(items: Iterable<Item>, nowMs: number): void {
    for (const item of items) {
      const entry = this.#entries.get(item)
      if (entry === undefined) continue
      entry.item = undefined
      entry.state = 'finished'
      this.#entries.delete(item)
      this.#removeFromKey(item, nowMs)
    }
  }

  /** The places at the beginning that the committed progress tells of need not be told again. */
  forget(progress: Progress): void {
    const firstLeft = this.#line.findIndex(
      (entry) => entry.item !== undefined || !isFinished(progress, entry),
    )
    this.#line.splice(0, firstLeft < 0 ? this.#line.length : firstLeft)
  }

  /** The progress as it is once `finishing` are finished too. */
  progressWith(progress: Progress, finishing: ReadonlySet<Item>): Progress {
    return progressAfter(
      progress,
      this.#line,
      (entry) => entry.item === undefined || finishing.has(entry.item),
    )
  }

  #admit(item: Item, nowMs: number): void {
    const { key } = item.effect
    const mustWait = item.dueAtMs > nowMs || (key !== undefined && this.#isWaiting(key))
    this.#entryOf(item).state = mustWait ? 'held' : 'ready'
    if (mustWait) this.#held.push(item)
    else this.#ready.push(item)
  }

  /** The item, and those that follow it up to the newest for whose sake all others need not be delivered. */
  #newestOf(item: Item): Item[] {
    const followed = [item]
    let newest = item
    const { key } = item.effect
    for (const next of key === undefined ? [] : (this.#byKey.get(key)?.slice(1) ?? [])) {
      if (!newest.isLatestOnly || !next.isLatestOnly || next.dueAtMs > item.dueAtMs) break
      followed.push((newest = next))
    }
    return followed
  }

  #removeFromKey(item: Item, nowMs: number): void {
    const { key } = item.effect
    if (key === undefined) return
    const line = this.#byKey.get(key) ?? []
    const at = line.indexOf(item)
    if (at >= 0) line.splice(at, 1)
    const [next] = line
    if (next === undefined) this.#byKey.delete(key)
    else if (this.#entryOf(next).state === 'behind') this.#admit(next, nowMs)
  }

  #pushFinished({ epoch, seq, n }: EffectPlace): void {
    this.#line.push({ epoch, seq, n, item: undefined, state: 'finished' })
  }

  /** Of an item that is not finished. */
  #entryOf(item: Item): Entry {
    return this.#entries.get(item) as Entry
  }
}
