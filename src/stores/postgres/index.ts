import type { Store } from '../../contracts/store.ts'
import { TidemarkError } from '../../errors.ts'
import { isAddress } from './address.ts'
import { parsePostgresOptions, type PostgresOptions } from './options.ts'
import { PostgresStore } from './store.ts'

export { POSTGRES_QUERY_DEFAULTS, postgresQueries, type PostgresQueryOptions } from './client-queries.ts'
export { POSTGRES_DEFAULTS, type PostgresOptions } from './options.ts'

/**
 * A PostgreSQL database (15 or newer), through `pg`, which is installed beside: `npm install pg`.
 *
 * @param url `postgres://user:password@host:port/database?sslmode=verify-full&options=-c%20search_path%3Dapp`; several,
 *   as a list, are tried in turn, and the one that takes writes is used: a primary and its standbys
 * @throws TidemarkError `INVALID_OPTIONS`
 */
export function postgres(url: string | readonly string[], options?: PostgresOptions): Store {
  const urls = typeof url === 'string' ? [url] : url
  const wrong = Array.isArray(urls) ? urls.find((one) => !isAddress(one)) : url
  if (!Array.isArray(urls) || urls.length === 0 || wrong !== undefined) {
    throw new TidemarkError(
      'INVALID_OPTIONS',
      'postgres() needs the URL of a database, such as postgres://user@localhost:5432/app, or several.',
    )
  }
  return new PostgresStore(urls, parsePostgresOptions(options))
}
