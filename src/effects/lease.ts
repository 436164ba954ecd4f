/**
 * The lease on one lane of a kind: the row that says who delivers its effects, and how far that has come.
 *
 * Keeps: law 8 (every change of the row names the token and the beat before it: a holder that was taken for dead moves
 * nothing any more, and neither does one whose epoch has ended, since it moves by its engine's own batches).
 *
 *   free, let go, holder's epoch ended, or no beat for its lease ──take──▶ held ──move, move, …──▶ let go, also since
 *                                                                   └──a move is refused──▶ lost     another asked
 *
 * Nobody compares clocks: whoever wants a lane watches its beat, by its own clock, for as long as the holder asked for.
 */
import type { Value } from '../contracts/values.ts'
import type { Own } from '../sql/text.ts'
import type { EffectsHost } from './host.ts'
import { own } from './own-tables.ts'
import { OwnRuns } from '../own-runs.ts'
import { decodeProgress, encodeProgress, type Progress } from './progress.ts'

export interface Hold {
  readonly token: number
  readonly beat: number
}

/** A condition on what is read, and its parameters. */
export interface Condition {
  readonly words: Exclude<Own, string>
  readonly parameters: readonly Value[]
}

/** A lane as its row tells of it. */
export interface LaneRow extends Hold {
  readonly lane: number
  readonly owner: number
  readonly leaseMs: number
  readonly progress: Progress
  /** Its owner can commit nothing more. */
  readonly isOwnerGone: boolean
  /** Who has asked for it last. */
  readonly askedBy: number
  /** Whoever has asked for it, and can still take it. */
  readonly wantedBy: number | undefined
}

const nobody = 0

const lanesSql = {
  sql: `SELECT l.kind, l.lane, l.owner, l.token, l.beat, l.lease_ms, l.progress, l.wanted_by,
      o.closed AS owner_closed, w.closed AS wanter_closed
    FROM tidemark_lanes l LEFT JOIN tidemark_writers o ON o.epoch = l.owner
    LEFT JOIN tidemark_writers w ON w.epoch = l.wanted_by`,
  surrealql: `SELECT kind, lane, owner, token, beat, lease_ms, progress, wanted_by,
      type::record('tidemark_writers', owner).closed AS owner_closed,
      type::record('tidemark_writers', wanted_by).closed AS wanter_closed
    FROM tidemark_lanes`,
}
const lanesOfKindSql = {
  sql: `${lanesSql.sql} WHERE l.kind = ? ORDER BY l.lane`,
  surrealql: `${lanesSql.surrealql} WHERE kind = ? ORDER BY lane`,
}
const allLanesSql = {
  sql: `${lanesSql.sql} ORDER BY l.kind, l.lane`,
  surrealql: `${lanesSql.surrealql} ORDER BY kind, lane`,
}

export async function readLanes(host: Pick<EffectsHost, 'ask'>, kind: string): Promise<LaneRow[]> {
  return (await host.ask(lanesOfKindSql, [kind])).map(laneRowOf)
}

/** Those of every kind, by kind. */
export async function readAllLanes(host: Pick<EffectsHost, 'ask'>): Promise<Map<string, LaneRow[]>> {
  const rows = await host.ask(allLanesSql, [])
  const lanes = rows.map((row) => [String(row['kind']), laneRowOf(row)] as const)
  return new Map(
    [...Map.groupBy(lanes, ([kind]) => kind)].map(([kind, some]) => [kind, some.map(([, lane]) => lane)]),
  )
}

function laneRowOf(row: Record<string, unknown>): LaneRow {
  return {
    lane: Number(row['lane']),
    owner: Number(row['owner']),
    token: Number(row['token']),
    beat: Number(row['beat']),
    leaseMs: Number(row['lease_ms']),
    progress: decodeProgress(String(row['progress'])),
    isOwnerGone: isGone(row['owner_closed']),
    askedBy: Number(row['wanted_by']),
    wantedBy: isGone(row['wanter_closed']) ? undefined : Number(row['wanted_by']),
  }
}

/** @param closed of its epoch; null: there is none, or it is forgotten */
function isGone(closed: unknown): boolean {
  return closed === null || Number(closed) === 1
}

/**
 * Makes the kind and its lanes where they are missing.
 *
 * @param lanes 0: the kind alone, as for one that is paused before anybody handles it; whoever does it first says how many
 * @returns how many lanes it has
 */
