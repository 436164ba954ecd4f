export type {
  Effect,
  EffectContext,
  EffectDead,
  EffectDelivered,
  EffectHandler,
  EffectOutcome,
  EffectRetry,
  Target,
} from './contracts/effect.ts'
export type { Processor, RowKey } from './contracts/processor.ts'
export type { Position } from './contracts/position.ts'
export type { Dialect, Store } from './contracts/store.ts'
export type { Json, Value } from './contracts/values.ts'
export {
  EngineStoppedError,
  InvalidOperationError,
  NotSupportedError,
  QueueFullError,
  ReceiptTimeoutError,
  StaleReadError,
  StoreError,
  TidemarkError,
  WriteRejectedError,
  type Certainty,
  type ErrorCode,
} from './errors.ts'
export type { LiveCall, LiveChildren, LiveOptions, LiveRows, LiveScope, Peek } from './live/call.ts'
export type { LiveStats } from './live/live.ts'
export type { Change, ChangesOptions } from './reads/changes.ts'
export type { ChangeIterator } from './reads/subscription.ts'
export type { ReadStats } from './reads/metrics.ts'
export type { Consistency, ReadOptions, TableKey, WaitOptions } from './reads/read-options.ts'
export type { FoundRow, PendingRow, QueryOptions, ReadQuery, ReadReport } from './reads/reader.ts'
export type { SessionOptions, SessionRejection } from './reads/session.ts'
export type { Session } from './session.ts'
export type { Group, InsertManyOptions, Tables } from './client.ts'
export { open, type Stats, type Tidemark } from './tidemark.ts'
export type { DeadLetter, DeadLetterFilter } from './writes/dead-letters.ts'
export type { EngineEvents } from './writes/events.ts'
export type { GuardOptions } from './writes/operations.ts'
export type { Inserted } from './writes/group.ts'
export { DEFAULTS, type OpenOptions } from './writes/options.ts'
export type { Committed, Outcome, Receipt } from './writes/receipt.ts'
export type { WriteQuery } from './writes/statement.ts'
export type { DeadEffect, DeadEffectFilter, WaitingEffect } from './effects/dead-effects.ts'
export type { Effects, Handling, ReachedOptions } from './effects/effects.ts'
export type { EffectQueue, EffectStats, HandlerStats } from './effects/stats.ts'
export type { EffectsWatch, EffectTrouble, WatchedEffects, WatchOptions } from './effects/watch.ts'
export type { HandleOptions } from './effects/options.ts'
export { CALL_SECONDS } from './effects/tally.ts'
export type { RecoverOptions, RecoverQuery, Recovery } from './effects/recover.ts'
export type { EffectOptions, EffectRequest } from './writes/effect-input.ts'
export type { Enqueue } from './writes/transaction-turn.ts'
