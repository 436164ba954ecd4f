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

  /** It shows no sign of life for as long as it asked for. */
  isSilent(kind: string, { lane, leaseMs }: LaneRow): boolean {
    const nowMs = this.#runtime.monotonicMs()
    const sinceMs = this.#seen.get(nameOf(kind, lane))?.sinceMs ?? nowMs
    return nowMs - sinceMs >= leaseMs
  }

  /** Each has a holder that is not silent. A kind without lanes was never handled. */
  areHeld(kind: string, rows: readonly LaneRow[]): boolean {
    return rows.length > 0 && rows.every((row) => !row.isOwnerGone && !this.isSilent(kind, row))
  }
}

function nameOf(kind: string, lane: number): string {
  return `${lane} ${kind}`
}
