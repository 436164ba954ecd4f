/** What the write calls of an engine and of its sessions are made of. */
import type { Load } from '../contracts/operation.ts'
import type { Inserted } from './group.ts'
import type { Operations } from './operations.ts'
import type { Receipt } from './receipt.ts'
import type { TransactionWork } from './transaction-turn.ts'

/** The write calls, for those who write: the engine's own, or a session's. */
export interface WriteLane {
  readonly operations: Operations<Receipt>
  group(collect: (operations: Operations<Inserted>) => unknown): Receipt
  load(
    collect: (operations: Operations<Inserted>) => void,
    letters: Load['letters'],
    checkpoint: Load['checkpoint'],
  ): Receipt
  transaction(work: TransactionWork, timeoutMs: number): Promise<unknown>
}
