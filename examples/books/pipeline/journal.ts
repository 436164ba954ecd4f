/** When each stage of each book began and knew its result, how long it took until the next one began, and who waited. */
import { stageAfter, stageBefore, type StageName } from '../stages/stage.ts'

export type Moment =
  | { readonly kind: 'started' | 'worked'; readonly book: string; readonly stage: StageName }
  | { readonly kind: 'done'; readonly book: string }

export interface Latency {
  readonly book: string
  readonly from: StageName
  readonly to: StageName
  readonly ms: number
}

export class Journal {
  /** Writes that a job waited for until they were committed. */
  awaitedWrites = 0
  /** From the end of a stage's work, its result known in memory, to the start of the next one's work. */
  readonly latencies: Latency[] = []
  /** Of all stages together, without any waiting. */
  workMs = 0
  readonly #worked = new Map<string, number>()
  readonly #started = new Map<string, number>()
  readonly #onMoment: (moment: Moment) => void

  constructor(onMoment: (moment: Moment) => void) {
    this.#onMoment = onMoment
  }

  started(book: string, stage: StageName): void {
    const now = performance.now()
    const from = this.#worked.get(`${book} ${stage}`)
    const before = stageBefore(stage)
    if (from !== undefined && before !== undefined)
      this.latencies.push({ book, from: before, to: stage, ms: now - from })
    this.#started.set(book, now)
    this.#onMoment({ kind: 'started', book, stage })
  }

  worked(book: string, stage: StageName): void {
    const now = performance.now()
    this.workMs += now - (this.#started.get(book) ?? now)
    const next = stageAfter(stage)
    if (next !== undefined) this.#worked.set(`${book} ${next}`, now)
    this.#onMoment({ kind: 'worked', book, stage })
  }

  done(book: string): void {
    this.#onMoment({ kind: 'done', book })
  }

  /** Waits for a write as the caller does, and counts it. */
  async awaited<T>(write: PromiseLike<T>): Promise<T> {
    this.awaitedWrites++
    return await write
  }
}
