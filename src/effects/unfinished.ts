/**
 * Which effects are not finished, as the database tells: in this engine or in others, delivered by whomever.
 *
 * Keeps: law 8 (nothing counts as finished that is queued, leased or tried again; a dead letter is a hole that is told).
 *
 * How it could break: an effect moves from the outbox to a row of its own while it is looked for. So the progress is
 * read first, then the outbox, then the rows: it is found at the later place, if it was gone from the earlier one.
 */
import type { Epoch, Seq } from '../contracts/position.ts'
import { decodeSegment, effectId, type EffectPlace, type SegmentItem } from '../segments.ts'
import type { EffectsHost } from './host.ts'
import { laneOf, placeIn, type SegmentRow } from './item.ts'
import { readLanes, type LaneRow } from './lease.ts'
import { readContents, readHeads, type SegmentHead } from './outbox.ts'
import { isFinished, isPast } from './progress.ts'

/** Which effects are looked for. */
export interface Sought {
  readonly kind: string
  /** Undefined: all keys, and effects without one. */
  readonly keys: ReadonlySet<string> | undefined
  /** Up to which operation of an epoch; undefined: none of its effects. */
  readonly upTo: (epoch: Epoch) => Seq | undefined
}

export type Found =
  | { readonly kind: 'none' }
  | { readonly kind: 'pending' }
  /** Nothing is pending, but these are dead; a few of them. */
  | { readonly kind: 'dead'; readonly ids: readonly string[] }

export async function findUnfinished(host: EffectsHost, sought: Sought): Promise<Found> {
  const lanes = await readLanes(host, sought.kind)
  return (await isInOutbox(host, sought, lanes)) ? { kind: 'pending' } : await findInRows(host, sought)
}

async function isInOutbox(host: EffectsHost, sought: Sought, lanes: readonly LaneRow[]): Promise<boolean> {
  const wasSeenThrough = await eachSegment(host, sought.kind, lanes, ({ epoch, content }) => {
    const last = sought.upTo(epoch)
    if (last === undefined) return true
    return !decodeSegment(content).some(
      (item) => item.seq <= last && isSoughtKey(sought, item.key) && !isFinishedIn(lanes, epoch, item),
    )
  })
  return !wasSeenThrough
}

/**
 * The segments that some lane has not passed.
 *
 * @param look until it says that it has seen enough
 * @returns whether it looked at all of them
 */
async function eachSegment(
  host: EffectsHost,
  kind: string,
  lanes: readonly LaneRow[],
  look: (segment: SegmentRow) => boolean,
): Promise<boolean> {
  const isPastAll = ({ end }: SegmentHead): boolean =>
    lanes.length > 0 && lanes.every(({ progress }) => isPast(progress, end))
  for (let after = 0; ;) {
    const heads = await readHeads(host, kind, after)
    const last = heads.at(-1)
    if (last === undefined) return true
    const wanted = heads.filter((head) => !isPastAll(head))
    for await (const segments of readContents(host, wanted))
      if (!segments.every((segment) => segment === undefined || look(segment))) return false
    after = last.id
  }
}

function isSoughtKey({ keys }: Sought, key: unknown): boolean {
  return keys === undefined || (typeof key === 'string' && keys.has(key))
}

function isFinishedIn(lanes: readonly LaneRow[], epoch: Epoch, item: SegmentItem): boolean {
  const progress = lanes[laneOf(item, Math.max(1, lanes.length))]?.progress
  return progress !== undefined && isFinished(progress, { epoch, seq: item.seq, n: item.n })
}

/** Keys with an effect that is not finished, and the ids of those that are dead, by key. */
export interface UnfinishedKeys {
  readonly pending: ReadonlySet<string>
  readonly dead: ReadonlyMap<string, readonly string[]>
}

/** All of a kind. */
export async function unfinishedKeys(host: EffectsHost, kind: string): Promise<UnfinishedKeys> {
  const pending = new Set<string>()
  const dead = new Map<string, string[]>()
  const lanes = await readLanes(host, kind)
  await eachSegment(host, kind, lanes, ({ epoch, content }) => {
    for (const item of decodeSegment(content))
      if (item.key !== null && !isFinishedIn(lanes, epoch, item)) pending.add(item.key)
    return true
  })
  await eachRow(host, kind, (row) => {
    const { state, effect_key: key } = row
    if (typeof key !== 'string') return true
    if (state === 'waiting') pending.add(key)
    else dead.set(key, [...(dead.get(key) ?? []), effectId(placeIn(row))])
    return true
  })
  return { pending, dead }
}

const rowsAtOnce = 1_000
const idsTold = 5

async function findInRows(host: EffectsHost, sought: Sought): Promise<Found> {
  const dead: EffectPlace[] = []
  let isPending = false
  await eachRow(host, sought.kind, (row) => {
    const { state, effect_key: key } = row
    const place = placeIn(row)
    const last = sought.upTo(place.epoch)
    if (last === undefined || place.seq > last || !isSoughtKey(sought, key)) return true
    if (state === 'waiting') isPending = true
    else if (dead.length < idsTold) dead.push(place)
    return !isPending
  })
  if (isPending) return { kind: 'pending' }
  return dead.length === 0 ? { kind: 'none' } : { kind: 'dead', ids: dead.map(effectId) }
}

/** @param look until it says that it has seen enough */
async function eachRow(
  host: EffectsHost,
  kind: string,
  look: (row: Record<string, unknown>) => boolean,
): Promise<void> {
  for (let after = -1; ;) {
    const rows = await host.ask(
      `SELECT epoch, seq, n, effect_key, state, version FROM tidemark_effects
       WHERE kind = ? AND version > ? ORDER BY version LIMIT ${rowsAtOnce}`,
      [kind, after],
    )
    if (!rows.every(look) || rows.length < rowsAtOnce) return
    after = Number(rows.at(-1)?.['version'])
  }
}
