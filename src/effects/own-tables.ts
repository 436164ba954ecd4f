/**
 * The tables that effects are kept in, as ordinary operations of the engine that owns them: what becomes of an effect is
 * committed by the same queue, in the same order and behind the same fence as every other write.
 */
import type { DeleteShape, InsertShape, UpdateShape } from '../contracts/operation.ts'
import { ownDelete as remove, ownInsert as insert, ownUpdate as update } from '../own-runs.ts'

const id = ['epoch', 'seq', 'n']

/** The shapes of all that effects write. */
interface OwnShapes {
  readonly makeKind: InsertShape
  readonly giveLanes: UpdateShape
  readonly pauseKind: UpdateShape
  readonly makeLane: InsertShape
  readonly takeLane: UpdateShape
  readonly moveLane: UpdateShape
  readonly letLaneGo: UpdateShape
  readonly askForLane: UpdateShape
  readonly dropSegment: DeleteShape
  readonly keepEffect: InsertShape
  readonly failEffect: UpdateShape
  readonly reviveEffect: UpdateShape
  readonly dropEffect: DeleteShape
  readonly dropDead: DeleteShape
  readonly keepResult: InsertShape
  readonly dropResult: DeleteShape
  readonly beginRounds: InsertShape
  readonly nextRound: UpdateShape
}

export const own: OwnShapes = {
  makeKind: insert('tidemark_kinds', ['kind', 'lanes', 'paused']),
  /** It was paused before anybody handled it. */
  giveLanes: update('tidemark_kinds', ['lanes'], ['kind', 'lanes'], 1),
  pauseKind: update('tidemark_kinds', ['paused'], ['kind']),
  makeLane: insert('tidemark_lanes', [
    'kind',
    'lane',
    'owner',
    'token',
    'beat',
    'lease_ms',
    'progress',
    'wanted_by',
  ]),
  /** Only whoever saw the lane last can take it, and only the one who holds it can move it. */
  takeLane: update(
    'tidemark_lanes',
    ['owner', 'token', 'beat', 'lease_ms', 'wanted_by'],
    ['kind', 'lane', 'token', 'beat'],
    1,
  ),
  moveLane: update('tidemark_lanes', ['beat', 'progress'], ['kind', 'lane', 'owner', 'token', 'beat'], 1),
  letLaneGo: update(
    'tidemark_lanes',
    ['owner', 'beat', 'progress'],
    ['kind', 'lane', 'owner', 'token', 'beat'],
    1,
  ),
  /** Of the one who holds it, as long as nobody else has asked. */
  askForLane: update('tidemark_lanes', ['wanted_by'], ['kind', 'lane', 'owner', 'token', 'wanted_by'], 1),
  dropSegment: remove('tidemark_segments', ['id']),
  keepEffect: insert('tidemark_effects', [
    ...id,
    'kind',
    'lane',
    'effect_key',
    'payload',
    'version',
    'state',
    'attempts',
    'due_at',
    'committed_at',
    'failed_at',
    'error',
  ]),
  failEffect: update('tidemark_effects', ['state', 'attempts', 'due_at', 'failed_at', 'error'], id, 1),
  reviveEffect: update('tidemark_effects', ['state', 'attempts', 'due_at'], [...id, 'state'], 1),
  dropEffect: remove('tidemark_effects', id, 1),
  dropDead: remove('tidemark_effects', [...id, 'state'], 1),
  keepResult: insert('tidemark_results', [...id, 'kind', 'result', 'delivered_at']),
  dropResult: remove('tidemark_results', id),
  beginRounds: insert('tidemark_checkpoints', ['source', 'value', 'updated_at']),
  /** Only whoever knows the last round can make the next. */
  nextRound: update('tidemark_checkpoints', ['value', 'updated_at'], ['source', 'value'], 1),
}
