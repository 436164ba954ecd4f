/** The tables as the engine and the statements know them. */
import type { Schema, TableSchema } from '../../contracts/schema.ts'
import type { SqlSession } from '../../sql/dialect.ts'
import { quote, readCatalog, type CatalogColumn, type CatalogTable } from '../../sql/postgres-catalog.ts'
import { versionOf } from '../../sql/version.ts'

export interface TableTraits extends Pick<
  CatalogTable,
  'quoted' | 'isPlain' | 'isDeferred' | 'hasOtherKeys'
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
  return {
    version: versionOf(catalog),
    tables: new Map(catalog.tables.map((table) => [table.name, tableOf(table)])),
    traits: new Map(
      catalog.tables.map((table) => [
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

function tableOf({ name, columns, primaryKey }: CatalogTable): TableSchema {
  const id = columns.find((column) => column.name === primaryKey[0])
  return {
    name,
    columns: new Map(
      columns.map(({ name: column, type, isComputed }) => [
        column,
        { name: column, type, wholeNumbers: 'number', isComputed },
      ]),
    ),
    primaryKey,
    generatedId: primaryKey.length === 1 && id?.isGenerated && /int/.test(id.type) ? id.name : undefined,
  }
}

/** A column of a table that was dropped meanwhile is quoted all the same: the server says what it is. */
export function quotedTable(schema: DatabaseSchema, table: string): string {
  return schema.traits.get(table)?.quoted ?? quote(table)
}
