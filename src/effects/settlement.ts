/** What became of a delivery, as the lane commits it. */
import type { Json } from '../contracts/values.ts'
import type { EffectWrite } from './host.ts'
import type { Item } from './item.ts'
import { own } from './own-tables.ts'
import { type OwnRuns } from '../own-runs.ts'

export type Settlement =
  | { readonly kind: 'delivered'; readonly result?: Json; readonly write?: EffectWrite | undefined }
  /** It is tried again then; and has used up one of its attempts, or was refused by a target that may be down. */
  | { readonly kind: 'retry'; readonly dueAtMs: number; readonly error: string; readonly isAttempt: boolean }
  | { readonly kind: 'dead'; readonly error: string; readonly write?: EffectWrite | undefined }
  /** It was not tried: it has to wait for its time, or for an older one of its key. */
  | { readonly kind: 'held' }

export class Settled {
  readonly item: Item
  readonly settlement: Settlement

  constructor(item: Item, settlement: Settlement) {
    this.item = item
    this.settlement = settlement
  }
}

/** Shared, since most end so. */
export const delivered: Settlement = { kind: 'delivered' }
export const held: Settlement = { kind: 'held' }

/** Of a row that holds one effect: it waits for its time and its turn, or for somebody to redrive it. */
export type KeptState = 'waiting' | 'dead'

/** Adds to `runs` what the settlement does to the tables, but for the lane's progress. */
export function addSettlement(
  runs: OwnRuns,
  lane: number,
  { item, settlement }: Settled,
  nowMs: number,
): void {
  if (settlement === delivered && item.slot !== undefined) return
  const id = [item.epoch, item.seq, item.n] as const
  const { kind, payload, key = null, version, committedAt } = item.effect
  if (settlement.kind === 'delivered') {
    if (item.slot === undefined) runs.add(own.dropEffect, ...id)
    if (settlement.result !== undefined)
      runs.add(own.keepResult, ...id, kind, JSON.stringify(settlement.result), nowMs)
    return
  }
  const state: KeptState = settlement.kind === 'dead' ? 'dead' : 'waiting'
  const failures = item.failures + (isAttempt(settlement) ? 1 : 0)
  const dueAtMs = settlement.kind === 'retry' ? settlement.dueAtMs : item.dueAtMs
  const failedAtMs = settlement.kind === 'held' ? null : nowMs
  const error = settlement.kind === 'held' ? null : settlement.error
  if (item.slot === undefined) runs.add(own.failEffect, state, failures, dueAtMs, failedAtMs, error, ...id)
  else {
    const content = [kind, lane, key, JSON.stringify(payload), version]
    runs.add(
      own.keepEffect,
      ...id,
      ...content,
      state,
      failures,
      dueAtMs,
      committedAt.getTime(),
      failedAtMs,
      error,
    )
  }
}

function isAttempt(settlement: Settlement): boolean {
  return settlement.kind === 'retry' ? settlement.isAttempt : settlement.kind === 'dead'
}

export function writesOf(settled: readonly Settled[]): EffectWrite[] {
  const writes: EffectWrite[] = []
  for (const { settlement } of settled)
    if ('write' in settlement && settlement.write !== undefined) writes.push(settlement.write)
  return writes
}
