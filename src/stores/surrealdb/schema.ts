/** Reads the tables of a database: what the engine checks writes against, and what a statement must know of them. */
import { createHash } from 'node:crypto'
import type { ColumnSchema, Schema, TableSchema } from '../../contracts/schema.ts'
import type { Session } from './session.ts'
import { isInternal, keyOfOwn, name } from './tables.ts'

/** A UNIQUE index of this name says which fields are a table's key. Without it, the key is `id`. */
const primaryKeyIndex = 'primary_key'

export interface DatabaseSchema extends Schema {
  readonly traits: ReadonlyMap<string, TableTraits>
}

interface TableTraits {
  /** No event runs beside a write, so that one of a single record which is refused has done nothing. */
  readonly isPlain: boolean
  /** Fields that are NULL when they are empty. In the others that is NONE. */
  readonly takesNull: (column: string) => boolean
}

interface TableInfo {
  readonly name: string
  readonly schemafull: boolean
  readonly kind: { readonly kind: string }
  readonly view?: unknown
}

interface FieldInfo {
  readonly name: string
  readonly kind?: string
  readonly computed?: unknown
  readonly default?: unknown
  readonly reference?: unknown
}

interface Details {
  readonly fields: readonly FieldInfo[]
  readonly indexes: readonly {
    readonly name: string
    readonly index: string
    readonly cols: readonly string[]
  }[]
  readonly events: readonly unknown[]
}

/** @param numbered tables whose rows get the next whole number where they come without a key */
export async function readSchema(session: Session, numbered: readonly string[]): Promise<DatabaseSchema> {
  const [database] = await session.ask('INFO FOR DB STRUCTURE')
  const found = (database as { tables: readonly TableInfo[] }).tables.filter(
    ({ name: table, kind, view }) => !isInternal(table) && kind.kind !== 'RELATION' && view === undefined,
  )
  const details = (
    found.length === 0
      ? []
      : await session.ask(found.map((table) => `INFO FOR TABLE ${name(table.name)} STRUCTURE`).join('; '))
  ) as readonly Details[]
  // A record that is deleted may take others with it, in tables that say so and in those that do not.
  const cascades = details.some(({ fields }) => fields.some(({ reference }) => reference !== undefined))
  const tables = found.map((table, index) => tableOf(table, details[index] as Details, cascades, numbered))
  return {
    version: createHash('sha256')
      .update(JSON.stringify([found, details]))
      .digest('hex'),
    tables: new Map(tables.map((table) => [table.name, table])),
    traits: new Map(found.map((table, index) => [table.name, traitsOf(details[index] as Details)])),
  }
}

function tableOf(
  { name: table, schemafull }: TableInfo,
  { fields, indexes, events }: Details,
  cascades: boolean,
  numbered: readonly string[],
): TableSchema {
  const declared = fields
    // What is inside of a field is the field's own affair.
    .filter((field) => !/[.[]/.test(field.name))
    .map((field): [string, ColumnSchema] => [unquoted(field.name), columnOf(field)])
  const key = indexes.find(({ name: index }) => index === primaryKeyIndex)?.cols.map(unquoted) ?? ['id']
  const columns = new Map(key[0] === 'id' ? [['id', columnOf({ name: 'id' })], ...declared] : declared)
  return {
    name: table,
    columns: schemafull ? columns : new OpenColumns(columns),
    primaryKey: key,
    generatedId: key.length === 1 && numbered.includes(table) ? key[0] : undefined,
    standsAlone: events.length === 0 && !cascades,
  }
}

function columnOf({ name: column, kind = 'any', computed, default: preset }: FieldInfo): ColumnSchema {
  return {
    name: unquoted(column),
    type: kind,
    wholeNumbers: 'number',
    isComputed: computed !== undefined,
    isDocument: true,
    storage: { affinity: 'none', comparesExactly: true, hasDefault: preset !== undefined },
  }
}

/** Names that need it come in backticks. */
function unquoted(text: string): string {
  return text.startsWith('`') ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text
}

function traitsOf({ fields, events }: Details): TableTraits {
  const withoutNull = new Set(
    fields.filter(({ kind = 'any' }) => !/\b(?:any|null)\b/.test(kind)).map((field) => unquoted(field.name)),
  )
  return { isPlain: events.length === 0, takesNull: (column) => !withoutNull.has(column) }
}

/** A table without a schema takes every field. */
class OpenColumns extends Map<string, ColumnSchema> {
  override get(column: string): ColumnSchema {
    return super.get(column) ?? columnOf({ name: column })
  }

  override has(): boolean {
    return true
  }
}

/** How a table's records are found, ours too. */
export class Tables {
  readonly schema: DatabaseSchema

  constructor(schema: DatabaseSchema) {
    this.schema = schema
  }

  keyOf(table: string): readonly string[] {
    return keyOfOwn(table) ?? this.schema.tables.get(table)?.primaryKey ?? ['id']
  }

  generatedIdOf(table: string): string | undefined {
    return this.schema.tables.get(table)?.generatedId
  }

  isPlain(table: string): boolean {
    return isInternal(table) || this.schema.traits.get(table)?.isPlain === true
  }

  takesNull(table: string, column: string): boolean {
    return this.schema.traits.get(table)?.takesNull(column) ?? true
  }
}
