import type { Store } from '../../contracts/store.ts'
import { TidemarkError } from '../../errors.ts'
import { parseSqliteOptions, type SqliteOptions } from './options.ts'
import { SqliteStore } from './store.ts'

export { SQLITE_DEFAULTS, type SqliteOptions } from './options.ts'
export { SQLITE_QUERY_DEFAULTS, sqliteQueries, type SqliteQueryOptions } from './query-process.ts'

/**
 * A database file of SQLite, through `node:sqlite` on threads of its own.
 *
 * @param path the file; it is made if it does not exist, its folder is not.
 * @throws TidemarkError `INVALID_OPTIONS`
 */
export function sqlite(path: string, options?: SqliteOptions): Store {
  if (typeof path !== 'string' || path === '' || path === ':memory:' || path.startsWith('file:')) {
    throw new TidemarkError(
      'INVALID_OPTIONS',
      `sqlite() needs the path of a file, not ${JSON.stringify(path)}.`,
      {
        hint: 'A database in memory belongs to one connection alone; use memory() from "tidemark/memory" for tests.',
      },
    )
  }
  return new SqliteStore(path, parseSqliteOptions(options))
}
