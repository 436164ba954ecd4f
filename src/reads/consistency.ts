/**
 * Turns a level into what a read has to wait for.
 *
 * Owns: the gate before each read. Keeps: law 6 in part.
 *   eventual  some committed prefix; never waits.
 *   strong    all that this engine had accepted when the read began, and all that any writer had committed: the
 *             gate flushes, then the query begins a new snapshot.
 */
import type { OpenedStore } from '../contracts/store.ts'
import { InvalidOperationError } from '../errors.ts'
import type { RunQuery } from './kysely.ts'

export type Consistency = 'eventual' | 'strong'

/** @throws InvalidOperationError `INVALID_CALL` for an unknown level */
export function gate(level: Consistency, store: OpenedStore, flush: () => Promise<void>): RunQuery {
  switch (level) {
    case 'eventual':
      return (query) => store.query(query)
    case 'strong':
      return async (query) => {
        await flush()
        return await store.query(query)
      }
    default:
      throw new InvalidOperationError(
        'INVALID_CALL',
        `no consistency level ${JSON.stringify(level)} (levels: eventual, strong).`,
      )
  }
}
