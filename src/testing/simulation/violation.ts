/** A broken promise, and the events that show it. */
export interface Violation {
  readonly law: number
  readonly message: string
  /** The number of the event at which it shows. */
  readonly at: number
}

export type Report = (law: number, message: string) => void
