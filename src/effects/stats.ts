/** How much of each kind is not finished, as the database tells. */
import type { Epoch } from '../contracts/position.ts'
import type { Value } from '../contracts/values.ts'
import type { EffectsHost } from './host.ts'
import { readAllLanes, readLanes, type LaneRow } from './lease.ts'
import { passedUpTo } from './progress.ts'
import type { Own } from '../sql/text.ts'

/** What is known of one kind, in this engine and in the database. */
export interface EffectQueue {
  readonly kind: string
  /** Effects in the outbox whose segment is not finished, and those with rows of their own that wait or are dead. */
  readonly queued: number
  readonly waiting: number
  readonly dead: number
  /**
   * For how long the one that waits longest could have been delivered, in ms: since its commit, the end of its delay, or
   * its being redriven.
   */
  readonly oldestMs: number
  /** How far the target is behind, in ms: of all that was committed longer ago, it lacks nothing but what is dead. */
  readonly lagMs: number
  readonly isPaused: boolean
  /** In how many lanes its keys are dealt out; 0: nobody has ever handled it. */
  readonly lanes: number
  /** How many of them have a holder. One that was killed counts until another takes its place. */
  readonly held: number
}

/** The same, and what the handler of this engine has done. */
export interface EffectStats extends EffectQueue {
  /** Of the handler of this engine; absent where it handles none of this kind. */
  readonly handler?: HandlerStats
}

/** What a handler of this engine does, and has done. */
export interface HandlerStats {
  readonly lanes: number
  readonly running: number
  readonly limit: number
  readonly isDown: boolean
  /** It knows that the kind is paused: within `pollMs`. */
  readonly isPaused: boolean
  readonly delivered: number
  readonly failed: number
  readonly dead: number
  readonly calls: number
  readonly callMs: number
  /** Calls by how long they took: one number for each of `CALL_SECONDS`, and one for those that took longer. */
  readonly buckets: readonly number[]
}

type Asked = Pick<EffectsHost, 'ask'>
/** Kinds with their lanes. */
type Lanes = ReadonlyMap<string, readonly LaneRow[]>

export async function readKinds(host: Asked): Promise<string[]> {
  const tables = ['tidemark_kinds', 'tidemark_segments', 'tidemark_effects']
  const rows = await Promise.all(
    tables.map((table) => host.ask(`SELECT kind FROM ${table} GROUP BY kind`, [])),
  )
  return [...new Set(rows.flat().map(({ kind }) => String(kind)))].toSorted()
}

export async function readQueue(host: Asked, kind: string, nowMs: number): Promise<EffectQueue> {
  const lanes = new Map([[kind, await readLanes(host, kind)]])
  const [queue] = await readQueuesOf(host, lanes, nowMs, kind)
  return queue ?? emptyQueue(kind)
}

/** Of a kind that nobody has heard of. */
export function emptyQueue(kind: string): EffectQueue {
  return { ...nothing, kind }
}

/** Every kind that was ever handled or has effects that are not finished, by name. */
export async function readQueues(
  host: Asked,
  nowMs: number,
): Promise<{ readonly queues: readonly EffectQueue[]; readonly lanes: Lanes }> {
  const lanes = await readAllLanes(host)
  return { queues: await readQueuesOf(host, lanes, nowMs), lanes }
}

const nothing = { queued: 0, waiting: 0, dead: 0, oldestMs: 0, lagMs: 0, isPaused: false, lanes: 0, held: 0 }

/**
 * As in `unfinished.ts`: first the progress, then the outbox, then the rows, so that an effect that moves meanwhile is
 * seen once at least.
 */
async function readQueuesOf(host: Asked, lanes: Lanes, nowMs: number, kind?: string): Promise<EffectQueue[]> {
  const kinds = byKind(await askOf(host, kindsSql, 'WHERE kind', kind))
  const outbox = Map.groupBy(await readOutbox(host, lanes, kind), (part) => part.kind)
  const counts = await askOf(host, countsSql, 'WHERE kind', kind, ' GROUP BY kind, lane, state')
  const kept = byKind(await askOf(host, waitingSql, 'AND kind', kind, ' GROUP BY kind'))
  const countOf = (name: string, state: string): number =>
    counts.reduce(
      (sum, row) => (row['kind'] === name && row['state'] === state ? sum + Number(row['count']) : sum),
      0,
    )
  const since = (times: readonly unknown[]): number =>
    Math.max(0, nowMs - Math.min(nowMs, ...times.flatMap((time) => time ?? []).map(Number)))
  const names = new Set([...kinds.keys(), ...outbox.keys(), ...counts.map((row) => String(row['kind']))])
  return [...names].toSorted().map((name) => {
    const parts = outbox.get(name) ?? []
    const committed = parts.map(({ oldestMs }) => oldestMs)
    const rows = lanes.get(name) ?? []
    return {
      kind: name,
      queued: parts.reduce((sum, { items }) => sum + items, 0),
      waiting: countOf(name, 'waiting'),
      dead: countOf(name, 'dead'),
      oldestMs: since([...committed, kept.get(name)?.['since']]),
      lagMs: since([...committed, kept.get(name)?.['oldest']]),
      isPaused: Number(kinds.get(name)?.['paused'] ?? 0) === 1,
      lanes: rows.length,
      held: rows.filter(({ isOwnerGone }) => !isOwnerGone).length,
    }
  })
}

