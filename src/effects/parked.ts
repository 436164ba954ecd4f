/**
 * The effects of a window that have to wait for a moment: until they are due, or are tried again. To wait here costs
 * nothing; a row of one's own costs an insert, a select and a delete.
 *
 * Keeps: law 7 (so many at most, and no longer than a moment: whatever has no place here gets a row).
 */
import type { Item } from './item.ts'

const longestMs = 50
/** Each is a hole in what the lane's row tells of its progress. */
const most = 4_096
/** Those that are due within so long of each other go on together. */
const stepMs = 10

export class Parked {
  /** By the time at which they go on. */
  readonly #byTime = new Map<number, Item[]>()
  #count = 0
  /** Nothing goes on before; undefined: nothing is here. */
  nextDueMs: number | undefined

  get count(): number {
    return this.#count
  }

  /** @returns false when it has no place here */
  add(item: Item, nowMs: number): boolean {
    if (item.dueAtMs - nowMs > longestMs || this.#count >= most) return false
    const atMs = Math.ceil(item.dueAtMs / stepMs) * stepMs
    const others = this.#byTime.get(atMs)
    if (others === undefined) this.#byTime.set(atMs, [item])
    else others.push(item)
    this.#count++
    this.nextDueMs = Math.min(this.nextDueMs ?? Infinity, atMs)
    return true
  }

  /** Those that are due by then, the earliest first. */
  takeDue(nowMs: number): Item[] {
    if (this.nextDueMs === undefined || this.nextDueMs > nowMs) return []
    const times = [...this.#byTime.keys()].toSorted((some, others) => some - others)
    const due = times.filter((atMs) => atMs <= nowMs)
    const items = due.flatMap((atMs) => this.#byTime.get(atMs) ?? [])
    for (const atMs of due) this.#byTime.delete(atMs)
    this.#count -= items.length
    this.nextDueMs = times[due.length]
    return items
  }
}
