/**
 * The rows of one table that a scope holds: as they are, and what of them has changed since they were last handed over.
 *
 * Owns: the rows, each an object that is never changed but replaced; and of every changed row what has to be written.
 * Keeps: law 6 (a row is what the overlay's fold makes of the same upsert, and so what the commit makes of it; where
 * nobody can say that, it is what was given until it is read back).
 */
import type { ColumnSchema, TableSchema } from '../contracts/schema.ts'
import type { Value } from '../contracts/values.ts'
import { InvalidOperationError } from '../errors.ts'
import { apply, unproven, type Row } from '../reads/fold.ts'
import { rowForm, type RowForm } from '../writes/row-key.ts'
import { storedValue } from '../writes/stored-value.ts'
import { sizeOf } from '../writes/values.ts'
import type { EncodedRow } from './encoder.ts'

/** What has to be written of a row that has changed. */
export interface RowChange {
  readonly key: readonly Value[]
  /** The database has no such row. */
  readonly isNew: boolean
  /** It has one, which is deleted first. */
  replaces: boolean
  /** It is to be deleted, and no more. */
  isDeleted: boolean
  /** By column, without the key; the latest. */
  readonly values: Map<string, Value>
  /** What the database makes of it is seen only there. */
  mustBeReadBack: boolean
}

/** Where rows are entered by their keys. */
export interface RowPins {
  add(form: RowForm): void
  remove(form: RowForm): void
}

interface NamedPlace {
  readonly name: string
  readonly place: number
}

/** Where values stand in upserts of one shape: of the key, of what tells the rows apart, and the others. */
interface Places {
  readonly columns: readonly string[]
  readonly key: readonly number[]
  readonly own: readonly number[]
  readonly others: readonly NamedPlace[]
}

/** What a row takes in memory beside its values, in bytes. */
const bytesOfRow = 200

export class RowSet {
  table: TableSchema
  /** The columns that hold the key of the scope's row; none of that row's own table. */
  readonly parentColumns: readonly string[]
  readonly rows: Map<RowForm, Row> = new Map()
  bytes = 0
  #changes: Map<RowForm, RowChange> | undefined
  #pins: RowPins | undefined
  /** Deleted here, and not yet there: who reads such a row by its key must still find that it is gone. */
  #gone: Set<RowForm> | undefined
  /** The columns of the key that tell its rows apart: what holds the scope's key is the same in all of them. */
  #ownColumns: readonly ColumnSchema[] = []
  /** Where they stand in the key. */
  #ownInKey: readonly number[] = []
  #places: Places | undefined

  constructor(table: TableSchema, parentColumns: readonly string[]) {
    this.table = table
    this.parentColumns = parentColumns
    this.useTable(table)
  }

  /** The table may have changed, but not in what its rows are found by. */
  useTable(table: TableSchema): void {
    const { primaryKey } = table
    const own = primaryKey.filter((name) => !this.parentColumns.includes(name))
    const names = own.length === 0 ? primaryKey : own
    this.table = table
    this.#ownColumns = names.map((name) => table.columns.get(name) as ColumnSchema)
    this.#ownInKey = names.map((name) => primaryKey.indexOf(name))
    this.#places = undefined
  }

  /** Every row is entered where it is found by its key; undefined: none is any more. */
  pinRows(pins: RowPins | undefined): void {
    this.#unpin()
    this.#pins = pins
    for (const form of this.rows.keys()) this.#pins?.add(form)
  }

  /** Takes the rows as they are committed. */
  load(rows: readonly Row[]): void {
    this.#unpin()
    this.rows.clear()
    this.bytes = 0
    for (const row of rows) this.#keep(this.formOf(this.keyOf(row)), row)
  }

  /** @returns how many bytes more it takes now */
  set({ run, bytes }: EncodedRow): number {
    const { columns } = run.shape
    const places = this.#placesIn(columns)
    const form = this.#found(rowForm(this.#ownColumns, run.values, 0, places.own))
    const before = this.rows.get(form)
    const next = apply(this.table, before && { ...before }, { run, index: 0 })
    const isProven = next !== unproven && this.table.isFoldable === true
    const row = next === unproven || next === undefined ? this.#asGiven(before, run) : next
    const grown = before === undefined ? bytes + bytesOfRow : this.#growth(before, row, columns)
    this.rows.set(form, Object.freeze(row))
    if (before === undefined) this.#pins?.add(form)
    this.bytes += grown
    this.#changed(form, before !== undefined, run, places, isProven)
    return grown
  }

