/**
 * A connection to the simulated database: requests are served one after another, each takes its time, and answers come
 * in the same order. What was sent goes on when its process stands still; when it dies, what has not begun never does.
 */
import { StoreError } from '../../errors.ts'
import type { SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'

/** Who holds the database's write lock between two requests: an interactive transaction. */
export interface WriteLock {
  holder: object | undefined
}

export interface Service {
  readonly serviceMs: number
  /** It is carried out although its process died. */
  readonly outlives?: boolean
}

interface Request {
  readonly service: Service
  readonly execute: () => unknown
  readonly answer: PromiseWithResolvers<unknown>
  triesUntilMs: number
}

export const locked = (): StoreError =>
  new StoreError('transient', 'simulated: the database is locked', { outcome: 'not-committed' })

/** As of a thread that was ended. */
const abandoned = (): StoreError =>
  new StoreError('transient', 'simulated: the connection was given up', { outcome: 'unknown' })

const lockTimeoutMs = 10
const lockRetryMs = 0.5

export class Connection {
  readonly #process: SimulatedProcess
  readonly #random: Random
  readonly #lock: WriteLock
  readonly #requests: Request[] = []
  #isServing = false
  #lastAnswerMs = 0

  constructor(process: SimulatedProcess, random: Random, lock: WriteLock) {
    this.#process = process
    this.#random = random
    this.#lock = lock
  }

  get lock(): WriteLock {
    return this.#lock
  }

  /** @param execute is called when it is this request's turn; its answer, or what it throws, comes a moment later */
  ask<T>(service: Service, execute: () => T | Promise<T>): Promise<T> {
    const answer = Promise.withResolvers<unknown>()
    this.#requests.push({ service, execute, answer, triesUntilMs: Number.NaN })
    this.#serveNext()
    return answer.promise as Promise<T>
  }

  /** Nothing that has not begun will, and whoever asked for it is told, unless its process is gone. */
  abandon(): void {
    for (const request of this.#requests.splice(this.#isServing ? 1 : 0))
      this.#answer(request, Promise.reject(abandoned()))
  }

  #serveNext(): void {
    const [next] = this.#requests
    if (this.#isServing || !next) return
    this.#isServing = true
    this.#process.scheduler.after(next.service.serviceMs, () => void this.#serve(next))
  }

  async #serve(request: Request): Promise<void> {
    const { service, execute } = request
    const { scheduler } = this.#process
    if (this.#process.isDead && service.outlives !== true) return this.abandon()
    if (this.#lock.holder !== undefined && this.#lock.holder !== this) {
      // Like SQLite's busy handler.
      if (Number.isNaN(request.triesUntilMs)) request.triesUntilMs = scheduler.nowMs + lockTimeoutMs
      if (scheduler.nowMs < request.triesUntilMs)
        return void scheduler.after(lockRetryMs, () => void this.#serve(request))
      this.#answer(request, Promise.reject(locked()))
    } else {
      // Without an `await` before it: what is answered at once is carried out in one moment.
      const outcome = attempt(execute)
      await outcome.catch(() => undefined)
      this.#answer(request, outcome)
    }
    this.#requests.shift()
    this.#isServing = false
    this.#serveNext()
  }

  #answer({ answer }: Request, outcome: Promise<unknown>): void {
    outcome.catch(() => undefined)
    const { scheduler } = this.#process
    this.#lastAnswerMs = Math.max(this.#lastAnswerMs, scheduler.nowMs + this.#random.between(0.01, 0.3))
    scheduler.at(this.#lastAnswerMs, () => this.#process.run(() => answer.resolve(outcome)))
  }
}

function attempt(execute: () => unknown): Promise<unknown> {
  try {
    return Promise.resolve(execute())
  } catch (error) {
    return Promise.reject(error)
  }
}
