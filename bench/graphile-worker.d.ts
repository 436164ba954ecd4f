/** The few calls that the benchmark makes, so that types check before its peers are installed. */
declare module 'graphile-worker' {
  import type { Pool } from 'pg'
  export class Logger {
    info(message: string): void
    constructor(logFunctionFactory: (scope: object) => (level: string, message: string) => void)
  }
  interface Preset {
    readonly worker: {
      readonly logger: Logger
      readonly concurrentJobs: number
      readonly maxPoolSize: number
      readonly localQueue: { readonly size: number }
      readonly completeJobBatchDelay: number
      readonly failJobBatchDelay: number
    }
  }
  export function run(options: {
    readonly pgPool: Pool
    readonly noHandleSignals: boolean
    readonly taskList: Readonly<Record<string, (payload: { readonly id: number }) => Promise<void>>>
    readonly preset: Preset
  }): Promise<{ stop(): Promise<void> }>
  export function makeWorkerUtils(options: { readonly pgPool: Pool; readonly logger: Logger }): Promise<{
    migrate(): Promise<void>
    addJob(identifier: string, payload: object): Promise<object>
    release(): Promise<void>
  }>
}