  /** @returns how many bytes more it takes now, or undefined when there is no such row */
  delete(key: readonly Value[]): number | undefined {
    const form = this.formOf(key)
    const row = this.rows.get(form)
    if (row === undefined) return undefined
    this.rows.delete(form)
    if (this.#pins !== undefined) (this.#gone ??= new Set()).add(form)
    const change = this.#changes?.get(form)
    if (change?.isNew === true) this.#forget(form)
    else if (change) {
      change.isDeleted = true
      change.replaces = false
      change.values.clear()
    } else {
      this.#changesOf().set(form, { ...nothing, key, isDeleted: true, values: new Map() })
    }
    const grown = -this.#sizeOf(row)
    this.bytes += grown
    return grown
  }

  /** What has changed since the last time; from now on it counts as written. */
  takeChanges(): ReadonlyMap<RowForm, RowChange> {
    const taken = this.#changes ?? new Map<RowForm, RowChange>()
    this.#changes = undefined
    return taken
  }

  dropChanges(): void {
    this.#changes = undefined
  }

  /** A row as it is committed, unless it has changed again meanwhile. @returns how many bytes more it takes now */
  readBack(form: RowForm, row: Row | undefined): number {
    const shown = this.rows.get(form)
    const change = this.#changes?.get(form)
    // With what is written next it is read again.
    if (change !== undefined) change.mustBeReadBack = true
    if (shown === undefined || row === undefined || change !== undefined) return 0
    const grown = this.#sizeOf(row) - this.#sizeOf(shown)
    this.rows.set(form, Object.freeze(row))
    this.bytes += grown
    return grown
  }

  /** What was taken is committed. */
  saved(changes: ReadonlyMap<RowForm, RowChange>): void {
    for (const [form, { isDeleted }] of changes)
      if (isDeleted && this.#changes?.has(form) !== true) this.#letGo(form)
  }

  formOf(key: readonly Value[]): RowForm {
    return this.#found(rowForm(this.#ownColumns, key, 0, this.#ownInKey))
  }

  /** The values of a row's key. */
  keyOf(row: Row): Value[] {
    return this.table.primaryKey.map((name) => row[name] as Value)
  }

  #changed(
    form: RowForm,
    wasThere: boolean,
    { values }: EncodedRow['run'],
    places: Places,
    isProven: boolean,
  ): void {
    const changes = this.#changesOf()
    let change = changes.get(form)
    if (change === undefined) {
      const key = places.key.map((place) => values[place] as Value)
      changes.set(form, (change = { ...nothing, key, isNew: !wasThere, values: new Map() }))
    } else if (change.isDeleted) {
      change.isDeleted = false
      change.replaces = true
    }
    const { others } = places
    for (let at = 0; at < others.length; at++) {
      const { name, place } = others[at] as NamedPlace
      change.values.set(name, values[place] as Value)
    }
    change.mustBeReadBack ||= !isProven
  }

  #changesOf(): Map<RowForm, RowChange> {
    return (this.#changes ??= new Map())
  }

  #unpin(): void {
    for (const form of this.rows.keys()) this.#pins?.remove(form)
    for (const form of this.#gone ?? []) this.#letGo(form)
  }

  #letGo(form: RowForm): void {
    if (this.#gone?.delete(form) === true && !this.rows.has(form)) this.#pins?.remove(form)
  }

  #forget(form: RowForm): void {
    this.#letGo(form)
    this.#changes?.delete(form)
    if (this.#changes?.size === 0) this.#changes = undefined
  }

  #keep(form: RowForm, row: Row): void {
    this.rows.set(form, Object.freeze(row))
    this.#pins?.add(form)
    this.bytes += this.#sizeOf(row)
  }

  /** Nobody can say what the database will make of it, so for now it is what was given. */
  #asGiven(before: Row | undefined, { shape, values }: EncodedRow['run']): Row {
    const row: Row = before === undefined ? {} : { ...before }
    if (before === undefined) for (const name of this.table.columns.keys()) row[name] = null
    for (const [offset, name] of shape.columns.entries()) {
      const column = this.table.columns.get(name) as ColumnSchema
      const value = values[offset] as Value
      row[name] = storedValue(column, value) ?? (column.isJson === true ? parsed(value) : value)
    }
    return row
  }

  #growth(before: Row, row: Row, columns: readonly string[]): number {
    let grown = 0
    for (const name of columns) {
      const is = row[name]
      const was = before[name]
      if (typeof is === 'string' || typeof was === 'string' || typeof is === 'object')
        grown += sizeOf(is as Value) - sizeOf(was as Value)
    }
    return grown
  }

  #sizeOf(row: Row): number {
    let bytes = bytesOfRow
    for (const name in row) bytes += sizeOf(row[name] as Value)
    return bytes
  }

  #placesIn(columns: readonly string[]): Places {
    if (this.#places?.columns !== columns) {
      const { primaryKey } = this.table
      const key = primaryKey.map((name) => columns.indexOf(name))
      const named = columns.map((name, place) => ({ name, place }))
      this.#places = {
        columns,
        key,
        own: this.#ownInKey.map((place) => key[place] as number),
        others: named.filter(({ name }) => !primaryKey.includes(name)),
      }
    }
    return this.#places
  }

  #found(form: RowForm | null | undefined): RowForm {
    if (form !== null && form !== undefined) return form
    throw new InvalidOperationError(
      'NOT_SUPPORTED',
      `the rows of table "${this.table.name}" cannot be held in memory: which of them are the same, only the database can tell from this key.`,
    )
  }
}

const nothing = { isNew: false, replaces: false, isDeleted: false, mustBeReadBack: false }

function parsed(value: Value): unknown {
  return typeof value === 'string' ? JSON.parse(value) : value
}
