/**
 * The effects of one epoch that are loaded and not finished, in the order of the outbox, and how far they let it come.
 *
 * Keeps: law 8 (nothing that is in the line counts as finished, and nothing that was committed as finished ever does not).
 *
 * What is finished leaves no trace but a gap: so an effect that is tried again, or waits for a moment, keeps nothing of
 * those behind it in memory.
 *
 * How it could break: two that stand next to each other need no stretch between them, and two with a gap do. So each
 * knows its number among all that were loaded.
 */
import { slotOf, type Item } from './item.ts'
import { isUpTo, later, type EpochProgress, type Place, type Stretch } from './progress.ts'

export class Line {
  #first: Item | undefined
  #last: Item | undefined
  /** So many effects were loaded, finished or not. */
  #loaded = 0
  /** Where what is loaded ends. */
  #endSeq = 0
  #endN = 0

  /** The number of the next that is loaded. */
  get nextAt(): number {
    return this.#loaded
  }

  /** Of the next effect that is loaded, which is not finished: its slot has the number. */
  push(item: Item): void {
    this.passOver(item)
    const last = this.#last
    slotOf(item).before = last
    if (last === undefined) this.#first = item
    else slotOf(last).after = item
    this.#last = item
  }

  /** The next effect that is loaded was finished by an earlier holder. */
  passOver(place: Place): void {
    this.#loaded++
    this.end(place)
  }

  /** All up to here is loaded. */
  end({ seq, n }: Place): void {
    this.#endSeq = seq
    this.#endN = n
  }

  /** It is finished. */
  remove(item: Item): void {
    const slot = slotOf(item)
    const { before, after } = slot
    if (before === undefined) this.#first = after
    else slotOf(before).after = after
    if (after === undefined) this.#last = before
    else slotOf(after).before = before
    // What is old already would keep what is younger from being collected.
    slot.before = slot.after = undefined
  }

  /** Nothing is left in it, and that is told of already. */
  isOver(known: EpochProgress): boolean {
    return this.#first === undefined && !this.isAhead(known)
  }

  /** It has passed more than is told of, such as segments without an effect for it. */
  isAhead(known: EpochProgress): boolean {
    return this.#first === undefined && !isUpTo(this.#endSeq, this.#endN, known.seq, known.n)
  }

  /** How far it has come once those are finished too that this commit finishes. */
  progressWith(known: EpochProgress, commit: number): EpochProgress {
    const done: Stretch[] = []
    let first: Item | undefined
    let last: Item | undefined
    for (let item = this.#first; item; item = slotOf(item).after) {
      if (slotOf(item).commit === commit) continue
      if (last === undefined) first = item
      else if (slotOf(item).at > slotOf(last).at + 1) done.push([last.seq, last.n + 1, item.seq, item.n - 1])
      last = item
    }
    if (last !== undefined && slotOf(last).at + 1 < this.#loaded)
      done.push([last.seq, last.n + 1, this.#endSeq, this.#endN])
    // A new holder loads what is left of the outbox, also what is finished: that leads nowhere back.
    const { seq, n } = later(known, first ? justBefore(first) : { seq: this.#endSeq, n: this.#endN })
    return { seq, n, done: [...done, ...this.#beyond(known)] }
  }

  /** What is not loaded yet stays as it was. */
  #beyond({ done }: EpochProgress): Stretch[] {
    const [seq, n] = [this.#endSeq, this.#endN]
    return done.flatMap((stretch): Stretch[] => {
      const [fromSeq, fromN, toSeq, toN] = stretch
      if (isUpTo(toSeq, toN, seq, n)) return []
      return isUpTo(fromSeq, fromN, seq, n) ? [[seq, n + 1, toSeq, toN]] : [stretch]
    })
  }
}

function justBefore({ seq, n }: Item): Place {
  return { seq, n: n - 1 }
}
