/**
 * Rows whose truth is in memory for now, because a live scope holds them.
 *
 * Owns: who holds a row, by each set of columns that a write or a read may name it by: its own key, and the key of the
 * row that it belongs to.
 * Keeps: law 6 (whoever reads such a row by its key is shown what memory has; a write beside the scope that holds it is
 * refused, since memory would not know of it). It breaks when a row is held and not found here: so a scope enters its
 * columns before it reads its rows, and takes them off when it has let go.
 *
 * Hot: where nothing is held, a write looks at one field.
 */
import type { Run } from '../contracts/operation.ts'
import type { ColumnSchema, TableSchema } from '../contracts/schema.ts'
import type { Value } from '../contracts/values.ts'
import { InvalidOperationError } from '../errors.ts'
import { rowForm, type RowForm } from './row-key.ts'
import { areSame } from './shapes.ts'

/** A row as memory has it. */
export interface PinnedRow {
  readonly row: Record<string, unknown> | undefined
  /** Nothing of what it shows is still to be committed. */
  readonly isSaved: boolean
  /** For how long its scope has changes that were not handed over yet; undefined: it has none. */
  readonly changedForMs: number | undefined
}

/** Who holds rows. */
export interface PinHolder {
  /** For messages. */
  readonly name: string
  /** @returns undefined when it has no such row, and would not have it */
  look(table: string, key: readonly Value[]): PinnedRow | undefined
  /** Resolves when what was changed before the call is committed. */
  flush(): Promise<void>
}

interface PinnedColumns {
  readonly columns: readonly ColumnSchema[]
  readonly names: readonly string[]
  readonly holders: Map<RowForm, PinHolder>
}

const none: readonly PinnedColumns[] = []

export class Pins {
  /** How many are entered. */
  size = 0
  /** How many scopes have changes that are not committed. */
  unsaved = 0
  /** Resolves when what they had changed before the call is committed, or rejected. */
  settle: () => Promise<void> = () => Promise.resolve()
  readonly #tables = new Map<string, PinnedColumns[]>()

  /** @param form of the columns' values, by `rowForm` */
  add(table: TableSchema, names: readonly string[], form: RowForm, holder: PinHolder): void {
    let sets = this.#tables.get(table.name)
    if (sets === undefined) this.#tables.set(table.name, (sets = []))
    let set = sets.find((one) => areSame(one.names, names))
    if (set === undefined) {
      const columns = names.map((name) => table.columns.get(name) as ColumnSchema)
      sets.push((set = { columns, names, holders: new Map() }))
    }
    if (!set.holders.has(form)) this.size++
    set.holders.set(form, holder)
  }

  remove(table: string, names: readonly string[], form: RowForm): void {
    const set = this.#tables.get(table)?.find((one) => areSame(one.names, names))
    if (set?.holders.delete(form)) this.size--
  }

  /** Some of the table's rows are held, or were. */
  hasAnyOf(table: string): boolean {
    return this.size > 0 && this.#tables.has(table)
  }

  /** @param key the values of the table's primary key, in its order */
  holderOf({ name, primaryKey }: TableSchema, key: readonly Value[]): PinHolder | undefined {
    for (const { columns, names, holders } of this.#tables.get(name) ?? none) {
      const offsets = names.map((column) => primaryKey.indexOf(column))
      if (offsets.includes(-1)) continue
      const form = rowForm(columns, key, 0, offsets)
      const holder = form === undefined || form === null ? undefined : holders.get(form)
      if (holder) return holder
    }
    return undefined
  }

  /** @throws InvalidOperationError `LIVE_HELD` when a scope holds the row of the operation at `index` */
  requireFree(run: Run, index: number): void {
    const { shape } = run
    if (shape.kind === 'statement') return
    for (const set of this.#tables.get(shape.table) ?? none) {
      const base = index * shape.width
      const named = shape.kind === 'insert' || shape.kind === 'upsert' ? shape.columns : shape.where
      const skipped = shape.kind === 'update' ? shape.set.length : 0
      this.#requireFree(set, named, run.values, base + skipped)
      // A row that is given to another parent.
      if (shape.kind === 'update') this.#requireFree(set, shape.set, run.values, base)
    }
  }

  #requireFree(
    { columns, names, holders }: PinnedColumns,
    named: readonly string[],
    values: readonly Value[],
    base: number,
  ): void {
    const offsets = names.map((name) => named.indexOf(name))
    if (offsets.includes(-1)) return
    const form = rowForm(columns, values, base, offsets)
    const holder = form === undefined || form === null ? undefined : holders.get(form)
    if (holder === undefined) return
    throw new InvalidOperationError(
      'LIVE_HELD',
      `the row is held in memory by the live scope of ${holder.name}, which would not know of this write.`,
      'Change it through the scope, or close that first.',
    )
  }
}
