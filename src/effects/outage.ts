/**
 * Whether a target is down: then its effects wait where they are, and are tried one at a time, instead of each failing by
 * itself until it is dead.
 *
 * Keeps: law 8 (an outage makes no dead letters: what is refused counts as an attempt only while the target is up, as far as
 * anybody here knows. Who begins anew knows nothing, so that it does not matter how often that happens in an outage).
 * And a target that is down is asked no sooner than it wanted to be, as long as that is no longer than `longestAskedMs`. But what
 * it said of one effect alone may be about that one: with that it is asked no sooner, and with another as if it had not said it.
 *
 *   unknown ──an answer──▶ up ──three refusals in a row──▶ down ──an answer──▶ up
 *      └─────────────────three refusals in a row───────────▲ └─▲
 *                                                        another refusal, a longer pause
 *
 * How it could break: each time that a target goes from up to down, two refusals count, since two may be the fault of
 * their effects; so one that answers now and then all through an outage, or refuses most but not all, uses attempts up.
 * And an effect that is refused while nothing else is delivered looks like a target that is down: it waits for ever, and
 * `targetDown` is what a person sees of it. What such an effect's own host asks for holds up that effect alone; what the hosts of
 * two ask for holds up all, until the next question: so it is not believed for hours.
 */
import type { Runtime, Timer } from '../contracts/runtime.ts'

const refusalsToBeDown = 3
const firstPauseMs = 250
const longestPauseMs = 30_000
/**
 * Whoever counts requests by the minute, or restarts, is left alone for as long as it takes. One that says a day may mean
 * one account or one page of many, or have a wrong clock: asking it every five minutes costs it nothing.
 */
const longestAskedMs = 300_000

export class Outage {
  readonly #runtime: Runtime
  readonly #onPauseOver: () => void
  readonly #onChange: (isDown: boolean) => void
  #hasAnswered = false
  /** In a row. */
  #refusals = 0
  /** Of which effects they are: one, or two of them. */
  readonly #refused = new Set<string>()
  #pause: Timer | undefined
  /** Until when it wants to be left alone, as far as it is believed; by the monotonic clock. */
  #askedUntilMs = Number.NEGATIVE_INFINITY

  constructor(runtime: Runtime, onPauseOver: () => void, onChange: (isDown: boolean) => void) {
    this.#runtime = runtime
    this.#onPauseOver = onPauseOver
    this.#onChange = onChange
  }

  get isDown(): boolean {
    return this.#refusals >= refusalsToBeDown
  }

  /** A refusal may be the effect's own fault. */
  get isUp(): boolean {
    return this.#hasAnswered && !this.isDown
  }

  /** What it asks for may be meant for this effect alone, which then waits by itself. */
  get refusesOne(): boolean {
    return this.#refused.size === 1
  }

  /** How many deliveries may be under way now; undefined: as many as the limiter says. */
  get room(): number | undefined {
    if (this.#pause !== undefined) return 0
    return this.isDown ? 1 : undefined
  }

  /** Whatever it said, it was there. */
  answered(): void {
    const wasDown = this.isDown
    this.#hasAnswered = true
    this.#refusals = 0
    this.#refused.clear()
    this.#askedUntilMs = Number.NEGATIVE_INFINITY
    this.#pause?.cancel()
    this.#pause = undefined
    if (wasDown) this.#onChange(false)
  }

  /**
   * It said nothing but "not now".
   *
   * @param ids of the effects that it said this of
   * @param askedMs how long it wants to be left alone; 0: it does not say
   */
  refused(ids: readonly string[], askedMs: number): void {
    for (const id of ids) if (this.#refused.size < 2) this.#refused.add(id)
    const nowMs = this.#runtime.monotonicMs()
    this.#askedUntilMs = Math.max(this.#askedUntilMs, nowMs + Math.min(longestAskedMs, askedMs))
    this.#refusals++
    if (!this.isDown) return
    if (this.#refusals === refusalsToBeDown) this.#onChange(true)
    const doublings = Math.min(20, this.#refusals - refusalsToBeDown)
    const ceiling = Math.min(longestPauseMs, firstPauseMs * 2 ** doublings)
    const ownMs = ceiling * (0.5 + this.#runtime.random() / 2)
    this.#pause?.cancel()
    // On top of what it asked for, so that not all who were told the same come back together.
    const askedOfAllMs = this.refusesOne ? 0 : Math.max(0, this.#askedUntilMs - nowMs)
    this.#pause = this.#runtime.after(askedOfAllMs + ownMs, () => {
      this.#pause = undefined
      this.#onPauseOver()
    })
  }

  stop(): void {
    this.#pause?.cancel()
    this.#pause = undefined
  }
}
