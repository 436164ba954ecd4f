/**
 * Those who write through one client, one at a time, in the order of asking.
 *
 * SurrealDB 3.0.2 loses updates: three who add one to a record at once were told of 420 commits, and it had 415. An owner
 * whose epoch had been closed went on that way. In one process, which has an embedded database for itself, the fence does
 * not rest on that.
 */
import { Turns } from '../../sql/turns.ts'

const never = new AbortController().signal

export class Line {
  readonly #turns = new Turns(1, Number.POSITIVE_INFINITY)

  get isTaken(): boolean {
    return this.#turns.isTaken
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.run(never, work)
  }

  /** @returns what lets the next one go; a second time it does nothing */
  take(): Promise<() => void> {
    return this.#turns.take(never)
  }
}

const lines = new WeakMap<object, Line>()

export function lineOf(client: object): Line {
  const known = lines.get(client) ?? new Line()
  lines.set(client, known)
  return known
}
