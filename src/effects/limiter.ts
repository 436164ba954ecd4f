/**
 * Finds how many deliveries of one kind may run at once: as many as its target takes without refusing or queueing them.
 *
 * Owns: that number, and the count of what runs. Keeps: law 7 (bounded: at least `min`, at most `max`, whatever the
 * target answers). No other law depends on it; it only moves when a delivery begins.
 *
 * A limit that is full grows by one for each limit's worth of deliveries, and shrinks by a fifth when the target refuses,
 * or when deliveries take twice as long as they usually do (docs/adr/0017-adaptive-concurrency.md).
 *
 * It breaks where one burst of refusals is taken for many, where a limit grows that nobody uses, and where a delivery
 * that has ended still counts as running: one that never ends keeps its place until whoever began it ends it.
 */
import type { Runtime } from '../contracts/runtime.ts'
import { LatencyTrend } from './latency-trend.ts'

/** `failed` is an error that says nothing about the target's load. */
export type DeliveryEnd = 'delivered' | 'overload' | 'failed'

export interface Delivery {
  /** Gives the place back. Only the first call counts. */
  end(how: DeliveryEnd): void
}

const defaultMax = 64
/**
 * What is left while the target still delivers. TCP halves so that the queues of a network drain; a target that refuses
 * has none of ours, and halving would leave a quarter of it idle on the way back. A fifth costs a tenth at most.
 */
const backOff = 0.8
/** What is left when nothing was delivered since the last decrease: the target is down, and six steps lead from 64 to 1. */
const backOffWhenDown = 0.5
/** How many times longer than others the step takes that was too much the last time. */
const caution = 8

export class Limiter {
  readonly #min: number
  readonly #max: number
  readonly #runtime: Pick<Runtime, 'monotonicMs'>
  readonly #latency: LatencyTrend
  /** With its fraction: what was grown towards the next whole number. */
  #exact: number
  #running = 0
  #begun = 0
  /** The last delivery that had begun when the limit last shrank. Those up to it say nothing about the limit of now. */
  #lastBeforeDecrease = 0
  /** The last delivery whose beginning filled the limit. */
  #lastToFill = 0
  #hasDeliveredSinceDecrease = true
  /** The limit from which it last shrank. */
  #tooMuch = Infinity

  constructor(
    options: { readonly initial?: number; readonly min?: number; readonly max?: number },
    runtime: Pick<Runtime, 'monotonicMs'>,
  ) {
    this.#min = Math.max(1, options.min ?? 1)
    this.#max = Math.max(this.#min, options.max ?? defaultMax)
    // It begins low: the first latencies are those of a target that does nothing else for us, and others are compared with
    // them. From 1 to 4 it is a dozen deliveries.
    this.#exact = this.#bounded(options.initial ?? 1)
    this.#latency = new LatencyTrend(this.#min)
    this.#runtime = runtime
  }

  /** How many deliveries may run now. More do, for a while, after it has shrunk. */
  get limit(): number {
    return Math.floor(this.#exact)
  }

  get max(): number {
    return this.#max
  }

  get running(): number {
    return this.#running
  }

  get hasRoom(): boolean {
    return this.#running < this.limit
  }

  /** Takes a place. Whoever calls it has seen that there is room. */
  begin(): Delivery {
    const number = ++this.#begun
    const beganMs = this.#runtime.monotonicMs()
    this.#running++
    if (!this.hasRoom) this.#lastToFill = number
    let hasEnded = false
    return {
      end: (how) => {
        if (hasEnded) return
        hasEnded = true
        this.#running--
        if (number > this.#lastBeforeDecrease) this.#learn(how, number, beganMs)
      },
    }
  }

  #learn(how: DeliveryEnd, number: number, beganMs: number): void {
    if (how === 'overload') {
      this.#shrink(this.#hasDeliveredSinceDecrease ? backOff : backOffWhenDown)
      this.#hasDeliveredSinceDecrease = false
    } else if (how === 'delivered') {
      this.#hasDeliveredSinceDecrease = true
      // While fewer run than may, the target was not asked whether it takes more.
      if (this.#lastToFill < number) return
      const isQueueing = this.#latency.observe(this.#runtime.monotonicMs() - beganMs, this.limit)
      if (isQueueing) this.#shrink(backOff)
      else if (this.#latency.mayGrow) this.#grow()
    }
  }

  #grow(): void {
    const isCareful = this.limit + 1 === this.#tooMuch
    this.#exact = this.#bounded(this.#exact + 1 / this.#exact / (isCareful ? caution : 1))
  }

  #shrink(factor: number): void {
    this.#tooMuch = this.limit
    this.#exact = this.#bounded(this.#exact * factor)
    this.#lastBeforeDecrease = this.#begun
    this.#latency.startRound()
  }

  #bounded(limit: number): number {
    return Math.min(this.#max, Math.max(this.#min, limit))
  }
}
