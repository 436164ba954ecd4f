/** Writes down what happens, and what is still waited for. */
import type { Ending, Happening } from './history.ts'
import type { Scheduler } from './scheduler.ts'
import { TidemarkError, WriteRejectedError, type Outcome } from '../../index.ts'

/** @typeParam H what may happen in this world */
export class Recorder<H extends object = Happening> {
  readonly events: ({ readonly atMs: number } & H)[] = []
  /** Calls under way, by their number: what they are and whose. */
  readonly waiting: Map<number, { readonly what: string; readonly process: number }> = new Map()
  operations = 0
  readonly #scheduler: Scheduler
  #calls = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  add(happening: H): void {
    this.events.push({ atMs: this.#scheduler.nowMs, ...happening })
  }

  /** Follows a call until it ends. `ended` is told how, and what it gave if it succeeded. */
  call<T>(
    process: number,
    what: string,
    start: (call: number) => Promise<T>,
    ended: (call: number, ending: Ending, given: T | undefined) => void,
  ): void {
    const call = ++this.#calls
    this.operations++
    this.waiting.set(call, { what, process })
    const end = (ending: Ending, given: T | undefined): void => {
      this.waiting.delete(call)
      ended(call, ending, given)
    }
    let promise: Promise<T>
    try {
      promise = start(call)
    } catch (error) {
      return end(failed(error), undefined)
    }
    promise.then(
      (given) => end({ kind: 'committed' }, given),
      (error: unknown) => end(failed(error), undefined),
    )
  }
}

export function endingOf(outcome: Outcome): Ending {
  switch (outcome.kind) {
    case 'committed': {
      const { position, ...rest } = outcome
      return { ...rest, seq: position.seq }
    }
    case 'rejected':
      return { ...failed(outcome.error), kind: 'rejected' }
    case 'abandoned':
      return { ...failed(outcome.error), kind: 'abandoned' }
  }
}

/** An error that is not one of ours is a bug, or one that the workload has thrown itself. */
export function failed(error: unknown): Ending {
  if (!(error instanceof TidemarkError)) return { kind: 'failed', storeCode: String(error) }
  const { code, outcome } = error
  const seq = /position (\d+)/.exec(error.message)?.[1]
  return {
    kind: 'failed',
    code,
    outcome,
    ...(error instanceof WriteRejectedError && { storeCode: error.storeCode, deadLetter: error.deadLetter }),
    ...(seq !== undefined && { seq: Number(seq) }),
  }
}