export async function makeKind(host: EffectsHost, kind: string, lanes: number): Promise<number> {
  const known = await lanesOf(host, kind)
  if (known !== undefined && (known > 0 || lanes === 0)) return known
  const making = new OwnRuns()
  if (known === undefined) making.add(own.makeKind, kind, lanes, 0)
  else making.add(own.giveLanes, lanes, kind, known)
  for (let lane = 0; lane < lanes; lane++) making.add(own.makeLane, kind, lane, nobody, 0, 0, 0, '{}', nobody)
  // Refused when somebody else makes it at the same time: then there is more of it than before.
  const refusal = await host.commit(making.runs)
  if ((await lanesOf(host, kind)) === known)
    throw refusal ?? new Error(`unreachable: kind "${kind}" was made and is not there`)
  return await makeKind(host, kind, lanes)
}

async function lanesOf(host: EffectsHost, kind: string): Promise<number | undefined> {
  const [row] = await host.ask('SELECT lanes FROM tidemark_kinds WHERE kind = ?', [kind])
  return row === undefined ? undefined : Number(row['lanes'])
}

/** @returns the hold, or undefined when somebody was quicker */
export async function takeLane(
  host: EffectsHost,
  kind: string,
  { lane, token, beat }: LaneRow,
  leaseMs: number,
): Promise<Hold | undefined> {
  const taking = new OwnRuns()
  const hold = { token: token + 1, beat: beat + 1 }
  const held = [host.epoch, hold.token, hold.beat, Math.ceil(leaseMs), nobody]
  taking.add(own.takeLane, ...held, kind, lane, token, beat)
  if ((await host.commit(taking.runs)) !== undefined) return undefined
  // When its reply was lost, nobody has said whether somebody was quicker.
  const isHeld = whileHeld(host, kind, lane, hold)
  const { sql, surrealql } = isHeld.words
  const asked = { sql: `SELECT 1 WHERE ${sql}`, surrealql: `SELECT * FROM [{}] WHERE ${surrealql}` }
  const taken = await host.ask(asked, isHeld.parameters)
  return taken.length > 0 ? hold : undefined
}

/** Asks the one who holds a lane to let it go. Nothing happens when it is no longer as it was. */
export async function askForLane(
  host: EffectsHost,
  kind: string,
  { lane, owner, token, askedBy }: LaneRow,
): Promise<void> {
  const asking = new OwnRuns()
  asking.add(own.askForLane, host.epoch, kind, lane, owner, token, askedBy)
  await host.commit(asking.runs)
}

/** Adds to `runs` that the lane has come so far. @returns the hold once they are committed */
export function moveLane(
  runs: OwnRuns,
  host: EffectsHost,
  kind: string,
  lane: number,
  hold: Hold,
  progress: Progress,
): Hold {
  runs.add(own.moveLane, hold.beat + 1, encodeProgress(progress), ...heldBy(host, kind, lane, hold))
  return { ...hold, beat: hold.beat + 1 }
}

const isHeldSql = {
  sql: 'EXISTS (SELECT 1 FROM tidemark_lanes WHERE kind = ? AND lane = ? AND owner = ? AND token = ?)',
  surrealql: `(SELECT VALUE token FROM type::record('tidemark_lanes', [?, ?]) WHERE owner = ? AND token = ?) != []`,
}

/**
 * That the lane is held by this engine in the snapshot that is read: whoever has lost it and does not know must not see
 * what the next holder left of the outbox, and of what waits.
 */
export function whileHeld(
  { epoch }: Pick<EffectsHost, 'epoch'>,
  kind: string,
  lane: number,
  { token }: Pick<Hold, 'token'>,
): Condition {
  return { words: isHeldSql, parameters: [kind, lane, epoch, token] }
}

export async function letLaneGo(
  host: EffectsHost,
  kind: string,
  lane: number,
  hold: Hold,
  progress: Progress,
): Promise<void> {
  const runs = new OwnRuns()
  runs.add(own.letLaneGo, nobody, hold.beat + 1, encodeProgress(progress), ...heldBy(host, kind, lane, hold))
  await host.commit(runs.runs)
}

function heldBy(host: EffectsHost, kind: string, lane: number, { token, beat }: Hold): Value[] {
  return [kind, lane, host.epoch, token, beat]
}
