/** `tidemark query 'select …'` */
import { CommandError, EXIT } from '../failure.ts'
import { openReadonly } from '../readonly-database.ts'
import { printRows, type RowFormat } from '../terminal/rows.ts'

/** @throws CommandError when the SQL is wrong or would write */
export function query(
  sql: string,
  settings: { readonly database: string; readonly format: RowFormat },
): void {
  const database = openReadonly(settings.database)
  try {
    const statement = database.prepare(sql)
    statement.setReadBigInts(true)
    const columns = statement.columns().map(({ name }) => name)
    if (columns.length === 0)
      throw new CommandError(EXIT.usage, 'this statement gives no rows; `query` only reads.')
    printRows(columns, readable(statement.iterate()), settings.format, (text) => process.stdout.write(text))
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(
      EXIT.usage,
      `the query failed: ${error instanceof Error ? error.message : String(error)}.`,
      'See the tables: npx tidemark query "select name, sql from sqlite_schema"',
    )
  } finally {
    database.close()
  }
}

/** Integers arrive as bigint, so that none is rounded; those a number can hold become one. */
function* readable(rows: Iterable<Record<string, unknown>>): Generator<Record<string, unknown>> {
  for (const row of rows) {
    for (const name in row) {
      const value = row[name]
      if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) row[name] = Number(value)
    }
    yield row
  }
}
