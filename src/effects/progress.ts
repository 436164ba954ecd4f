/**
 * How far a lane has come: for each epoch the place up to which all are finished, and beyond it the stretches that were
 * finished out of turn. Kept as JSON in the lane's row.
 *
 * Keeps: law 8 (an effect counts as finished only once that is committed, and then for good).
 */
import type { Epoch } from '../contracts/position.ts'
import { endOfOperation, type EffectPlace } from '../segments.ts'

/** Within an epoch. There need not be an effect. */
export interface Place {
  readonly seq: number
  readonly n: number
}

export type Stretch = readonly [fromSeq: number, fromN: number, toSeq: number, toN: number]

export interface EpochProgress extends Place {
  /** In their order, apart from each other. */
  readonly done: readonly Stretch[]
}

export type Progress = ReadonlyMap<Epoch, EpochProgress>

export const nothingYet: EpochProgress = { seq: 0, n: 0, done: [] }

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

export function later(some: Place, other: Place): Place {
  return isUpTo(some.seq, some.n, other.seq, other.n) ? other : some
}

export function isUpTo(seq: number, n: number, otherSeq: number, otherN: number): boolean {
  return seq < otherSeq || (seq === otherSeq && n <= otherN)
}
