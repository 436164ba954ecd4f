/**
 * Which effects are not finished, as the database tells: in this engine or in others, delivered by whomever.
 *
 * Keeps: law 8 (nothing counts as finished that is queued, leased or tried again; a dead letter is a hole that is told).
 *
 * How it could break: an effect moves from the outbox to a row of its own while it is looked for. So the progress is
 * read first, then the outbox, then the rows: it is found at the later place, if it was gone from the earlier one.
 */
import type { Epoch, Seq } from '../contracts/position.ts'
import { decodeSegment } from '../segments.ts'
import type { EffectsHost } from './host.ts'
import { effectId, laneOf, type SegmentRow } from './item.ts'
import { readLanes, type LaneRow } from './lease.ts'
import { readSegments } from './outbox.ts'
import { isFinished, isPast, type Place } from './progress.ts'

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
  const isOver = ({ epoch, last }: Pick<SegmentRow, 'epoch' | 'last'>): boolean =>
    lanes.length > 0 && lanes.every(({ progress }) => isPast(progress, epoch, last))
  for (let after = 0; ;) {
    const segments = await readSegments(host, sought.kind, after, isOver)
    if (segments.length === 0) return false
    if (segments.some((segment) => hasUnfinished(segment, sought, lanes))) return true
    after = segments.at(-1)?.id as number
  }
}

function hasUnfinished(
  { epoch, content }: SegmentRow,
  { keys, upTo }: Sought,
  lanes: readonly LaneRow[],
): boolean {
  const last = upTo(epoch)
  if (last === undefined) return false
  return decodeSegment(content).some(({ seq, n, key }) => {
    if (seq > last || (keys !== undefined && (key === null || !keys.has(key)))) return false
    const progress = lanes[laneOf({ key, seq, n }, Math.max(1, lanes.length))]?.progress
    return progress === undefined || !isFinished(progress, { epoch, seq, n })
  })
}

const rowsAtOnce = 1_000
const idsTold = 5

async function findInRows(host: EffectsHost, { kind, keys, upTo }: Sought): Promise<Found> {
  const dead: Place[] = []
  for (let after = -1; ;) {
    const rows = await host.ask(
      `SELECT epoch, seq, n, effect_key, state, version FROM tidemark_effects
       WHERE kind = ? AND version > ? ORDER BY version LIMIT ${rowsAtOnce}`,
      [kind, after],
    )
    for (const row of rows) {
      const place = {
        epoch: Number(row['epoch']) as Epoch,
        seq: Number(row['seq']) as Seq,
        n: Number(row['n']),
      }
      const last = upTo(place.epoch)
      const key = row['effect_key']
      const isSought = last !== undefined && place.seq <= last
      if (!isSought || (keys !== undefined && (typeof key !== 'string' || !keys.has(key)))) continue
      if (row['state'] === 'waiting') return { kind: 'pending' }
      if (dead.length < idsTold) dead.push(place)
    }
    if (rows.length < rowsAtOnce) break
    after = Number(rows.at(-1)?.['version'])
  }
  return dead.length === 0 ? { kind: 'none' } : { kind: 'dead', ids: dead.map(effectId) }
}
