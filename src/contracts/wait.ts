/** Somebody's wait. Whoever gives it up cancels it, so that the waits of those long gone do not pile up. */
export interface Wait<T = void> {
  readonly done: Promise<T>
  readonly cancel: () => void
}

/** How long a read may still wait before it runs. */
export interface Patience {
  /** What is left of it, in ms; Infinity: for ever. */
  readonly leftMs: number

  /**
   * @param what is missing, for the error
   * @throws StaleReadError when the time is over before it is done; then it is cancelled
   */
  wait<T>(wait: Wait<T>, what: () => string): Promise<T>
}
