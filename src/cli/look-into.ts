/** Looks into a database beside the engine, be it a file or a server: it is neither made nor changed. */
import { StoreError } from '../errors.ts'
import { Queries } from '../stores/sqlite/queries.ts'
import { ask, type BookkeepingSource } from '../writes/bookkeeping.ts'
import { databaseError } from './database-error.ts'
import { needingPg, type Database } from './database.ts'
import { openReadonly } from './readonly-database.ts'

/** @throws CommandError when it cannot be looked into, or `look` asked for what it has not */
export async function lookInto<T>(
  database: Database,
  look: (source: BookkeepingSource) => Promise<T>,
): Promise<T> {
  try {
    if (database.kind === 'sqlite') return await lookIntoFile(database.path, look)
    const { lookIntoServer } = await needingPg(() => import('./postgres/look.ts'))
    return await lookIntoServer(database, look)
  } catch (error) {
    throw error instanceof StoreError ? databaseError(database, error) : error
  }
}

async function lookIntoFile<T>(path: string, look: (source: BookkeepingSource) => Promise<T>): Promise<T> {
  const opened = openReadonly(path)
  try {
    const queries = new Queries((sql) => opened.prepare(sql))
    return await look({ dialect: 'sqlite', query: (query) => queries.run(query) })
  } finally {
    opened.close()
  }
}

/** Whether there is a table of this name, where names are looked for first. */
export async function hasTable(source: BookkeepingSource, name: string): Promise<boolean> {
  const sql =
    source.dialect === 'sqlite'
      ? "SELECT 1 FROM sqlite_schema WHERE name = ? AND type = 'table'"
      : 'SELECT 1 WHERE to_regclass(quote_ident(?)) IS NOT NULL'
  return (await ask(source, sql, [name])).length > 0
}
