/** What the routes share: the engine and the log store they serve, and what the server knows of itself. */
import type { Runtime } from '../contracts/runtime.ts'
import type { OpenedSqlRunner } from '../contracts/sql-runner.ts'
import type { LogStore } from '../logs/index.ts'
import type { EventLoop } from './event-loop.ts'
import type { History } from './history.ts'
import type { Limits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import type { OpenTables } from './open-tables.ts'
import type { Readiness } from './readiness.ts'
import type { Sizes } from './sizes.ts'

/** The engine with tables that only the database knows: names and rows are checked there. */
export type Engine = LogStore['tidemark']

export interface ServerContext {
  readonly logs: LogStore
  readonly db: Engine
  readonly sql: OpenedSqlRunner | undefined
  readonly runtime: Runtime
  readonly limits: Limits
  readonly readiness: Readiness
  readonly history: History
  readonly eventLoop: EventLoop
  readonly sizes: Sizes
  readonly metrics: Metrics
  readonly tables: OpenTables
  readonly startedAtMs: number
}
