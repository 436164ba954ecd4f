export type { Position } from './contracts/position.ts'
export type { Store } from './contracts/store.ts'
export type { Json, Value } from './contracts/values.ts'
export {
  EngineStoppedError,
  InvalidOperationError,
  NotSupportedError,
  QueueFullError,
  ReceiptTimeoutError,
  StoreError,
  TidemarkError,
  WriteRejectedError,
  type Certainty,
  type ErrorCode,
} from './errors.ts'
export type { Consistency } from './reads/consistency.ts'
export {
  open,
  type Group,
  type InsertManyOptions,
  type Stats,
  type Tables,
  type Tidemark,
} from './tidemark.ts'
export type { DeadLetter, DeadLetterFilter } from './writes/dead-letters.ts'
export type { EngineEvents } from './writes/events.ts'
export type { GuardOptions } from './writes/operations.ts'
export { DEFAULTS, type OpenOptions } from './writes/options.ts'
export type { Committed, Outcome, Receipt } from './writes/receipt.ts'
export type { WriteQuery } from './writes/statement.ts'
