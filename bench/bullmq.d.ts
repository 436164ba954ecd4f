/** The few calls that the benchmark makes, so that types check before its peers are installed. */
declare module 'bullmq' {
  interface Connection {
    readonly host: string
    readonly port: number
  }
  export interface Job<Data> {
    readonly data: Data
  }
  export class Queue<Data> {
    constructor(
      name: string,
      options: {
        readonly connection: Connection
        readonly defaultJobOptions: { readonly attempts: number; readonly removeOnComplete: boolean }
      },
    )
    waitUntilReady(): Promise<unknown>
    add(name: string, data: Data): Promise<Job<Data>>
    addBulk(
      jobs: readonly {
        readonly name: string
        readonly data: Data
        readonly opts?: { readonly delay: number }
      }[],
    ): Promise<readonly Job<Data>[]>
    getJobCounts(...states: readonly string[]): Promise<Readonly<Record<string, number>>>
    close(): Promise<void>
  }
  export class Worker<Data> {
    constructor(
      name: string,
      processor: (job: Job<Data>) => Promise<void>,
      options: { readonly connection: Connection; readonly concurrency: number },
    )
    on(event: 'error', listener: (error: Error) => void): this
    waitUntilReady(): Promise<unknown>
    close(): Promise<void>
  }
}
