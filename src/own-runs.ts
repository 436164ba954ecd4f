/** Operations on tables of ours: ordinary ones, of the engine that writes them, in its order and behind its fence. */
import type { DeleteShape, InsertShape, Run, Shape, UpdateShape } from './contracts/operation.ts'
import type { Value } from './contracts/values.ts'

export const ownInsert = (table: string, columns: readonly string[]): InsertShape => ({
  kind: 'insert',
  table,
  columns,
  key: JSON.stringify(['own insert', table, columns]),
  width: columns.length,
})

/** @param expect so many rows must be changed; otherwise it is rejected */
export const ownUpdate = (
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

/** @param expect as of `ownUpdate` */
export const ownDelete = (table: string, where: readonly string[], expect?: number): DeleteShape => ({
  kind: 'delete',
  table,
  where,
  expect,
  key: JSON.stringify(['own delete', table, where, expect]),
  width: where.length,
})

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
