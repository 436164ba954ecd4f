/**
 * Effects with rows of their own: those that wait, and those that were given up, kept for a person to look at and redrive.
 *
 * Keeps: law 8 (a redriven effect keeps its version, so that a target can tell that it is older than what it holds).
 */
import type { Json, Value } from '../contracts/values.ts'
import { InvalidOperationError } from '../errors.ts'
import type { EffectsHost } from './host.ts'
import { effectId, placeOf, type EffectPlace } from '../segments.ts'
import { placeIn, type Item } from './item.ts'
import { commitInParts } from './in-parts.ts'
import type { KeptState } from './settlement.ts'
import { own } from './own-tables.ts'
import { type OwnRuns } from '../own-runs.ts'

interface KeptEffect {
  readonly id: string
  readonly kind: string
  readonly key: string | undefined
  readonly payload: Json
  readonly version: number
  /** How often its delivery failed. */
  readonly attempts: number
  readonly committedAt: Date
}

/** An effect that will not be tried again unless somebody redrives it. */
export interface DeadEffect extends KeptEffect {
  /** Of the last failure. */
  readonly error: string
  readonly failedAt: Date
}

/** An effect with a row of its own: it failed and is tried again, is delayed, or held back by an older one of its key. */
export interface WaitingEffect extends KeptEffect {
  /** Of the last failure; undefined: it has never been tried. */
  readonly error: string | undefined
  readonly failedAt: Date | undefined
  /** Not before; undefined: as soon as it can be. */
  readonly dueAt: Date | undefined
}

export interface DeadEffectFilter {
  /** Only those with a higher version: for paging. */
  readonly afterVersion?: number
  /** Default 100. */
  readonly limit?: number
}

const droppedAtOnce = 500

/** Oldest first. */
export async function listDeadEffects(
  host: Pick<EffectsHost, 'ask'>,
  kind: string | undefined,
  filter?: DeadEffectFilter,
): Promise<DeadEffect[]> {
  const rows = await readKept(host, 'dead', kind, filter)
  return rows.map((row) => ({
    ...keptOf(row),
    error: String(row['error']),
    failedAt: new Date(Number(row['failed_at'])),
  }))
}

/** Oldest first. */
export async function listWaitingEffects(
  host: Pick<EffectsHost, 'ask'>,
  kind: string | undefined,
  filter?: DeadEffectFilter,
): Promise<WaitingEffect[]> {
  const rows = await readKept(host, 'waiting', kind, filter)
  return rows.map((row) => {
    const { error, failed_at: failedAt } = row
    const dueAtMs = Number(row['due_at'])
    return {
      ...keptOf(row),
      error: typeof error === 'string' ? error : undefined,
      failedAt: failedAt === null || failedAt === undefined ? undefined : new Date(Number(failedAt)),
      dueAt: dueAtMs === 0 ? undefined : new Date(dueAtMs),
    }
  })
}

async function readKept(
  host: Pick<EffectsHost, 'ask'>,
  state: KeptState,
  kind: string | undefined,
  { afterVersion = -1, limit = 100 }: DeadEffectFilter = {},
): Promise<readonly Record<string, unknown>[]> {
  const ofKind: readonly [string, readonly Value[]] =
    kind === undefined ? ['', []] : [' AND kind = ?', [kind]]
  return await host.ask(
    `SELECT epoch, seq, n, kind, effect_key, payload, version, attempts, error, due_at, committed_at, failed_at
     FROM tidemark_effects WHERE state = ?${ofKind[0]} AND version > ? ORDER BY version LIMIT ?`,
    [state, ...ofKind[1], afterVersion, limit],
  )
}

function keptOf(row: Record<string, unknown>): KeptEffect {
  return {
    id: effectId(placeIn(row)),
    kind: String(row['kind']),
    key: typeof row['effect_key'] === 'string' ? row['effect_key'] : undefined,
    payload: JSON.parse(String(row['payload'])) as Json,
    version: Number(row['version']),
    attempts: Number(row['attempts']),
    committedAt: new Date(Number(row['committed_at'])),
  }
}

/** Has dead effects tried again, with all their attempts before them. @returns those that were dead */
export async function redriveEffects(host: EffectsHost, ids: readonly string[]): Promise<string[]> {
  const nowMs = Math.floor(host.runtime.wallMs())
  return await eachAlone(host, ids, (runs, place) =>
    runs.add(own.reviveEffect, 'waiting', 0, nowMs, ...idOf(place), 'dead'),
  )
}

/** Deletes dead effects. @returns those that were dead */
export async function discardEffects(host: EffectsHost, ids: readonly string[]): Promise<string[]> {
  return await eachAlone(host, ids, (runs, place) => runs.add(own.dropDead, ...idOf(place), 'dead'))
}

/** Deletes those of a kind that have been dead for too long, a few at a time. */
export async function dropOldDead(host: EffectsHost, kind: string, keptMs: number): Promise<void> {
  const rows = await host.ask(
    `SELECT epoch, seq, n, failed_at FROM tidemark_effects WHERE kind = ? AND state = 'dead' AND failed_at < ?
     ORDER BY failed_at LIMIT ${droppedAtOnce}`,
    [kind, Math.floor(host.runtime.wallMs() - keptMs)],
  )
  await commitInParts(host, rows, (runs, row) => runs.add(own.dropDead, ...idOf(placeIn(row)), 'dead'))
}

/** One that is not dead any more does not keep the others from it. */
async function eachAlone(
  host: EffectsHost,
  ids: readonly string[],
  add: (runs: OwnRuns, place: EffectPlace) => void,
): Promise<string[]> {
  const places = ids.map((id) => {
    const place = placeOf(id)
    if (place !== undefined) return { id, place }
    throw new InvalidOperationError(
      'NOT_REDRIVABLE',
      `"${id}" is no id of an effect.`,
      'Take it from `effects.deadLetters()`.',
    )
  })
  const refused = await commitInParts(host, places, (runs, { place }) => add(runs, place))
  return places.filter((one) => !refused.includes(one)).map(({ id }) => id)
}

function idOf({ epoch, seq, n }: EffectPlace): Value[] {
  return [epoch, seq, n]
}

/** What an alert says of it. */
export function describeDead({ effect }: Item, error: string): string {
  const key = effect.key === undefined ? '' : ` for key "${effect.key}"`
  return `effect ${effect.id} of kind "${effect.kind}"${key} is dead after ${effect.attempt} attempts: ${error}`
}
