/**
 * The main thread's end of one thread of the store: requests go out in order, answers come back in order.
 *
 * While it owes answers the thread keeps the process alive; idle, it does not. When it dies, every request
 * under way fails as `transient` with an unknown outcome, since nobody can say how far it came.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { StoreError } from '../../errors.ts'
import {
  unpackFailure,
  type Message,
  type Reply,
  type RequestKind,
  type Requests,
  type ThreadSettings,
} from './messages.ts'
import type { DatabaseSchema } from './schema.ts'

export class Thread {
  readonly #worker: Worker
  readonly #onSchema: (schema: DatabaseSchema) => void
  #pending: PromiseWithResolvers<unknown>[] = []
  #death: StoreError | undefined

  constructor(settings: ThreadSettings, onSchema: (schema: DatabaseSchema) => void) {
    this.#onSchema = onSchema
    // The sources run as they are; the package has them compiled. Both lie beside this file, with its ending.
    this.#worker = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url), {
      workerData: settings,
    })
    this.#worker.unref()
    this.#worker.on('message', (reply: Reply) => this.#receive(reply))
    this.#worker.on('error', (error) =>
      this.#die(`its thread failed: ${error instanceof Error ? error.message : String(error)}`, error),
    )
    this.#worker.on('exit', (code) => this.#die(`its thread ended with code ${code}`))
  }

  get isDead(): boolean {
    return this.#death !== undefined
  }

  get load(): number {
    return this.#pending.length
  }

  call<K extends RequestKind>(kind: K, request: Requests[K]['request']): Promise<Requests[K]['answer']> {
    if (this.#death) return Promise.reject(this.#death)
    const answer = Promise.withResolvers<unknown>()
    if (this.#pending.length === 0) this.#worker.ref()
    this.#pending.push(answer)
    this.#worker.postMessage({ kind, ...request })
    // The thread answers in order, so this is the answer to this request.
    return answer.promise as Promise<Requests[K]['answer']>
  }

  /** Sends what needs no answer of its own. */
  tell(message: Message): void {
    if (!this.#death) this.#worker.postMessage(message)
  }

  /** Ends the thread. A statement that is running is waited for by Node itself, so this may take as long. */
  async terminate(): Promise<void> {
    this.#worker.unref()
    await this.#worker.terminate()
  }

  /** Ends the thread when the statement that is running ends, and waits for neither. */
  abandon(): void {
    void this.#worker.terminate()
  }

  #receive(reply: Reply): void {
    if (reply.kind === 'schema') return this.#onSchema(reply.schema)
    const pending = this.#pending.shift()
    if (this.#pending.length === 0) this.#worker.unref()
    if (reply.kind === 'answer') pending?.resolve(reply.answer)
    else pending?.reject(unpackFailure(reply.failure))
  }

  #die(message: string, cause?: unknown): void {
    if (this.#death) return
    this.#death = new StoreError('transient', message, { cause, outcome: 'unknown' })
    for (const pending of this.#pending.splice(0)) pending.reject(this.#death)
  }
}
