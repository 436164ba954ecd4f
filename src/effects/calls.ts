/** Calls of a handler that are under way, and from which lane each has its effects. */
import type { Lane } from './lane.ts'

export class Calls {
  readonly #lanes = new Map<AbortController, Lane>()

  get size(): number {
    return this.#lanes.size
  }

  begin(lane: Lane): AbortController {
    const call = new AbortController()
    this.#lanes.set(call, lane)
    return call
  }

  end(call: AbortController): void {
    this.#lanes.delete(call)
  }

  hasFrom(lane: Lane): boolean {
    return [...this.#lanes.values()].includes(lane)
  }

  /** @param lane whose effects they have; all calls without */
  abort(reason: Error, lane?: Lane): void {
    for (const [call, from] of this.#lanes) if (lane === undefined || lane === from) call.abort(reason)
  }
}
