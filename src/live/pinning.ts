/** Which rows a scope pins, see `writes/pins.ts`. */
import { NotSupportedError } from '../errors.ts'
import type { Pins } from '../writes/pins.ts'
import { rowForm, type RowForm } from '../writes/row-key.ts'
import type { RowSet } from './row-set.ts'
import type { Scope } from './scope.ts'

/** @throws NotSupportedError when it cannot be told from a key which rows are the same */
export function pin(pins: Pins, scope: Scope): void {
  for (const set of scope.sets) {
    const { table } = set
    const names = namesOf(set)
    pins.add(table, names, formOf(scope, set, names), scope)
    if (isFoundByParent(set)) continue
    // Each row is found by a key of its own.
    set.pinRows({
      add: (form) => pins.add(table, table.primaryKey, form, scope),
      remove: (form) => pins.remove(table.name, table.primaryKey, form),
    })
  }
}

export function unpin(pins: Pins, scope: Scope): void {
  for (const set of scope.sets) {
    const names = namesOf(set)
    pins.remove(set.table.name, names, formOf(scope, set, names))
    set.pinRows(undefined)
  }
}

/** The columns by which all rows of the set are found at once. */
function namesOf({ table, parentColumns }: RowSet): readonly string[] {
  return parentColumns.length === 0 ? table.primaryKey : parentColumns
}

/** Whoever names a row by its key names its parent. */
function isFoundByParent({ table, parentColumns }: RowSet): boolean {
  return parentColumns.every((name) => table.primaryKey.includes(name))
}

function formOf(scope: Scope, { table }: RowSet, names: readonly string[]): RowForm {
  const columns = names.map((name) => table.columns.get(name)).filter((column) => column !== undefined)
  const offsets = names.map((_, index) => index)
  const form = rowForm(columns, scope.key, 0, offsets)
  if (form !== undefined && form !== null) return form
  throw new NotSupportedError(
    `rows of table "${table.name}" cannot be held in memory: which of them belong to ${scope.name}, only the database can tell.`,
  )
}
