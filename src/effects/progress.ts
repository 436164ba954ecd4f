/**
 * How far a lane has come: for each epoch the last effect up to which all are finished, and beyond it the stretches that
 * were finished out of turn. Kept as JSON in the lane's row.
 *
 * Keeps: law 8 (an effect counts as finished only once that is committed, and then for good).
 */
import type { Epoch } from '../contracts/position.ts'
import { endOfOperation, type EffectPlace } from '../segments.ts'

type Stretch = readonly [fromSeq: number, fromN: number, toSeq: number, toN: number]

export interface EpochProgress {
  readonly seq: number
  readonly n: number
  /** In their order, apart from each other. */
  readonly done: readonly Stretch[]
}

export type Progress = ReadonlyMap<Epoch, EpochProgress>

type ProgressJson = Readonly<Record<string, readonly [seq: number, n: number, done?: readonly Stretch[]]>>

export function decodeProgress(json: string): Progress {
  const epochs = Object.entries(JSON.parse(json) as ProgressJson)
  return new Map(epochs.map(([epoch, [seq, n, done = []]]) => [Number(epoch) as Epoch, { seq, n, done }]))
}

export function encodeProgress(progress: Progress): string {
  const entries = [...progress].map(([epoch, { seq, n, done }]) => [
    epoch,
    done.length === 0 ? [seq, n] : [seq, n, done],
  ])
  return JSON.stringify(Object.fromEntries(entries) as ProgressJson)
}

export function isFinished(progress: Progress, { epoch, seq, n }: EffectPlace): boolean {
  const known = progress.get(epoch)
  if (known === undefined) return false
  if (isUpTo(seq, n, known.seq, known.n)) return true
  const last = known.done.at(-1)
  if (last === undefined || !isUpTo(seq, n, last[2], last[3])) return false
  return known.done.some(
    ([fromSeq, fromN, toSeq, toN]) => isUpTo(fromSeq, fromN, seq, n) && isUpTo(seq, n, toSeq, toN),
  )
}

/** Whether everything of its epoch up to this place is finished. */
export function isPast(progress: Progress, { epoch, seq, n }: EffectPlace): boolean {
  const known = progress.get(epoch)
  return known !== undefined && isUpTo(seq, n, known.seq, known.n)
}

/** The last operation of the epoch up to which everything is finished; 0: none. */
export function passedUpTo(progress: Progress, epoch: Epoch): number {
  const known = progress.get(epoch)
  if (known === undefined) return 0
  return known.n >= endOfOperation ? known.seq : Math.max(0, known.seq - 1)
}

/**
 * The progress behind a line of places that begins where `progress` ends.
 *
 * @param count of the places, from the first; what is told of those behind stays as it was
 * @param isDone whether the place is finished
 */
export function progressAfter<P extends EffectPlace>(
  progress: Progress,
  line: readonly P[],
  count: number,
  isDone: (place: P) => boolean,
): Progress {
  const advances = new Map([...progress].map(([epoch, known]) => [epoch, new Advance(known)] as const))
  let of: Epoch | undefined
  let advance: Advance | undefined
  for (let at = 0; at < count; at++) {
    const place = line[at] as P
    if (place.epoch !== of) advance = advances.get((of = place.epoch))
    if (advance === undefined) advances.set(place.epoch, (advance = new Advance({ seq: 0, n: 0, done: [] })))
    advance.add(place.seq, place.n, isDone(place))
  }
  return new Map([...advances].map(([epoch, { progress: reached }]) => [epoch, reached]))
}

/** How one epoch's progress grows along its places. */
class Advance {
  readonly #known: EpochProgress
  #seq: number
  #n: number
  #lastSeq = 0
  #lastN = 0
  readonly #done: Stretch[] = []
  #isUnbroken = true
  #wasDone = false

  constructor(known: EpochProgress) {
    this.#known = known
    this.#seq = known.seq
    this.#n = known.n
  }

  add(seq: number, n: number, isDone: boolean): void {
    // A new holder loads what is left of the outbox, also what is finished: that leads nowhere back.
    if (isUpTo(seq, n, this.#known.seq, this.#known.n)) return
    if (isDone && this.#isUnbroken) {
      this.#seq = seq
      this.#n = n
    } else if (isDone) {
      const last = this.#wasDone ? this.#done.pop() : undefined
      this.#done.push(last === undefined ? [seq, n, seq, n] : [last[0], last[1], seq, n])
    } else {
      this.#isUnbroken = false
    }
    this.#wasDone = isDone
    this.#lastSeq = seq
    this.#lastN = n
  }

  get progress(): EpochProgress {
    const beyond = this.#known.done.flatMap((stretch): Stretch[] => {
      const [fromSeq, fromN, toSeq, toN] = stretch
      // What is not loaded yet stays as it was.
      if (isUpTo(toSeq, toN, this.#lastSeq, this.#lastN)) return []
      return isUpTo(fromSeq, fromN, this.#lastSeq, this.#lastN)
        ? [[this.#lastSeq, this.#lastN + 1, toSeq, toN]]
        : [stretch]
    })
    return { seq: this.#seq, n: this.#n, done: [...this.#done, ...beyond] }
  }
}

function isUpTo(seq: number, n: number, otherSeq: number, otherN: number): boolean {
  return seq < otherSeq || (seq === otherSeq && n <= otherN)
}
