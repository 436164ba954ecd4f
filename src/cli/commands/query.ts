/** `tidemark query 'select …'` */
import type { DatabaseSync } from 'node:sqlite'
import { needingPg, type Database, type DatabaseFile } from '../database.ts'
import { CommandError, EXIT } from '../failure.ts'
import { openReadonly } from '../readonly-database.ts'
import { print } from '../terminal/output.ts'
import { textOfRows, type RowFormat, type Rows } from '../terminal/rows.ts'

/** @throws CommandError when the SQL is wrong or would write */
export async function query(
  sql: string,
  { database, format }: { readonly database: Database; readonly format: RowFormat },
): Promise<void> {
  const show = async (columns: readonly string[], rows: Rows): Promise<void> =>
    print(textOfRows(columns, rows, format, process.stdout.columns))
  if (database.kind === 'sqlite') return await queryFile(database, sql, show)
  const { queryServer } = await needingPg(() => import('../postgres/query.ts'))
  await queryServer(database, sql, show)
}

async function queryFile(
  file: DatabaseFile,
  sql: string,
  show: (columns: readonly string[], rows: Rows) => Promise<void>,
): Promise<void> {
  const database = openReadonly(file.path)
  try {
    const { columns, rows } = select(database, sql)
    await show(columns, rows)
  } catch (error) {
    if (error instanceof CommandError) throw error
    const message = error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
    throw new CommandError(
      EXIT.usage,
      `the query failed: ${message}.`,
      'See the tables: npx tidemark query "select name, sql from sqlite_schema"',
    )
  } finally {
    database.close()
  }
}

function select(
  database: DatabaseSync,
  sql: string,
): { columns: readonly string[]; rows: Iterable<readonly unknown[]> } {
  const statement = database.prepare(sql)
  const columns = statement.columns().map(({ name }) => name)
  if (columns.length === 0)
    throw new CommandError(
      EXIT.usage,
      'this statement gives no rows; `query` only reads.',
      'Write with the sqlite3 shell, or with a program.',
    )
  // SQLite prepares the first statement and passes over the rest, which would look as if it had run.
  const rest = sql.slice(statement.sourceSQL.length)
  if (rest.replaceAll(/--[^\n]*|\/\*[^]*?(?:\*\/|$)|[;\s]/g, '') !== '')
    throw new CommandError(
      EXIT.usage,
      'this is more than one statement; nothing was run.',
      'Run them one by one.',
    )
  statement.setReadBigInts(true)
  // As arrays, since two columns of a join may have the same name. Their type knows of objects only.
  statement.setReturnArrays(true)
  return { columns, rows: readable(statement.iterate() as Iterable<unknown> as Iterable<unknown[]>) }
}

/** Integers arrive as bigint, so that none is rounded; those a number can hold become one. */
function* readable(rows: Iterable<unknown[]>): Generator<unknown[]> {
  for (const row of rows) {
    for (const [index, value] of row.entries()) {
      if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) row[index] = Number(value)
    }
    yield row
  }
}
