/** Whether lanes are taken only from those who can do nothing any more, or showed no sign of life for as long as they asked. */
import type { Report } from '../violation.ts'
import type { EffectsContents } from './history.ts'
import type { EffectsLedger } from './ledger.ts'

const nobody = 0
/** Whoever looked first after a lane's beat did so a moment later. */
const lookGrain = 0.001

export function judgeLanes(
  { lanes, tidemarks }: EffectsContents,
  ledger: EffectsLedger,
  atMs: number,
  at: number,
  report: Report,
): void {
  for (const { lane, owner, token, beat, leaseMs } of lanes) {
    const known = ledger.lanes.get(lane)
    if (known?.owner === owner && known.token === token && known.beat === beat) continue
    const isTaken = owner !== nobody && token !== (known?.token ?? 0)
    if (known && isTaken && owner !== known.owner && known.owner !== nobody) {
      const isOpen = tidemarks.some(([epoch, , isClosed]) => epoch === known.owner && !isClosed)
      const silentMs = atMs - known.changedMs
      if (isOpen && silentMs < known.leaseMs - lookGrain)
        report(8, `lane ${lane} is taken from ${known.owner}, which was silent for ${silentMs} ms only`)
    }
    if (known && (token < known.token || (token === known.token && beat < known.beat)))
      report(8, `lane ${lane} goes back to token ${token}, beat ${beat}`)
    if (isTaken) ledger.takings.push({ at, by: owner, lane })
    ledger.lanes.set(lane, { owner, token, beat, leaseMs, changedMs: atMs })
  }
}
