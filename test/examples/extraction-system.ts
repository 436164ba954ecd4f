/** The extraction example as a whole in this process, on real servers; and its parts as processes of their own. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import type { Alert } from '../../examples/extraction/agreement/watch.ts'
import type { Api, ApiOptions } from '../../examples/extraction/api/start.ts'
import type { Database } from '../../examples/extraction/database.ts'
import type { ModelSettings } from '../../examples/extraction/llm/model.ts'
import type { Worker, WorkerOptions } from '../../examples/extraction/pipeline/handlers.ts'
import type { VectorServer } from '../../examples/extraction/vectors/process.ts'
import { temporaryFolder } from '../support/database-file.ts'
import { Child } from '../support/child.ts'

const main = new URL('../../examples/extraction/main.ts', import.meta.url)
const dimensions = 256

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Each test knows what it asked for. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

export interface Place {
  readonly postgres: string
  readonly redis: string
}

/** A part as a process of its own; killed at the end of the test. */
export function part(...command: readonly (string | number)[]): Child {
  return new Child(main, command)
}

/** A folder with these documents. */
export function documents(content: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = path.join(temporaryFolder(), 'documents')
  mkdirSync(folder)
  for (const [name, text] of Object.entries(content)) write(folder, name, text)
  return folder
}

export function write(folder: string, name: string, content: string | Uint8Array): void {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, content)
}

export async function call(url: string, method: string, route: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${url}${route}`, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

interface Setting {
  readonly model?: Partial<ModelSettings>
  readonly worker?: Partial<WorkerOptions> | 'none'
  readonly api?: Partial<ApiOptions>
  readonly documents?: Readonly<Record<string, string>>
}

export class System {
  readonly folder: string
  readonly redis: Redis
  readonly alerts: Alert[] = []
  readonly #place: Place
  readonly #setting: Setting
  readonly #file: string
  #parts: Parts | undefined

  private constructor(place: Place, setting: Setting) {
    this.#place = place
    this.#setting = setting
    this.folder = documents(setting.documents ?? {})
    this.#file = path.join(temporaryFolder(), 'vectors.db')
    this.redis = new Redis(place.redis)
    this.redis.on('error', () => undefined)
  }

  static async start(place: Place, setting: Setting = {}): Promise<System> {
    const system = new System(place, setting)
    await system.redis.flushall()
    onTestFinished(() => system.#close())
    await system.#start()
    return system
  }

  get db(): Database {
    return this.#running.db
  }

  get api(): Api {
    return this.#running.api
  }

  get model(): Parts['model'] {
    return this.#running.model
  }

  get vectorFile(): string {
    return this.#file
  }

  async call(method: string, route: string, body?: unknown): Promise<Answer> {
    return await call(this.api.url, method, route, body)
  }

  async project(): Promise<number> {
    return (await this.call('POST', '/projects', { name: 'test' })).body.id
  }

  /** @returns the ids of these sources, and the bookmark */
  async submit(project: number, ...uris: readonly string[]): Promise<{ ids: string[]; bookmark: string }> {
    const { body } = await this.call('POST', `/projects/${project}/sources`, { uris })
    return { ids: body.sources.map(({ id }: { id: string }) => id), bookmark: body.bookmark }
  }

  /** All that was enqueued is done, or given up. */
  async settled(): Promise<void> {
    const { db } = this
    for (const kind of ['scrape', 'embed', 'llm', 'cache'])
      await db.effects.ready(kind, { below: 1, timeoutMs: 60_000 })
  }

  /** Looks until the check says so. */
  async until(isSo: () => Promise<boolean> | boolean): Promise<void> {
    while (!(await isSo())) await new Promise((again) => void setTimeout(again, 10))
  }

  async stopWorker(): Promise<void> {
    await this.#running.worker?.stop()
    this.#running.worker = undefined
  }

  async startWorker(options: Partial<WorkerOptions> = {}): Promise<void> {
    const { startWorker } = await import('../../examples/extraction/pipeline/handlers.ts')
    const { db, vectors } = this.#running
    this.#running.worker = await startWorker({
      db,
      vectors,
      redis: this.#place.redis,
      folder: this.folder,
      handle: { retryFirstMs: 20, retryMaxMs: 200 },
      ...options,
    })
  }

  get #running(): Parts {
    if (this.#parts === undefined) throw new Error('the system is not started')
    return this.#parts
  }

  async #start(): Promise<void> {
    const { startApi } = await import('../../examples/extraction/api/start.ts')
    const { openDatabase } = await import('../../examples/extraction/database.ts')
    const { Model } = await import('../../examples/extraction/llm/model.ts')
    const { LlmWorker } = await import('../../examples/extraction/llm/worker.ts')
    const { serveVectors } = await import('../../examples/extraction/vectors/process.ts')
    const { remoteVectors } = await import('../../examples/extraction/vectors/remote.ts')
    const { postgres, redis } = this.#place
    const { model: settings, worker, api } = this.#setting
    const vectorServer = await serveVectors(this.#file, dimensions)
    const vectors = remoteVectors(vectorServer.url)
    const db = await openDatabase({ postgres, writer: 'system', readers: 8 })
    const model = new Model({ latencyMs: 5, parallel: 1_000, ...settings })
    const started = await startApi({
      db,
      vectors,
      redis,
      port: 0,
      below: 10_000,
      // Tests look by themselves.
      checkEveryMs: 3_600_000,
      lateAfterMs: 60_000,
      onAlert: (alert) => this.alerts.push(alert),
      onOver: () => undefined,
      ...api,
    })
    const llm = new LlmWorker(redis, model, { name: 'llm-1' })
    this.#parts = { db, vectors, vectorServer, api: started, model, llm, worker: undefined }
    if (worker !== 'none') await this.startWorker(worker)
  }

  async #close(): Promise<void> {
    this.redis.disconnect()
    if (this.#parts === undefined) return
    const { db, vectorServer, api, llm, worker } = this.#parts
    await worker?.stop()
    await llm.stop()
    await api[Symbol.asyncDispose]()
    await db.close()
    await vectorServer[Symbol.asyncDispose]()
  }
}

interface Parts {
  readonly db: Database
  readonly vectors: WorkerOptions['vectors']
  readonly vectorServer: VectorServer
  readonly api: Api
  readonly model: InstanceType<typeof import('../../examples/extraction/llm/model.ts').Model>
  readonly llm: InstanceType<typeof import('../../examples/extraction/llm/worker.ts').LlmWorker>
  worker: Worker | undefined
}
