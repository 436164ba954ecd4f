/**
 * Notices when batches wait and none is committed: a stuck store, a lock held by another process, a full disk.
 *
 * Owns: one background timer, running only while something waits. It alerts once a stall, and changes nothing.
 */
import type { Runtime, Timer } from '../contracts/runtime.ts'

export class Watchdog {
  readonly #runtime: Runtime
  readonly #alertAfterMs: number
  readonly #onStall: (sinceMs: number) => void
  #timer: Timer | undefined
  #progressAtMs = 0
  #hasAlerted = false

  constructor(runtime: Runtime, alertAfterMs: number, onStall: (sinceMs: number) => void) {
    this.#runtime = runtime
    this.#alertAfterMs = alertAfterMs
    this.#onStall = onStall
  }

  /** Something waits now. */
  watch(): void {
    if (this.#timer !== undefined) return
    this.progress()
    this.#arm()
  }

  /** Something was committed. */
  progress(): void {
    this.#progressAtMs = this.#runtime.monotonicMs()
    this.#hasAlerted = false
  }

  /** Nothing waits any more. */
  rest(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(): void {
    this.#timer = this.#runtime.after(this.#alertAfterMs / 2, () => this.#look(), 'background')
  }

  #look(): void {
    const sinceMs = this.#runtime.monotonicMs() - this.#progressAtMs
    if (sinceMs >= this.#alertAfterMs && !this.#hasAlerted) {
      this.#hasAlerted = true
      this.#onStall(sinceMs)
    }
    this.#arm()
  }
}
