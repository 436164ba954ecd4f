/**
 * Turns a level into what a read has to wait for.
 *
 * Owns: the gate before each read. Keeps: law 6 in part.
 *   eventual  some committed prefix; never waits.
 *   strong    all that this engine had accepted when the read began, and all that any writer had committed: the
 *             gate flushes, then the query begins a new snapshot.
 */
import { InvalidOperationError } from '../errors.ts'
import type { RunQuery } from './kysely.ts'

export type Consistency = 'eventual' | 'strong'

/** @throws InvalidOperationError `INVALID_CALL` for an unknown level */
export function gate(level: Consistency, run: RunQuery, flush: () => Promise<void>): RunQuery {
  switch (level) {
    case 'eventual':
      return run
    case 'strong':
      return async (query) => {
        await flush()
        return await run(query)
      }
    default:
      throw new InvalidOperationError(
        'INVALID_CALL',
        `no consistency level ${JSON.stringify(level)} (levels: eventual, strong).`,
      )
  }
}
