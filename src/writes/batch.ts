/**
 * A batch: consecutive operations that are committed together, from the first accepted to the last settled.
 *
 * Owns: its steps until it is settled, and how each of its operations ended afterwards.
 * Keeps: law 1 (settles once; every receipt of it answers from here), law 2 (steps stand in position order, and
 * a run is extended only at its end), law 3 (`advance` forgets exactly what is known to be committed, so a
 * resend can hold no operation twice).
 *
 *   filling ──seal──▶ sealed ──send──▶ in flight ──▶ committed
 *                       ▲                 │  └─────▶ abandoned
 *                       └──chain restarts─┘
 */
import type { Segment } from '../contracts/effect.ts'
import type { Rejection, Run, Shape, Step } from '../contracts/operation.ts'
import type { Seq } from '../contracts/position.ts'
import type { Batch, RunResult } from '../contracts/store.ts'
import type { Value } from '../contracts/values.ts'
import { positionsOf } from '../isolation.ts'
import type { EncodedEffect } from '../segments.ts'
import { EffectBuffer } from './effect-buffer.ts'
import { InvalidOperationError, type Certainty, type TidemarkError } from '../errors.ts'

/** A run longer than this is continued by another, so that a store can ship a batch in messages of this size. */
export const maxRunBytes: number = 256 * 1024

export interface Abandonment {
  readonly error: TidemarkError
  readonly certainty: Certainty
}

const nothing: readonly never[] = []

export class PendingBatch implements Batch {
  /** The position of its first operation, as accepted. */
  readonly first: Seq
  readonly acceptedAtMs: number
  prev: Seq
  last: Seq
  steps: Step[] = []
  operations = 0
  bytes = 0
  /** Somebody waits for it, or its linger is over: it is sent at the end of the tick. */
  isDue = false
  /** A commit of it failed in a way that leaves its outcome open, until the tidemark is read. */
  isUncertain = false
  #tail: Run | undefined
  #effects: EffectBuffer | undefined
  #results: readonly RunResult[] = nothing
  #rejections = new Map<Seq, Rejection>()
  #state: 'pending' | 'committed' | Abandonment = 'pending'
  #settled: PromiseWithResolvers<void> | undefined

  constructor(prev: Seq, nowMs: number) {
    this.prev = prev
    this.last = prev
    this.first = (prev + 1) as Seq
    this.acceptedAtMs = nowMs
  }

  /** The run at the end if it is of this shape, or a new one, which becomes part of the batch by `extend`. */
  runFor(shape: Shape): Run {
    const tail = this.#tail
    if (tail !== undefined && tail.shape === shape && tail.bytes < maxRunBytes) return tail
    return newRun(shape)
  }

  /** One more operation, whose values are at the end of `run`. */
  extend(run: Run, bytes: number): Seq {
    requireUndisturbed(run)
    if (run !== this.#tail) {
      // A run that holds something was the tail when its values began to be read: it stands in the line already.
      if (run.count > 0) throw disturbed()
      this.steps.push(run)
      this.#tail = run
    }
    run.count++
    run.bytes += bytes
    return this.#grow(1, 1, bytes)
  }

  /** A step that is whole already. It takes `positions` positions and counts as `operations`. */
  add(step: Step, positions: number, operations: number, bytes: number): Seq {
    this.steps.push(step)
    this.#tail = undefined
    return this.#grow(positions, operations, bytes)
  }

  /** What the operation at `seq`, the last one, carries. */
  carry(seq: Seq, effects: readonly EncodedEffect[]): void {
    this.#effects ??= new EffectBuffer()
    this.#effects.add(seq, effects)
  }

  get segments(): readonly Segment[] {
    return this.#effects?.segments ?? nothing
  }