const kindsSql = 'SELECT kind, paused FROM tidemark_kinds'
/** Counted along an index, so by lane: there may be many that are dead. */
const countsSql = {
  sql: 'SELECT kind, lane, state, count(*) AS count FROM tidemark_effects',
  surrealql: 'SELECT kind, lane, state, count() AS count FROM tidemark_effects',
}
/** Only handlers put effects into rows of their own, so each is in a lane. One that has failed counts from its commit. */
const waitingSql = {
  sql: `SELECT kind, min(committed_at) AS oldest,
      min(CASE WHEN attempts = 0 AND due_at > committed_at THEN due_at ELSE committed_at END) AS since
    FROM (SELECT kind AS of_kind, lane AS of_lane FROM tidemark_lanes) l CROSS JOIN tidemark_effects e
    WHERE e.kind = l.of_kind AND e.lane = l.of_lane AND e.state = 'waiting'`,
  surrealql: `SELECT kind, math::min(committed_at) AS oldest,
      math::min(IF attempts = 0 AND due_at > committed_at { due_at } ELSE { committed_at }) AS since
    FROM tidemark_effects WHERE state = 'waiting'`,
}

interface OutboxPart {
  readonly kind: string
  readonly items: number
  readonly oldestMs: number
}

/** What the outbox holds of each kind and epoch, but for segments that every lane has passed: they are swept away soon. */
async function readOutbox(host: Asked, lanes: Lanes, kind: string | undefined): Promise<OutboxPart[]> {
  const parts: OutboxPart[] = []
  for (const row of await askOf(host, outboxSql, 'WHERE kind', kind, ' GROUP BY kind, epoch')) {
    const passed = lowestPassed(lanes.get(String(row['kind'])) ?? [], Number(row['epoch']) as Epoch)
    if (passed < Number(row['first'])) parts.push(partOf(row))
    else if (passed < Number(row['last'])) {
      const [left] = await host.ask(
        followedBy(outboxSql, ' WHERE kind = ? AND epoch = ? AND last_seq > ? GROUP BY kind, epoch'),
        [String(row['kind']), Number(row['epoch']), passed],
      )
      if (left !== undefined) parts.push(partOf(left))
    }
  }
  return parts
}

const outboxSql = {
  sql: `SELECT kind, epoch, sum(items) AS items, min(committed_at) AS oldest,
      min(last_seq) AS first, max(last_seq) AS last
    FROM tidemark_segments`,
  surrealql: `SELECT kind, epoch, math::sum(items) AS items, math::min(committed_at) AS oldest,
      math::min(last_seq) AS first, math::max(last_seq) AS last
    FROM tidemark_segments`,
}

function partOf(row: Record<string, unknown>): OutboxPart {
  return { kind: String(row['kind']), items: Number(row['items']), oldestMs: Number(row['oldest']) }
}

function lowestPassed(lanes: readonly LaneRow[], epoch: Epoch): number {
  return lanes.length === 0 ? 0 : Math.min(...lanes.map(({ progress }) => passedUpTo(progress, epoch)))
}

async function askOf(
  host: Asked,
  sql: Own,
  only: 'WHERE kind' | 'AND kind',
  kind: string | undefined,
  grouping = '',
): Promise<readonly Record<string, unknown>[]> {
  const [where, parameters]: [string, Value[]] = kind === undefined ? ['', []] : [` ${only} = ?`, [kind]]
  return await host.ask(followedBy(sql, `${where}${grouping}`), parameters)
}

function followedBy(own: Own, end: string): Own {
  if (typeof own === 'string') return own + end
  return { sql: own.sql + end, surrealql: own.surrealql + end }
}

function byKind(rows: readonly Record<string, unknown>[]): Map<string, Record<string, unknown>> {
  return new Map(rows.map((row) => [String(row['kind']), row]))
}
