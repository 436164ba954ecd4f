/** Whether the holders of lanes show signs of life, by the clock of whoever looks. */
import type { Runtime } from '../contracts/runtime.ts'
import type { LaneRow } from './lease.ts'

interface Sight {
  readonly token: number
  readonly beat: number
  readonly sinceMs: number
}

export class Sights {
  readonly #runtime: Runtime
  #seen = new Map<string, Sight>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** @param lanes all that there are, by kind */
  see(lanes: ReadonlyMap<string, readonly LaneRow[]>): void {
    const before = this.#seen
    const nowMs = this.#runtime.monotonicMs()
    this.#seen = new Map(
      [...lanes].flatMap(([kind, rows]) =>
        rows.map(({ lane, token, beat }) => {
          const name = nameOf(kind, lane)
          const known = before.get(name)
          const isSame = known?.token === token && known.beat === beat
          return [name, isSame ? known : { token, beat, sinceMs: nowMs }] as const
        }),
      ),
    )
  }

  /** Each has a holder that was not silent for as long as it asked for. A kind without lanes was never handled. */
  areHeld(kind: string, rows: readonly LaneRow[]): boolean {
    const nowMs = this.#runtime.monotonicMs()
    return (
      rows.length > 0 &&
      rows.every(({ lane, isOwnerGone, leaseMs }) => {
        const sinceMs = this.#seen.get(nameOf(kind, lane))?.sinceMs ?? nowMs
        return !isOwnerGone && nowMs - sinceMs < leaseMs
      })
    )
  }
}

function nameOf(kind: string, lane: number): string {
  return `${lane} ${kind}`
}
