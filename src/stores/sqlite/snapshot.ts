/** One snapshot: what it holds of every writer, and a query's rows if it holds what was required. */
import type { DatabaseSync } from 'node:sqlite'
import type { Mark } from '../../contracts/position.ts'
import type { Snapshot, SqlQuery } from '../../contracts/store.ts'
import { holds } from '../../sql/bookkeeping.ts'
import { forgottenUpTo, readTidemarks } from './bookkeeping.ts'
import type { Queries } from './queries.ts'

export interface SnapshotQuery {
  readonly query: SqlQuery
  readonly required: readonly Mark[]
}

/** The connection must be in no transaction: what it reads would be an old snapshot. */
export function takeSnapshot(
  database: DatabaseSync,
  queries: Queries,
  { query, required }: SnapshotQuery,
): Snapshot {
  database.exec('BEGIN')
  try {
    const tidemarks = readTidemarks(database, required)
    const result = holds(tidemarks, required) ? queries.run(query) : undefined
    return { tidemarks, forgottenUpTo: forgottenUpTo(database), result }
  } finally {
    database.exec('ROLLBACK')
  }
}
