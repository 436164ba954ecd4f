import { DatabaseSync } from 'node:sqlite'
import type { Store } from '../../contracts/store.ts'
import { TidemarkError } from '../../errors.ts'
import { MemoryStore, type MemoryOptions } from './store.ts'

export type { MemoryOptions } from './store.ts'

/**
 * A database in this process's memory, for tests: real SQL, the same laws, no file and no thread. It blocks the
 * event loop while it works, and is gone with the object; engines opened on one `memory()` share its tables.
 *
 * @throws TidemarkError `INVALID_OPTIONS`
 */
export function memory(options: MemoryOptions = {}): Store {
  const { schema = '', commit = 'async', ...unknown } = options
  const problems = Object.keys(unknown).map((key) => `${key} is not an option (options: schema, commit)`)
  if (commit !== 'async' && commit !== 'sync')
    problems.push(`commit must be 'async' or 'sync', not ${String(commit)}`)
  if (problems.length > 0)
    throw new TidemarkError('INVALID_OPTIONS', `invalid options: ${problems.join('; ')}.`)
  return new MemoryStore(new DatabaseSync(':memory:'), schema, commit)
}
