import type { EngineRecord } from './ledger.ts'

/** What a session, or a bookmark of one, asks of a read. */
export interface Knowledge {
  /** By engine: the position that must be included. */
  readonly positions: Map<EngineRecord, number>
  /** The state that was seen last. */
  seenAt: number
  /** It may follow more: what a read has shown of a redrive, whose position is told to nobody. */
  isVague?: boolean
}

export function nothing(): Knowledge {
  return { positions: new Map(), seenAt: 0 }
}

export function merge(into: Knowledge, more: Knowledge | undefined): void {
  if (!more) return
  for (const [engine, seq] of more.positions)
    if (seq > (into.positions.get(engine) ?? 0)) into.positions.set(engine, seq)
  into.seenAt = Math.max(into.seenAt, more.seenAt)
  if (more.isVague) into.isVague = true
}
