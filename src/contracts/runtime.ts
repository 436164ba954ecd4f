/**
 * Every source of nondeterminism. The engine takes time, timers, chance and names from here alone, so that a
 * simulation can replay it.
 */
export interface Runtime {
  /** Milliseconds that never go back, with fractions; only differences mean something. */
  monotonicMs(): number
  /** Milliseconds since 1970 as the machine's clock has it; may jump. */
  wallMs(): number
  /** Runs `task` once after `ms`. A background timer does not keep the process alive. */
  after(ms: number, task: () => void, background?: 'background'): Timer
  /** Runs `task` after everything that is ready to run in this turn of the event loop. */
  atEndOfTick(task: () => void): void
  /** At least 0, below 1. */
  random(): number
  /** Unique across processes. */
  uniqueId(): string
  /** As many bytes that nobody can guess, as hexadecimal digits. */
  randomHex(bytes: number): string
}

export interface Timer {
  cancel(): void
}
