/** What the routes share: the engine and, if there is one, the log store they serve, and what the server knows of itself. */
import type { Runtime } from '../contracts/runtime.ts'
import type { OpenedSqlRunner } from '../contracts/sql-runner.ts'
import type { Tidemark } from '../index.ts'
import type { LogStore } from '../logs/index.ts'
import type { EffectsHistory } from './effects-history.ts'
import type { EventLoop } from './event-loop.ts'
import type { History } from './history.ts'
import type { Limits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import type { OpenTables } from './open-tables.ts'
import type { Readiness } from './readiness.ts'
import type { Recoveries } from './recoveries.ts'
import type { Sizes } from './sizes.ts'

/** The engine with tables that only the database knows: names and rows are checked there. */
export type Engine = Tidemark<Record<string, Record<string, unknown>>>

export interface ServerContext {
  /** Undefined: what is served are rows alone. */
  readonly logs: LogStore | undefined
  readonly db: Engine
  readonly sql: OpenedSqlRunner | undefined
  readonly runtime: Runtime
  readonly limits: Limits
  readonly readiness: Readiness
  readonly history: History
  readonly eventLoop: EventLoop
  readonly sizes: Sizes
  readonly effects: EffectsHistory
  readonly recoveries: Recoveries
  readonly metrics: Metrics
  readonly tables: OpenTables
  readonly startedAtMs: number
}

/** Of the routes that are about logs. */
export interface LogContext extends ServerContext {
  readonly logs: LogStore
}
