/** The tables as the engine and the statements know them. */
import type { ColumnStorage, Schema, TableSchema } from '../../contracts/schema.ts'
import type { SqlSession } from '../../sql/dialect.ts'
import { quote, readCatalog, type CatalogColumn, type CatalogTable } from '../../sql/postgres-catalog.ts'
import { versionOf } from '../../sql/version.ts'

export interface TableTraits extends Pick<
  CatalogTable,
  'quoted' | 'isPlain' | 'cascades' | 'isDeferred' | 'hasOtherKeys'
> {
  readonly columns: ReadonlyMap<string, CatalogColumn>
}

export interface DatabaseSchema extends Schema {
  readonly traits: ReadonlyMap<string, TableTraits>
  /** Constraints that wait for COMMIT: what has them judged now, and wait again. Undefined: there are none. */
  readonly deferred: { readonly judge: string; readonly wait: string } | undefined
}

export async function readSchema(session: SqlSession): Promise<DatabaseSchema> {
  const catalog = await readCatalog(session)
  const ids = new Map(catalog.tables.map((table) => [table.name, generatedIdOf(table)]))
  return {
    version: versionOf({ tables: catalog.tables, deferred: catalog.deferred }),
    tables: new Map(catalog.tables.map((table) => [table.name, tableOf(table, ids)])),
    traits: new Map(
      // Ours too: effects are kept in them by ordinary operations.
      [...catalog.tables, ...catalog.bookkeeping].map((table) => [
        table.name,
        { ...table, columns: new Map(table.columns.map((column) => [column.name, column])) },
      ]),
    ),
    // By name: ALL would make those wait, from then on, that are checked at once unless told otherwise.
    deferred:
      catalog.deferred === ''
        ? undefined
        : {
            judge: `SET CONSTRAINTS ${catalog.deferred} IMMEDIATE`,
            wait: `SET CONSTRAINTS ${catalog.deferred} DEFERRED`,
          },
  }
}

function generatedIdOf({ columns, primaryKey }: CatalogTable): string | undefined {
  const id = columns.find((column) => column.name === primaryKey[0])
  return primaryKey.length === 1 && id?.isGenerated && /int/.test(id.type) ? id.name : undefined
}

function tableOf(
  { name, quoted, columns, primaryKey, standsAlone }: CatalogTable,
  ids: ReadonlyMap<string, string | undefined>,
): TableSchema {
  const parents = columns.flatMap(({ name: column, references }) =>
    references && ids.get(references.table) === references.column
      ? [[column, references.table] as const]
      : [],
  )
  return {
    name,
    sqlName: quoted,
    columns: new Map(
      columns.map((column) => [
        column.name,
        {
          name: column.name,
          type: column.type,
          wholeNumbers: 'number',
          isComputed: column.isComputed,
          isJson: column.isJson,
          ...storageOf(column),
        },
      ]),
    ),
    primaryKey,
    standsAlone,
    generatedId: ids.get(name),
    parents: new Map(parents),
  }
}

/** Where it is known what equals what: a key of such columns is found among what is pending. */
function storageOf({ comparesAs, hasDefault, type, baseType }: CatalogColumn): {
  readonly storage?: ColumnStorage
} {
  switch (comparesAs) {
    case 'integer':
      // Texts that look like a number are not told from those that do not.
      return { storage: { affinity: 'numeric', comparesExactly: false, hasDefault } }
    case 'text':
      // One with a length takes off blanks that do not fit.
      if (type !== baseType) return {}
      return { storage: { affinity: 'text', comparesExactly: true, hasDefault } }
    case 'uuid':
      return { storage: { affinity: 'uuid', comparesExactly: true, hasDefault } }
    case 'padded':
    case 'instant':
    case undefined:
      return {}
  }
}

/** A column of a table that was dropped meanwhile is quoted all the same: the server says what it is. */
export function quotedTable(schema: DatabaseSchema, table: string): string {
  return schema.traits.get(table)?.quoted ?? quote(table)
}
