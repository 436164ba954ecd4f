/** What the server's process and those that run its clients' SQL say to each other. */
import type { SqlAnswer, SqlQuestion } from '../../contracts/sql-runner.ts'
import type { FailureMessage } from './messages.ts'

export interface QueryLimits {
  /** Rows of an answer, and their JSON text. */
  readonly maxRows: number
  readonly maxBytes: number
  /** The heap of the thread that runs them. */
  readonly maxHeapMb: number
}

export interface QueryRequest extends SqlQuestion {
  readonly id: number
}

export type QueryReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: SqlAnswer }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: FailureMessage }
  /** The thread ran out of memory, or could not start. */
  | { readonly kind: 'dead'; readonly message: string }
