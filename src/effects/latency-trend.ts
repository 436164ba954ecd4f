/**
 * Tells from latencies that deliveries queue at their target before it refuses any.
 *
 * Owns: what is usual. Keeps: nothing of the laws depends on it; a wrong verdict costs the limiter one step.
 *
 * Rounds of deliveries are compared, not single ones: the service times of one target differ by more than its queue. A
 * round that takes twice the usual time means a queue, if it is ours: with half as many deliveries it would be about half
 * as long. If it is not, the target has become slower by itself (larger batches, other clients), and that is usual now.
 *
 * It breaks where what is usual rises with our own queue: then latency grows without end, and nobody is told.
 */

/** The fewest deliveries of a round. Means of so many differ by less than a fifth even where single ones differ tenfold. */
const leastRound = 32
/** Of the round that tells what is usual, before the limit grows for the first time. */
const firstRound = 8
const doubleLog = Math.log(2)
/** How far what is usual moves towards a round that was a little quicker: one lucky round does not make others look slow. */
const quickerShare = 1 / 8
/** Below, it is timers and the event loop that take the time, not the target. */
const leastMs = 1

interface Round {
  /** Means of logarithms, which one straggler among many hardly moves: of the latencies, and of the limits they met. */
  readonly latency: number
  readonly limit: number
}

export class LatencyTrend {
  readonly #leastLimit: number
  #usual: number | undefined
  #count = 0
  #latencies = 0
  #limits = 0
  /** The first of the rounds that take too long. */
  #suspicion: Round | undefined

  constructor(leastLimit: number) {
    this.#leastLimit = leastLimit
  }

  /** Whether it is known what is usual, and the last round was not longer. */
  get mayGrow(): boolean {
    return this.#usual !== undefined && this.#suspicion === undefined
  }

  /** @returns whether a round has ended that shows a queue of ours at the target */
  observe(latencyMs: number, limit: number): boolean {
    const latency = Math.log(latencyMs > leastMs ? latencyMs : leastMs)
    this.#count++
    this.#latencies += latency
    this.#limits += Math.log(limit)
    if (this.#count < (this.#usual === undefined ? firstRound : Math.max(leastRound, limit))) return false
    const round = { latency: this.#latencies / this.#count, limit: this.#limits / this.#count }
    this.startRound()
    this.#usual ??= round.latency
    return this.#isQueue(round, this.#usual, limit <= this.#leastLimit)
  }

  /** What was measured under another limit does not count. */
  startRound(): void {
    this.#count = 0
    this.#latencies = 0
    this.#limits = 0
  }

  #isQueue(round: Round, usual: number, isLeast: boolean): boolean {
    const quicker = usual - round.latency
    if (quicker > 0) this.#usual = usual - quicker * (quicker > doubleLog ? 1 : quickerShare)
    if (round.latency <= usual + doubleLog) {
      this.#suspicion = undefined
      return false
    }
    this.#suspicion ??= round
    const fewer = this.#suspicion.limit - round.limit
    const shorter = this.#suspicion.latency - round.latency
    // At the least limit nothing can be done against a queue, and at 1 there is none: they cannot wait for each other.
    if (isLeast || (fewer >= doubleLog && shorter < fewer / 2)) {
      this.#usual = round.latency
      this.#suspicion = undefined
      return false
    }
    return true
  }
}
