/** What has changed in a scope, as the runs of one atomic group. */
import type { Run } from '../contracts/operation.ts'
import type { Value } from '../contracts/values.ts'
import { newRun } from '../writes/batch.ts'
import type { Layout, ShapeBook } from '../writes/shapes.ts'
import { sizeOf } from '../writes/values.ts'
import type { RowChange, RowSet } from './row-set.ts'

export interface ChangedRuns {
  readonly runs: readonly Run[]
  readonly operations: number
  readonly bytes: number
}

/**
 * Deletes come first and children go before their parents; then the parent is written, and the children, in the order
 * in which their tables were named. A row that the database has must be there still: if it is not, somebody wrote beside
 * the scope, and the group is rejected.
 *
 * @param sets with what has changed in each, the scope's own row first
 * @throws InvalidOperationError `UNKNOWN_TABLE`, `UNKNOWN_COLUMN` when the tables have changed
 */
export function runsOf(
  book: ShapeBook,
  sets: readonly (readonly [RowSet, readonly RowChange[]])[],
): ChangedRuns {
  const runs: Run[] = []
  for (const [{ table }, changes] of sets.toReversed()) {
    const shapes = book.table(table.name)
    for (const change of changes)
      if (change.isDeleted || change.replaces) append(runs, shapes.delete(table.primaryKey, 1), change.key)
  }
  for (const [{ table }, changes] of sets) {
    const shapes = book.table(table.name)
    for (const change of changes) {
      if (change.isDeleted) continue
      // In the table's order, so that rows that changed alike are of one shape.
      const names = [...table.columns.keys()].filter((name) => change.values.has(name))
      const values = names.map((name) => change.values.get(name) as Value)
      if (change.isNew || change.replaces)
        append(runs, shapes.upsert([...table.primaryKey, ...names]), [...change.key, ...values])
      else if (names.length > 0)
        append(runs, shapes.update(names, table.primaryKey, 1), [...values, ...change.key])
    }
  }
  return {
    runs,
    operations: runs.reduce((sum, { count }) => sum + count, 0),
    bytes: runs.reduce((sum, run) => sum + run.bytes, 0),
  }
}

function append(runs: Run[], { shape }: Layout, values: readonly Value[]): void {
  let run = runs.at(-1)
  if (run?.shape !== shape) runs.push((run = newRun(shape)))
  run.count++
  for (const value of values) {
    run.values.push(value)
    run.bytes += sizeOf(value)
  }
}
