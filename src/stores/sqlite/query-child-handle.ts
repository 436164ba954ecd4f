/** One process that runs the SQL of clients, as the server's process sees it: it answers one question at a time. */
import { fork, type ChildProcess } from 'node:child_process'

import { extname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SqlAnswer, SqlQuestion } from '../../contracts/sql-runner.ts'
import { StoreError, TidemarkError, unprefixed } from '../../errors.ts'
import { unpackFailure } from './messages.ts'
import type { QueryLimits, QueryReply, QueryRequest } from './query-messages.ts'

/** Beside the heap of its thread: what passes messages on needs little. */
const extraHeapMb = 32

export class QueryChild {
  /** Resolves when it can be asked. */
  readonly ready: Promise<void>
  isReady = false
  readonly #process: ChildProcess
  readonly #started = Promise.withResolvers<void>()
  readonly #ended: Promise<void>
  #question: { readonly id: number; readonly answer: PromiseWithResolvers<SqlAnswer> } | undefined
  #lastId = 0
  #death: TidemarkError | undefined

  constructor(path: string, limits: QueryLimits) {
    const program = fileURLToPath(new URL(`./query-child${extname(import.meta.url)}`, import.meta.url))
    this.#process = fork(program, [resolve(path), JSON.stringify(limits)], {
      execArgv: [`--max-old-space-size=${limits.maxHeapMb + extraHeapMb}`, '--no-warnings'],
      // Nothing of this process is its business: no secrets of the environment, no open files, no terminal.
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    })
    this.ready = this.#started.promise
    this.ready.catch(() => undefined)
    this.#process.on('message', (reply: QueryReply) => this.#receive(reply))
    this.#process.on('error', (error) => this.#die('its process could not be started', error))
    this.#ended = new Promise((ended) => {
      this.#process.once('exit', (code, signal) => {
        this.#die('its process ended', new Error(`it ended with ${signal ?? code}`))
        ended()
      })
      this.#process.once('error', () => ended())
    })
    this.#release()
  }

  get isDead(): boolean {
    return this.#death !== undefined
  }

  /** It works on a question. */
  get isAsked(): boolean {
    return this.#question !== undefined
  }

  /** @throws StoreError; TidemarkError `QUERY_REFUSED`, or `QUERY_STOPPED` when the process dies over it */
  ask(question: SqlQuestion): Promise<SqlAnswer> {
    if (this.#death) return Promise.reject(this.#death)
    const id = ++this.#lastId
    const answer = Promise.withResolvers<SqlAnswer>()
    this.#question = { id, answer }
    this.#process.send({ id, ...question } satisfies QueryRequest)
    return answer.promise
  }

  /** Ends it wherever it is. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#die('its process was killed')
    // Whoever waits for its end would otherwise be alone, and end before it.
    this.#process.ref()
    this.#process.kill('SIGKILL')
    await this.#ended
  }

  /** Idle or busy, it is no reason for this process to go on living. */
  #release(): void {
    this.#process.unref()
    this.#process.channel?.unref()
  }

  #receive(reply: QueryReply): void {
    switch (reply.kind) {
      case 'ready':
        this.isReady = true
        this.#started.resolve()
        return
      case 'dead':
        this.#die('it needed more memory than it may have', new Error(reply.message))
        void this.kill()
        return
      case 'answer':
        this.#settle(reply.id)?.resolve(reply.answer)
        return
      case 'failure': {
        const error = unpackFailure(reply.failure)
        this.#settle(reply.id)?.reject(error.failure === 'rejected' ? refused(error.message) : error)
      }
    }
  }

  #settle(id: number): PromiseWithResolvers<SqlAnswer> | undefined {
    const question = this.#question
    if (question?.id !== id) return undefined
    this.#question = undefined
    return question.answer
  }

  #die(reason: string, cause?: Error): void {
    if (this.#death) return
    // One that never came so far has not met a query yet: that is nothing that its client did.
    this.#death = this.isReady
      ? new TidemarkError('QUERY_STOPPED', `the query was stopped: ${reason}.`, { cause })
      : new StoreError('transient', `the query was not run: ${reason}.`, { cause })
    this.#started.reject(this.#death)
    this.#question?.answer.reject(this.#death)
    this.#question?.answer.promise.catch(() => undefined)
  }
}

/** What SQLite says of the client's own words. */
function refused(message: string): TidemarkError {
  const said = unprefixed(message).slice(0, 300)
  return new TidemarkError('QUERY_REFUSED', `${said.toWellFormed()}.`)
}
