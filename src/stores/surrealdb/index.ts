import { Surreal } from 'surrealdb'
import type { Store } from '../../contracts/store.ts'
import { TidemarkError } from '../../errors.ts'
import { BorrowedConnection, OwnConnection } from './connection.ts'
import { parseSurrealOptions, type SurrealOptions } from './options.ts'
import { SurrealStore } from './store.ts'

export { SURREAL_DEFAULTS, type SurrealOptions } from './options.ts'

/**
 * A SurrealDB database (3.0), through its client `surrealdb`, which is installed beside, as is `@surrealdb/node` for the
 * embedded engine.
 *
 * Reads and statements are SurrealQL, with `$p1`, `$p2`, … for their parameters. A row's key is its record's id:
 * `db.upsert('files', { id: 'a.md', … })` writes `files:⟨a.md⟩`; a UNIQUE index named `primary_key` says that other fields
 * are the key, and their values are the id then.
 *
 * @param database a URL: `surrealkv://path/to/folder`, `mem://`, `ws://host:port`; or a client that is connected and uses
 *   a namespace and a database, which stays the caller's to use beside the engine and to close after it
 * @param options of a client, `numbered` alone
 * @throws TidemarkError `INVALID_OPTIONS`
 */
export function surrealdb(database: string | URL | Surreal, options: SurrealOptions = {}): Store {
  const settings = parseSurrealOptions(options)
  if (database instanceof Surreal) {
    if (Object.keys(options).some((key) => key !== 'numbered'))
      throw new TidemarkError(
        'INVALID_OPTIONS',
        'a client has a namespace, a database and a user of its own.',
      )
    return new SurrealStore(new BorrowedConnection(database), settings)
  }
  const url = String(database)
  if (!/^(?:mem|rocksdb|surrealkv(?:\+versioned)?|wss?|https?):\/\//.test(url))
    throw new TidemarkError(
      'INVALID_OPTIONS',
      `surrealdb() needs a client, or a URL such as surrealkv://data or ws://localhost:8000, not ${JSON.stringify(url)}.`,
    )
  return new SurrealStore(new OwnConnection(url, settings), settings)
}
