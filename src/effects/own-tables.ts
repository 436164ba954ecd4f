/**
 * The tables that effects are kept in, as ordinary operations of the engine that owns them: what becomes of an effect is
 * committed by the same queue, in the same order and behind the same fence as every other write.
 */
import type { DeleteShape, InsertShape, Run, Shape, UpdateShape } from '../contracts/operation.ts'
import type { Value } from '../contracts/values.ts'

const insert = (table: string, columns: readonly string[]): InsertShape => ({
  kind: 'insert',
  table,
  columns,
  key: JSON.stringify(['own insert', table, columns]),
  width: columns.length,
})

const update = (
  table: string,
  set: readonly string[],
  where: readonly string[],
  expect?: number,
): UpdateShape => ({
  kind: 'update',
  table,
  set,
  where,
  expect,
  key: JSON.stringify(['own update', table, set, where, expect]),
  width: set.length + where.length,
})

const remove = (table: string, where: readonly string[], expect?: number): DeleteShape => ({
  kind: 'delete',
  table,
  where,
  expect,
  key: JSON.stringify(['own delete', table, where, expect]),
  width: where.length,
})

const id = ['epoch', 'seq', 'n']

/** The shapes of all that effects write. */
interface OwnShapes {
  readonly makeKind: InsertShape
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
}

export const own: OwnShapes = {
  makeKind: insert('tidemark_kinds', ['kind', 'lanes', 'paused']),
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
}

/** Runs that become one operation. Those of one shape go together: none of them depends on another. */
export class OwnRuns {
  readonly #runs = new Map<Shape, Run>()

  get runs(): readonly Run[] {
    return [...this.#runs.values()]
  }

  add(shape: Shape, ...values: readonly Value[]): void {
    let run = this.#runs.get(shape)
    if (run === undefined)
      this.#runs.set(shape, (run = { kind: 'run', shape, count: 0, bytes: 0, values: [] }))
    run.count++
    for (const value of values) {
      run.values.push(value)
      run.bytes += typeof value === 'string' ? 2 * value.length : 8
    }
  }
}
