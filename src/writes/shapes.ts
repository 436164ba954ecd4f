/**
 * The shapes of one table: which columns an operation names, checked once against the schema and then reused.
 *
 * Keeps: law 1's other half (what cannot be stored is refused at the call). A shape is made only from columns
 * that exist and may be written, so the rows that follow need no check but that their columns are the same.
 */
import type { DeleteShape, InsertShape, Shape, UpdateShape, UpsertShape } from '../contracts/operation.ts'
import type { ColumnSchema, Schema, TableSchema } from '../contracts/schema.ts'
import { InvalidOperationError } from '../errors.ts'
import type { IdStock, IdStocks } from './ids.ts'

/**
 * A shape, and the columns of the rows that it takes, in the order of its values. Where ids are preallocated, the
 * shape has one more at its end.
 */
export interface Layout<S extends Shape = Shape> {
  readonly shape: S
  readonly names: readonly string[]
  readonly columns: readonly ColumnSchema[]
}

/** Sparse rows could name any subset of columns; past this many the cache starts anew. */
const maxCachedShapes = 1_000

export class TableShapes {
  readonly table: TableSchema
  /** Set when this table's ids are preallocated. */
  readonly ids: IdStock | undefined
  readonly #cache = new Map<string, Layout>()
  /** The layout of the last row inserted or upserted: nearly always that of the next. */
  lastInsert: Layout<InsertShape> | undefined
  lastUpsert: Layout<UpsertShape> | undefined
  #lastUpdate: Layout<UpdateShape> | undefined
  #lastDelete: Layout<DeleteShape> | undefined

  constructor(table: TableSchema, ids: IdStock | undefined) {
    this.table = table
    this.ids = ids
  }

  insert(names: readonly string[]): Layout<InsertShape> {
    const columns = this.ids === undefined ? names : [...names, this.#idBeside(names)]
    return (this.lastInsert = this.#layout(keyOf('insert', this.table.name, [columns]), names, (key) => ({
      kind: 'insert',
      table: this.table.name,
      key,
      width: columns.length,
      columns,
    })))
  }

  upsert(names: readonly string[]): Layout<UpsertShape> {
    return (this.lastUpsert = this.#layout(keyOf('upsert', this.table.name, [names]), names, (key) => {
      this.#requireKey(names, 'An upsert finds its row by the primary key.')
      return {
        kind: 'upsert',
        table: this.table.name,
        key,
        width: names.length,
        columns: names,
        keyColumns: this.table.primaryKey,
      }
    }))
  }

  update(set: readonly string[], where: readonly string[], expect: number | undefined): Layout<UpdateShape> {
    const last = this.#lastUpdate
    if (
      last &&
      last.shape.expect === expect &&
      areSame(last.shape.set, set) &&
      areSame(last.shape.where, where)
    )
      return last
    const names = [...set, ...where]
    const key = keyOf('update', this.table.name, [set, where], expect)
    return (this.#lastUpdate = this.#layout(key, names, () => {
      this.#requireKey(where, 'An update finds its row by the primary key; use `db.write()` for others.')
      return { kind: 'update', table: this.table.name, key, width: names.length, set, where, expect }
    }))
  }

  delete(where: readonly string[], expect: number | undefined): Layout<DeleteShape> {
    const last = this.#lastDelete
    if (last && last.shape.expect === expect && areSame(last.shape.where, where)) return last
    const key = keyOf('delete', this.table.name, [where], expect)
    return (this.#lastDelete = this.#layout(key, where, () => {
      this.#requireKey(where, 'A delete finds its row by the primary key; use `db.write()` for others.')
      return { kind: 'delete', table: this.table.name, key, width: where.length, where, expect }
    }))
  }

  #layout<S extends Shape>(key: string, names: readonly string[], make: (key: string) => S): Layout<S> {
    const known = this.#cache.get(key)
    // The key begins with the kind, so what it finds is of this kind.
    if (known) return known as Layout<S>
    const columns = names.map((name) => this.#column(name))
    const layout = { shape: make(key), names, columns }
    if (this.#cache.size >= maxCachedShapes) this.#cache.clear()
    this.#cache.set(key, layout)
    return layout
  }

  #column(name: string): ColumnSchema {
    const column = this.table.columns.get(name)
    if (!column) {
      const known = [...this.table.columns.keys()].join(', ')
      throw new InvalidOperationError(
        'UNKNOWN_COLUMN',
        `no column "${name}" in table "${this.table.name}" (columns: ${known}).`,
      )
    }
    if (column.isComputed) {
      throw new InvalidOperationError(
        'UNKNOWN_COLUMN',
        `column "${name}" of table "${this.table.name}" is computed by the database.`,
        'Leave it out.',
      )
    }
    return column
  }

  #idBeside(names: readonly string[]): string {
    const { name, generatedId } = this.table
    if (generatedId === undefined)
      throw new InvalidOperationError('INVALID_CALL', `table "${name}" has no generated id any more.`)
    if (!names.includes(generatedId)) return generatedId
    throw new InvalidOperationError(
      'INVALID_CALL',
      `column "${generatedId}" of table "${name}" was given, but the ids of this table are preallocated.`,
      'Leave it out, and read it from `receipt.id`.',
    )
  }

  #requireKey(names: readonly string[], why: string): void {
    const { name, primaryKey } = this.table
    if (primaryKey.length === 0) {
      throw new InvalidOperationError(
        'MISSING_KEY',
        `table "${name}" has no primary key. ${why}`,
        'Use `db.write()` with an SQL statement.',
      )
    }
    const missing = primaryKey.filter((column) => !names.includes(column))
    if (missing.length > 0) {
      throw new InvalidOperationError(
        'MISSING_KEY',
        `table "${name}" needs ${missing.map((column) => `"${column}"`).join(', ')} of its primary key. ${why}`,
      )
    }
  }
}

export function areSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((name, index) => name === others[index])
}

function keyOf(
  kind: string,
  table: string,
  columns: readonly (readonly string[])[],
  expect?: number,
): string {
  return JSON.stringify([kind, table, columns, expect ?? null])
}

/** All tables of a schema; made anew when the schema changes. */
export class ShapeBook {
  readonly schema: Schema
  readonly #tables = new Map<string, TableShapes>()

  constructor(schema: Schema, ids?: IdStocks) {
    this.schema = schema
    for (const table of schema.tables.values())
      this.#tables.set(table.name, new TableShapes(table, ids?.of(table.name)))
  }

  /** @throws InvalidOperationError `UNKNOWN_TABLE` */
  table(name: string): TableShapes {
    return this.#tables.get(name) ?? this.#unknown(name)
  }

  #unknown(name: string): never {
    const known = [...this.#tables.keys()].join(', ') || 'none'
    throw new InvalidOperationError(
      'UNKNOWN_TABLE',
      `no table "${name}" (tables: ${known}).`,
      'If it was created just now, call `db.reloadSchema()`.',
    )
  }
}
