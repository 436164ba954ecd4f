/**
 * Whether a target is down: then its effects wait where they are, and are tried a few at a time, instead of each failing
 * by itself until it is dead.
 *
 *   up ──three answers in a row that say nothing but "not now"──▶ down ──a delivery──▶ up
 *                                                                 └─▲
 *                                                     another refusal, a longer pause
 */
import type { Runtime, Timer } from '../contracts/runtime.ts'

const refusalsToBeDown = 3
const firstPauseMs = 250
const longestPauseMs = 30_000

export class Outage {
  readonly #runtime: Runtime
  readonly #onPauseOver: () => void
  readonly #onChange: (isDown: boolean) => void
  #refusals = 0
  #pause: Timer | undefined

  constructor(runtime: Runtime, onPauseOver: () => void, onChange: (isDown: boolean) => void) {
    this.#runtime = runtime
    this.#onPauseOver = onPauseOver
    this.#onChange = onChange
  }

  get isDown(): boolean {
    return this.#refusals >= refusalsToBeDown
  }

  /** How many deliveries may be under way now; undefined: as many as the limiter says. */
  get room(): number | undefined {
    if (this.#pause !== undefined) return 0
    return this.isDown ? 1 : undefined
  }

  delivered(): void {
    const wasDown = this.isDown
    this.#refusals = 0
    this.#pause?.cancel()
    this.#pause = undefined
    if (wasDown) this.#onChange(false)
  }

  refused(): void {
    this.#refusals++
    if (!this.isDown) return
    if (this.#refusals === refusalsToBeDown) this.#onChange(true)
    const doublings = Math.min(20, this.#refusals - refusalsToBeDown)
    const ceiling = Math.min(longestPauseMs, firstPauseMs * 2 ** doublings)
    this.#pause?.cancel()
    this.#pause = this.#runtime.after(ceiling * (0.5 + this.#runtime.random() / 2), () => {
      this.#pause = undefined
      this.#onPauseOver()
    })
  }

  stop(): void {
    this.#pause?.cancel()
    this.#pause = undefined
  }
}
