/** The few calls that the benchmark makes, so that types check before its peers are installed. */
declare module 'pg-boss' {
  interface WorkOptions {
    readonly batchSize: number
    readonly localConcurrency: number
    readonly burstWhenBatchFull: boolean
    readonly pollingIntervalSeconds: number
    readonly notifyPollingIntervalSeconds: number
    readonly perJobResults?: boolean
  }
  interface Job<Data> {
    readonly id: string
    readonly data: Data
  }
  export class PgBoss {
    constructor(options: {
      readonly connectionString: string
      readonly useListenNotify: boolean
      readonly max: number
    })
    on(event: 'error', listener: (error: Error) => void): this
    start(): Promise<this>
    createQueue(name: string, options: { readonly notify: boolean }): Promise<void>
    insert(
      name: string,
      jobs: readonly { readonly data: object; readonly startAfter?: Date }[],
    ): Promise<unknown>
    send(name: string, data: object): Promise<string | null>
    work<Data>(
      name: string,
      options: WorkOptions,
      handler: (jobs: readonly Job<Data>[]) => Promise<unknown>,
    ): Promise<string>
    offWork(name: string): Promise<void>
    stop(options: { readonly graceful: boolean }): Promise<void>
  }
}