  #grow(positions: number, operations: number, bytes: number): Seq {
    this.operations += operations
    this.bytes += bytes
    this.last = (this.last + positions) as Seq
    return this.last
  }

  get isEmpty(): boolean {
    return this.last === this.prev
  }

  get state(): 'pending' | 'committed' | Abandonment {
    return this.#state
  }

  /** The state of one operation: when a batch that was committed half-way is abandoned, its first half is committed. */
  stateOf(seq: Seq): 'pending' | 'committed' | Abandonment {
    return typeof this.#state === 'object' && seq <= this.prev ? 'committed' : this.#state
  }

  /** Resolves when the batch is settled, whichever way. */
  whenSettled(): Promise<void> {
    if (this.#settled === undefined) {
      this.#settled = Promise.withResolvers()
      if (this.#state !== 'pending') this.#settled.resolve()
    }
    return this.#settled.promise
  }

  get rejectionCount(): number {
    return this.#rejections.size
  }

  rejectionOf(seq: Seq): Rejection | undefined {
    return this.#rejections.get(seq)
  }

  rejectionsBetween(first: Seq, last: Seq): Rejection[] {
    return [...this.#rejections.values()].filter(({ seq }) => seq >= first && seq <= last)
  }

  /** The generated id and the changed rows of one operation, where the store told them. */
  resultOf(seq: Seq): { id?: number; changes?: number } {
    for (const result of this.#results) {
      const index = seq - result.first
      if (index < 0) continue
      if ('changes' in result && index < result.changes.length) {
        const id = result.ids?.[index]
        return { changes: result.changes[index] as number, ...(id === undefined ? {} : { id }) }
      }
      if ('firstId' in result && index < result.count) return { id: result.firstId + index }
    }
    return {}
  }

  /** Everything up to `watermark` is committed, with these rejections; what comes after is sent again. */
  advance(watermark: Seq, results: readonly RunResult[], rejections: readonly Rejection[]): void {
    for (const rejection of rejections) {
      if (rejection.seq > this.prev && rejection.seq <= this.last)
        this.#rejections.set(rejection.seq, rejection)
    }
    if (results.length > 0) this.#results = [...this.#results, ...results]
    if (watermark >= this.last) return this.#settle('committed')
    this.steps = stepsAfter(this.steps, watermark - this.prev)
    this.#effects?.forget(watermark)
    this.prev = watermark
  }

  abandon(abandonment: Abandonment): void {
    this.#settle(abandonment)
  }

  #settle(state: 'committed' | Abandonment): void {
    this.#state = state
    // Receipts may be kept for long by their callers; the rows are not theirs to keep.
    this.steps = []
    this.#effects = undefined
    this.#tail = undefined
    this.#settled?.resolve()
  }
}

/**
 * A getter or a `toJSON` of the caller's, called while the values of one operation are read, may itself write.
 * The values of both would be mixed, so the inner call is refused.
 */
export function requireUndisturbed({ values, count, shape }: Run): void {
  if (values.length !== (count + 1) * shape.width) throw disturbed()
}

function disturbed(): InvalidOperationError {
  return new InvalidOperationError(
    'INVALID_CALL',
    'a write was made while the values of another were read.',
    'Write nothing in a getter or in `toJSON()`.',
  )
}

export function newRun(shape: Shape): Run {
  return { kind: 'run', shape, count: 0, bytes: 0, values: [] }
}

/** What is left of the steps when their first `done` positions are committed. A load commits whole. */
function stepsAfter(steps: readonly Step[], done: number): Step[] {
  const rest: Step[] = []
  let skipped = 0
  for (const step of steps) {
    const positions = positionsOf(step)
    const over = Math.min(Math.max(done - skipped, 0), positions)
    skipped += positions
    if (over === 0) rest.push(step)
    else if (over < positions && step.kind === 'run') rest.push(runAfter(step, over))
  }
  return rest
}

function runAfter(run: Run, over: number): Run {
  const values: Value[] = run.values.slice(over * run.shape.width)
  return { ...run, count: run.count - over, values }
}
