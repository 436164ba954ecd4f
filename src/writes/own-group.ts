/**
 * What we write for ourselves: changes of our own tables, and what a handler of effects writes with them.
 *
 * Keeps: law 7 (it waits for room like any write; nobody is told of a full queue who cannot do anything about it).
 */
import type { Run } from '../contracts/operation.ts'
import { EngineStoppedError, QueueFullError } from '../errors.ts'
import type { WriteEngine } from './engine.ts'
import type { Inserted } from './group.ts'
import type { Operations } from './operations.ts'
import type { Receipt } from './receipt.ts'

/**
 * Commits runs on tables of ours together with what `collect` writes, as one operation that leaves no dead letter.
 *
 * @param collect may be called again where the queue has no room at first; what it throws is a rejection too
 * @returns why it was rejected; undefined: it is committed
 * @throws EngineStoppedError
 */
export async function commitOwn(
  engine: WriteEngine,
  runs: readonly Run[],
  collect: (operations: Operations<Inserted>) => void,
): Promise<Error | undefined> {
  let receipt: Receipt | undefined
  while (receipt === undefined) {
    await engine.whenRoom()
    try {
      receipt = engine.groupWith(runs, collect)
    } catch (error) {
      if (error instanceof QueueFullError) continue
      if (error instanceof EngineStoppedError) throw error
      return error instanceof Error ? error : new Error(String(error))
    }
  }
  const outcome = await receipt.outcome()
  if (outcome.kind === 'abandoned') throw outcome.error
  return outcome.kind === 'rejected' ? outcome.error : undefined
}
