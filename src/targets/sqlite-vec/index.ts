import type { Target } from '../../contracts/effect.ts'
import { systemRuntime } from '../../runtime/system.ts'
import { parseSqliteVecOptions, type SqliteVecOptions } from './options.ts'
import type { VectorSearch } from './search.ts'
import { SqliteVecTarget } from './target.ts'

export { SQLITE_VEC_DEFAULTS, type SqliteVecOptions } from './options.ts'
export type { SqliteVecPayload } from './payload.ts'
export type { VectorHit, VectorSearch } from './search.ts'

/**
 * Vectors in a file of their own, through `sqlite-vec` 0.1.9, which is installed beside: `npm install sqlite-vec`. What
 * an effect asks for is its payload, a `SqliteVecPayload`; its kind and key name the vector.
 *
 * - A batch is one transaction on a thread of its own, durable when it is delivered. Each effect has its own outcome.
 * - The version is kept with each vector, and for `tombstoneMs` without one: what comes late or again changes nothing.
 * - `search` compares with every vector of the table: exact, and slower the more there are.
 *
 * @param path the file, and of nobody else: not the database that the effects come from. It is made if it does not
 *   exist, its folder is not.
 * @throws TidemarkError `INVALID_OPTIONS`
 */
export function sqliteVec(path: string, options: SqliteVecOptions): Target & VectorSearch {
  return new SqliteVecTarget(parseSqliteVecOptions(path, options), systemRuntime)
}
